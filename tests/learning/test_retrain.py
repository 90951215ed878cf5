from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from evidence_rows import CATALOGUE, MARKER, SKILLS, change, place, row
from small_models import SHIPPED, models_folder, other_version, tiny_folder

import recommender.learning.embedding_cache
import recommender.learning.retrain
from recommender.errors import DataFileError, ModelVersionError
from recommender.learning.consented_texts import consented_texts
from recommender.learning.earlier_versions import restored
from recommender.learning.embedding_cache import EmbeddingCache
from recommender.learning.evidence import Evidence
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.positions import Positions
from recommender.learning.retrain import known_weights, retrain
from recommender.learning.update import Update
from recommender.learning.updated_weights import updated_weights
from recommender.ranking.fusion import FusionWeights
from recommender.ranking.versions import DEFAULT_MODELS, open_version
from recommender.struggles.encoder import Encoder, unit_mean
from recommender.training.corpus import REAL_DEV, load_rows

BASE = FusionWeights.load(DEFAULT_MODELS / SHIPPED)
EVERYWHERE, PARAMETERS = Positions.everywhere(), load_learning_parameters()


@pytest.fixture
def models(tmp_path):
    return tiny_folder(tmp_path / "models")


def rows(n: int = 40, **more):
    """Coaches who keep the first skill and remove the second."""
    shown = [place(0, 1, 0.5), place(1, 2, 0.4)]
    changes = [change(0, "keep"), change(1, "remove")]
    return [row(number, changes=changes, shown=shown, model_version=SHIPPED, **more) for number in range(n)]


def files_of(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_reviews_move_the_scores_and_everything_else_is_the_base(models):
    folder = retrain(models, "next", Evidence.of(rows()))
    manifest, _, _ = open_version(models, "next")
    learned = FusionWeights.load(folder)
    assert learned.skill_offsets[SKILLS[0]] > 0 > learned.skill_offsets[SKILLS[1]]
    for name in ("text_head.npz", "screening.json"):
        assert (folder / name).read_bytes() == (models / SHIPPED / name).read_bytes()
    assert manifest.encoder == open_version(models, SHIPPED)[0].encoder
    assert manifest.created == rows()[-1].shown_at.date(), "the newest evidence's day, not today"


def test_the_manifest_tells_counts_and_no_person_case_or_word(models):
    folder = retrain(models, "next", Evidence.of(rows(coach="coach-anna", case="case-77", teacher="teacher-ben")))
    learned = json.loads((folder / "manifest.json").read_text())["settings"]["learned_from"]
    assert (learned["base"], learned["counts"]["rows"], learned["counts"]["removed"]) == (SHIPPED, 1, 1)
    assert learned["prior_sds"].keys() == {"skills", "tenants"} and learned["effective_sizes"]["judgements"] > 0
    told = (folder / "manifest.json").read_text() + (folder / "card.md").read_text()
    assert not [name for name in ("coach-anna", "case-77", "teacher-ben", "north", "r00000") if name in told]


def test_the_same_rows_in_any_order_give_the_same_bytes(models, tmp_path):
    made = rows()
    first = files_of(retrain(models, "next", Evidence.of(made)))
    again = tiny_folder(tmp_path / "again")
    assert files_of(retrain(again, "next", Evidence.of([*reversed(made), made[3]]))) == first


def test_a_person_who_withdrew_was_never_there(models, tmp_path):
    others = rows()
    theirs = [each.model_copy(update={"id": f"w{each.id}", "teacher": "gone"}) for each in rows(10)]
    retrain(models, "before", Evidence.of([*others, *theirs]))
    never = files_of(retrain(tiny_folder(tmp_path / "never"), "next", Evidence.of(others)))
    withdrawn = [each for each in [*others, *theirs] if each.teacher != "gone"]
    assert files_of(retrain(models, "next", Evidence.of(withdrawn))) == never


def test_a_learned_version_learns_again_from_the_base_so_that_nothing_counts_twice(models, tmp_path):
    made = rows()
    retrain(models, "second", Evidence.of(made))
    (models / "current").write_text("second\n")
    again = retrain(models, "third", Evidence.of(made))
    alone = retrain(tiny_folder(tmp_path / "alone"), "third", Evidence.of(made))
    assert files_of(again) == files_of(alone)


def test_rows_a_learned_version_showed_are_taken_back_to_the_base(models):
    update = Update(
        {SKILLS[0]: 0.4}, {"north": {SKILLS[1]: -0.3}},
        {"words": 0.2, "observations": 0.0, "context": -0.5}, 0.1,
    )  # fmt: skip
    learned = updated_weights(BASE, update)
    log_p = np.linspace(-6, -2, len(SKILLS))
    clauses = np.where(np.arange(len(SKILLS)) == 1, 1.5, 0.7)

    def shown_by(weights, offsets):
        def at(skill, rank):
            parts = {
                "prior": weights.intercept + weights.slope * (log_p[skill] - clauses[skill]) + offsets[skill],
                "struggle": weights.slope * clauses[skill],
            }
            return place(skill, rank, **parts)

        scores = weights.intercept + weights.slope * log_p + offsets
        return row(changes=[change(0, "keep")], shown=[at(0, 1), at(1, 2)], scores=scores.tolist(), model_version="l")

    offsets = np.zeros(len(SKILLS))
    offsets[:2] = (0.4, -0.3)
    [back] = restored(Evidence.of([shown_by(learned, offsets)]), {"l": learned}, BASE, CATALOGUE).rows
    wanted = shown_by(BASE, np.zeros(len(SKILLS)))
    assert np.allclose(back.scores, wanted.scores, atol=1e-4)
    for found, place_of_base in zip(back.shown, wanted.shown, strict=True):
        assert found.score == pytest.approx(place_of_base.score, abs=1e-4)
        assert found.parts.struggle == pytest.approx(place_of_base.parts.struggle, abs=1e-4)
        assert found.parts.total == pytest.approx(found.score)


@pytest.mark.parametrize("name", ["../next", "", ".hidden", "a/b", SHIPPED])
def test_a_name_that_is_none_or_taken_is_refused_before_anything_is_written(models, name):
    before = sorted(models.rglob("*"))
    with pytest.raises(ModelVersionError):
        retrain(models, name, Evidence.of(rows(2)))
    assert sorted(models.rglob("*")) == before


def test_without_evidence_there_is_nothing_to_learn(models):
    with pytest.raises(DataFileError, match="no row of evidence"):
        retrain(models, "next", Evidence.of([]))


def test_weights_that_cannot_be_read_are_passed_over(models):
    other_version(models, "other")
    (models / "other" / "fusion.json").write_text("{}")
    assert list(known_weights(models)) == [SHIPPED]


def reviewed_text(*changes, shares=(0.4, 0.3, 0.2), positions=EVERYWHERE):
    """Targets of one text whose first skills had these shares before the review."""
    scores = np.full(len(SKILLS), -40.0)
    scores[: len(shares)] = np.log(shares)
    shown = [place(number, number + 1) for number in range(3)]
    one = row(changes=list(changes), shown=shown, struggle="They all talk at once.", scores=scores.tolist())
    return consented_texts([one], CATALOGUE, positions, PARAMETERS).targets[0]


def test_a_review_changes_the_shares_by_how_much_likelier_it_is_for_a_skill_that_fits():
    # Slip .1: kept where seen is 10 times likelier for a skill that fits, put first 9 times, removed 9 times less.
    assert PARAMETERS.texts.slip.value == 0.1
    kept, first, removed = 0.4 * 10, 0.4 * 9, 0.2 / 9
    found = reviewed_text(change(0, "keep"), change(1, "move", 1), change(2, "remove"))
    assert found[:3] == pytest.approx(np.array([kept, first, removed]) / (kept + first + removed))


def test_what_was_kept_where_few_look_says_little_and_what_nobody_named_keeps_its_share():
    # Seen by half: 1 - .5 * .9 = .55.
    found = reviewed_text(change(0, "keep"), positions=Positions((0.5,)))
    assert found[:3] == pytest.approx(np.array([0.4 / 0.55, 0.3, 0.2]) / (0.4 / 0.55 + 0.5))


def test_an_added_skill_gets_no_less_than_the_first_of_the_list_had_and_one_moved_down_stays():
    found = reviewed_text(change(1, "move", 3), change(5, "add", 1))
    assert found[[0, 1, 2, 5]] == pytest.approx(np.array([0.4, 0.3, 0.2, 3.6]) / 4.5)


def test_only_reviewed_texts_teach_each_case_once_and_never_one_of_the_development_set():
    keeps, scores = [change(0, "keep")], [0.0] * len(SKILLS)
    measured = load_rows(REAL_DEV)[0].text
    made = [
        row(0, struggle="No review.", scores=scores),
        row(1, changes=keeps, struggle="No scores."),
        row(2, changes=keeps, struggle="Twice.", case="c", scores=scores),
        row(3, changes=[change(1, "keep")], struggle="Twice.", case="c", scores=scores),
        row(4, changes=keeps, struggle=measured, scores=scores),
        row(5, changes=keeps, scores=scores),
    ]
    texts = consented_texts(made, CATALOGUE, EVERYWHERE, PARAMETERS)
    assert texts.texts == ("Twice.",) and texts.targets[0].argmax() == 1


def test_texts_of_one_coach_count_by_the_square_root_beyond_the_cap():
    cap, full = PARAMETERS.weights.coach_reviews.value, PARAMETERS.texts.weight.value
    scores = [0.0] * len(SKILLS)
    made = [row(n, changes=[change(0, "keep")], struggle=f"Text {n}.", scores=scores) for n in range(cap + 16)]
    texts = consented_texts(made, CATALOGUE, EVERYWHERE, PARAMETERS)
    assert texts.weight.sum() == pytest.approx(full * (cap + 4), rel=1e-4)


@pytest.fixture
def small_corpus(monkeypatch):
    """Twenty texts instead of seven thousand, read by the real encoder in this process; counts what was read."""
    read = []

    def embed(folder, texts):
        read.extend(texts)
        encoder = Encoder(folder)
        return np.stack([unit_mean(encoder.read(text).states) for text in texts])

    monkeypatch.setattr(recommender.learning.embedding_cache, "embed_texts", embed)
    monkeypatch.setattr(recommender.learning.retrain, "load_rows", lambda file: load_rows(file)[:7])
    return read


def test_consented_texts_move_the_head_and_are_kept_nowhere_and_a_cache_changes_no_byte(tmp_path, small_corpus):
    made = [
        each.model_copy(update={"struggle": f"{MARKER} talk over me, number {each.id}.", "scores": [0.0] * len(SKILLS)})
        for each in rows(4)
    ]
    first = retrain(models_folder(tmp_path / "one"), "next", Evidence.of(made), scratch=tmp_path / "scratch")
    n_first = len(small_corpus)
    second = retrain(models_folder(tmp_path / "two"), "next", Evidence.of(made), scratch=tmp_path / "scratch")
    assert len(small_corpus) - n_first == len(made), "only what teachers wrote is read again"
    assert files_of(first) == files_of(second)
    assert (first / "text_head.npz").read_bytes() != (DEFAULT_MODELS / SHIPPED / "text_head.npz").read_bytes()
    kept = list((tmp_path / "scratch").iterdir())
    assert kept
    assert not [file.name for file in [*kept, *first.iterdir()] if MARKER.encode() in file.read_bytes()]


def test_a_cache_gives_what_the_encoder_gives_in_the_order_asked(tmp_path, small_corpus):
    encoder = next(file for file in (DEFAULT_MODELS / "encoders").iterdir())
    fresh = EmbeddingCache().embed(encoder, ["One.", "Two.", "One."])
    EmbeddingCache(tmp_path).embed(encoder, ["Two."])
    assert np.array_equal(EmbeddingCache(tmp_path).embed(encoder, ["One.", "Two.", "One."]), fresh)


def test_a_retraining_that_stops_half_way_leaves_no_version(models, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(recommender.learning.retrain, "write_manifest", stop)
    with pytest.raises(KeyboardInterrupt):
        retrain(models, "next", Evidence.of(rows(4)))
    assert not (models / "next").exists()
    monkeypatch.undo()
    assert retrain(models, "next", Evidence.of(rows(4))).is_dir()


def test_rows_of_one_minute_later_are_another_evidence(models, tmp_path):
    later = [each.model_copy(update={"shown_at": each.shown_at + timedelta(minutes=1)}) for each in rows()]
    one = json.loads((retrain(models, "next", Evidence.of(rows())) / "manifest.json").read_text())["data"]
    two = json.loads((retrain(tiny_folder(tmp_path / "b"), "next", Evidence.of(later)) / "manifest.json").read_text())[
        "data"
    ]
    assert one["evidence"] != two["evidence"]
    assert {name for name in one if one[name] != two[name]} == {"evidence"}
