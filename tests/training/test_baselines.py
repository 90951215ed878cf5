import math

import numpy as np
import pytest

from recommender.catalogue.loader import load_catalogue
from recommender.errors import GrowthError
from recommender.training.baselines import (
    BM25,
    NearestNeighbour,
    Popularity,
    Random,
    TfidfLogistic,
    skill_document,
)

TEXTS = [
    "they shout answers and talk over me",
    "everyone shouts and talks over everyone",
    "nobody hands in the homework",
    "homework never comes back",
    "the homework is late and they shout about it",
]
TARGETS = np.array([[1, 0, 0], [0.8, 0.2, 0], [0, 1, 0], [0, 1, 0], [0.4, 0.6, 0]], dtype=np.float32)


def letters(texts):
    """Vectors of how often a, b and c occur: near enough to an encoder to work cosines by hand."""
    return np.array([[text.count(letter) for letter in "abc"] for text in texts], dtype=float)


def all_baselines():
    return [Random(3, n_skills=3), Popularity(), BM25(["shout", "homework", "late"]), TfidfLogistic(),
            NearestNeighbour(letters)]  # fmt: skip


@pytest.mark.parametrize("baseline", all_baselines(), ids=lambda one: type(one).__name__)
def test_every_baseline_scores_every_skill_of_every_text_the_same_way_twice(baseline):
    asked = ["shout", "cab", "shout"]
    first = baseline.fit(TEXTS, TARGETS).score(asked)
    assert first.shape == (3, 3)
    assert not np.isnan(first).any()
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(first, baseline.fit(TEXTS, TARGETS).score(asked))
    np.testing.assert_allclose(first[1:2], baseline.score(["cab"]), rtol=1e-12)


@pytest.mark.parametrize("baseline", all_baselines(), ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(("texts", "targets"), [(TEXTS[:2], TARGETS), ([], TARGETS[:0]), (TEXTS, TARGETS[:, 0])])
def test_texts_without_their_targets_are_refused(baseline, texts, targets):
    with pytest.raises(GrowthError, match="one row of targets a text"):
        baseline.fit(texts, targets)


@pytest.mark.parametrize("baseline", [Popularity(), TfidfLogistic(), NearestNeighbour(letters)])
def test_what_has_to_learn_refuses_to_score_before(baseline):
    with pytest.raises(GrowthError, match="Call fit first"):
        baseline.score(["shout"])


def test_random_depends_on_the_seed_and_the_text_and_not_on_its_neighbours():
    scores = Random(1).score(["a", "b"])
    assert scores.shape == (2, len(load_catalogue()))
    assert (scores[0] != scores[1]).all()
    np.testing.assert_array_equal(Random(1).score(["b"])[0], scores[1])
    assert (Random(2).score(["a"])[0] != scores[0]).all()


def test_random_is_uniform():
    scores = Random().score([f"text {i}" for i in range(400)])
    assert scores.mean() == pytest.approx(0.5, abs=0.01)
    favourite = np.bincount(scores.argmax(axis=1), minlength=scores.shape[1])
    assert favourite.max() < 15


def test_popularity_is_the_mean_target_for_everyone():
    scores = Popularity().fit(TEXTS, TARGETS).score(["x", "y"])
    assert scores == pytest.approx(np.array([[0.44, 0.56, 0.0]] * 2))


def test_bm25_by_hand():
    ranker = BM25(["Red apple", "red, RED car"])
    # Lengths 2 and 3, mean 2.5: 1.2 * (.25 + .75 * 2 / 2.5) = 1.02 and 1.2 * (.25 + .75 * 3 / 2.5) = 1.38.
    apple = math.log(2) * 2.2 / 2.02
    red = math.log(1.2) * np.array([2.2 / 2.02, 4.4 / 3.38])
    assert ranker.score(["apple"]) == pytest.approx(np.array([[apple, 0]]))
    assert ranker.score(["red"]) == pytest.approx(red[None])
    assert ranker.score(["a red apple?"]) == pytest.approx(np.array([[apple, 0]]) + red)


def test_bm25_counts_a_repeated_query_word_each_time_and_unknown_words_never():
    ranker = BM25(["red apple", "red red car"])
    assert ranker.score(["car car"]) == pytest.approx(2 * ranker.score(["car"]))
    assert (ranker.score(["", "bicycle"]) == 0).all()


def test_bm25_parameters_do_what_they_say():
    documents = ["red", "red red red and much more besides"]
    flat = BM25(documents, k1=0.0).score(["red"])[0]
    assert flat == pytest.approx(math.log(1.2))  # no credit for repetition, so none for length either
    unnormalised = BM25(documents, b=0.0).score(["red"])[0]
    assert unnormalised[1] > unnormalised[0]


def test_bm25_finds_a_skill_by_its_own_words():
    catalogue = load_catalogue()
    scores = BM25().score([skill.definition for skill in catalogue])
    assert (scores.argmax(axis=1) == np.arange(len(catalogue))).mean() > 0.95


def test_the_document_of_a_skill_is_its_name_definition_summary_and_look_fors():
    skill = load_catalogue()["cold-calling"]
    document = skill_document(skill)
    for part in (skill.name, skill.definition, skill.summary, *skill.look_fors):
        assert part in document
    assert skill.not_this not in document


def test_tfidf_logistic_learns_words_and_leaves_unseen_skills_last():
    scores = TfidfLogistic().fit(TEXTS, TARGETS).score(["they shout and talk", "homework is late"])
    assert scores[:, :2].argmax(axis=1).tolist() == [0, 1]
    assert np.exp(scores[:, :2]).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (scores[:, 2] == -np.inf).all()


def test_tfidf_logistic_learns_the_share_of_each_skill_from_soft_targets():
    texts = ["same words here"] * 40
    targets = np.tile([0.7, 0.3], (40, 1))
    probabilities = np.exp(TfidfLogistic(tolerance=1e-8).fit(texts, targets).score(texts[:1]))
    assert probabilities == pytest.approx(np.array([[0.7, 0.3]]), abs=0.01)


def test_tfidf_logistic_refuses_a_single_skill():
    with pytest.raises(GrowthError, match="two skills or more"):
        TfidfLogistic().fit(TEXTS, np.ones((5, 1)))


def test_nearest_neighbours_vote_by_similarity():
    targets = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=float)
    voters = NearestNeighbour(letters, k=2).fit(["a", "b", "c"], targets)
    # "aaab" has cosines 3, 1 and 0 over sqrt(10) with a, b and c.
    assert voters.score(["aaab"]) == pytest.approx(np.array([[0.75, 0.25, 0]]))
    assert voters.score(["cc"]) == pytest.approx(np.array([[0, 0, 1]]))


def test_nearest_neighbours_beyond_k_have_no_vote():
    targets = np.eye(3)
    assert NearestNeighbour(letters, k=1).fit(["a", "b", "c"], targets).score(["aab"]).tolist() == [[1, 0, 0]]
    # More neighbours than there are texts: all of them vote.
    assert NearestNeighbour(letters, k=10).fit(["a", "b", "c"], targets).score(["ab"]) == pytest.approx(
        np.array([[0.5, 0.5, 0]])
    )


def test_a_text_like_no_other_gets_no_votes():
    def opposite(texts):
        return np.array([[1.0] if text == "seen" else [-1.0] if text == "against" else [0.0] for text in texts])

    voters = NearestNeighbour(opposite).fit(["seen"], np.ones((1, 2)))
    assert voters.score(["against", "empty", "seen"]).tolist() == [[0, 0], [0, 0], [1, 1]]
    # The opposite of a text does not vote against it either.
    both = NearestNeighbour(opposite).fit(["seen", "against"], np.eye(2))
    assert both.score(["seen", "against"]).tolist() == [[1, 0], [0, 1]]


def test_the_embedder_is_asked_for_a_list_and_its_length_does_not_matter():
    def long(texts):
        assert isinstance(texts, list)
        return 1_000 * letters(texts)

    asked = ("aab", "ac")
    plain = NearestNeighbour(letters).fit(TEXTS, TARGETS).score(asked)
    assert NearestNeighbour(long).fit(tuple(TEXTS), TARGETS).score(asked) == pytest.approx(plain)
