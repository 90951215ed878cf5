from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from recommender.cases import Context
from recommender.catalogue.loader import load_catalogue
from recommender.learning.evidence import Evidence
from recommender.learning.positions import swapped_pairs
from recommender.learning.weights import without_copies
from recommender.ranking.ordering import Ordering
from recommender.training.simulate.coach_truth import CoachTruth, ShippedScores
from recommender.training.simulate.review_attacks import (
    APPROVING_COACH,
    with_approving_coach,
    with_burst,
    with_copies,
    with_random_reviews,
)
from recommender.training.simulate.reviewing import examination, simulate_reviews, tenant_shares
from recommender.training.simulate.reviewing_parameters import load_reviewing_parameters

CATALOGUE = load_catalogue()
N = len(CATALOGUE)
PARAMETERS = load_reviewing_parameters()


def shipped(n: int = 60) -> ShippedScores:
    """Made-up texts: each speaks for some skills."""
    rng = np.random.default_rng(4)
    words = rng.normal(-3, 1.5, (n, N))
    context = np.where(rng.random((n, N)) < 0.05, -0.5, 0.0)
    return ShippedScores("made-up", (Context(),) * n, words, context, 1.5, Ordering(CATALOGUE, -0.3))


TEXTS = shipped()


def unlike(**differences: object) -> CoachTruth:
    """Coaches who hold what the model says, but for the differences given."""
    same = {"skill_offsets": np.zeros(N), "tenant_offsets": np.zeros((2, N)), "words_factor": 1.0, "strictness": 0.0,
            "grade_step": 1.5}  # fmt: skip
    return CoachTruth(**(same | differences))  # type: ignore[arg-type]


def simulate(n: int = 400, seed: int = 1, tenants: int = 2, **more):
    return simulate_reviews(seed, n, tenants=tenants, texts=TEXTS, **more)


REVIEWS = simulate(1_500, truth=unlike())


# The truth


def test_the_hidden_differences_are_of_a_known_number_of_skills_and_size():
    truth = CoachTruth.draw(np.random.default_rng(0), 3, CATALOGUE, PARAMETERS.truth)
    assert np.count_nonzero(truth.skill_offsets) == PARAMETERS.truth.touched_skills.value
    assert np.count_nonzero(truth.tenant_offsets, axis=1).tolist() == [PARAMETERS.truth.tenant_skills.value] * 3
    assert (truth.touched(np.array([1]))[0] == ((truth.skill_offsets != 0) | (truth.tenant_offsets[1] != 0))).all()


def test_the_true_log_odds_are_the_models_with_the_differences():
    offsets, own = np.zeros(N), np.zeros((2, N))
    offsets[3], own[1, 4] = 0.5, -0.25
    truth = unlike(skill_offsets=offsets, tenant_offsets=own, words_factor=0.5, strictness=-0.125)
    found = truth.log_odds(TEXTS, np.array([1] * len(TEXTS)))
    expected = 0.5 * TEXTS.words + TEXTS.context - 0.125
    expected[:, 3] += 0.5
    expected[:, 4] -= 0.25
    np.testing.assert_allclose(found, expected)


def test_a_grade_of_two_or_three_has_the_chance_of_the_log_odds():
    log_odds = np.array([-2.0, 0.0, 1.0])
    grades = unlike().draw_grades(np.random.default_rng(0), np.tile(log_odds, (40_000, 1)))
    assert (grades >= 2).mean(axis=0) == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=0.01)
    assert (grades == 3).mean(axis=0) == pytest.approx(1 / (1 + np.exp(1.5 - log_odds)), abs=0.01)
    assert set(np.unique(grades)) == {0, 1, 2, 3}


# Lists and reviews


def test_a_list_is_the_models_first_places_and_its_parts_sum_to_its_scores():
    for row, text in zip(REVIEWS.rows[:40], REVIEWS.text, strict=False):
        placed = TEXTS.place(TEXTS.log_odds[text], PARAMETERS.lists.places.value)
        assert [place.skill_id for place in row.shown] == [CATALOGUE.ids[at.skill] for at in placed]
        for place, at in zip(row.shown, placed, strict=True):
            assert place.score == pytest.approx(TEXTS.log_odds[text, at.skill] + at.spread)
            assert place.parts.total == pytest.approx(place.score, abs=1e-9)
        assert row.scores == pytest.approx(TEXTS.log_odds[text], abs=1e-4)


def test_the_same_seed_gives_the_same_reviews_and_fewer_are_the_first_of_more():
    assert simulate(50, truth=unlike()).rows == REVIEWS.rows[:50]
    assert simulate(50, seed=2).rows != simulate(50, seed=1).rows
    assert Evidence.of(REVIEWS.rows).rows == REVIEWS.rows


def test_coaches_remove_what_is_not_relevant_where_they_look():
    removed, expected = Counter(), Counter()
    looks = examination(5, PARAMETERS)
    for row in REVIEWS.rows:
        gone = {change.skill_id for change in row.review.changes if change.action == "remove"}
        later = {change.skill_id for change in row.review.changes if change.action == "move" and change.to_rank > 1}
        for place in row.shown:
            removed[place.rank] += place.skill_id in gone or place.skill_id in later
            chance = 1 / (1 + np.exp(-(place.score - place.parts.constraint)))
            slip = PARAMETERS.coaches.slip.value
            expected[place.rank] += looks[place.rank - 1] * ((1 - chance) * (1 - slip) + chance * slip)
    for rank in range(1, 6):
        assert removed[rank] == pytest.approx(expected[rank], rel=0.08), rank


def test_every_skill_of_a_list_is_in_its_review_whether_looked_at_or_not():
    for row in REVIEWS.rows[:200]:
        assert {place.skill_id for place in row.shown} <= {change.skill_id for change in row.review.changes}


def test_some_reviews_add_and_move_and_some_teachers_choose_and_decline():
    actions = Counter(change.action for row in REVIEWS.rows for change in row.review.changes)
    assert all(actions[action] > 20 for action in ("keep", "remove", "move", "add"))
    chosen = sum(any(choice.decision == "chosen" for choice in row.choices) for row in REVIEWS.rows)
    assert chosen / len(REVIEWS.rows) == pytest.approx(PARAMETERS.teachers.chooses.value, abs=0.05)
    ranks = Counter(choice.rank for row in REVIEWS.rows for choice in row.choices if choice.decision == "chosen")
    assert ranks[1] > ranks[2] > ranks[5]


def test_districts_have_their_share_of_the_lists():
    shares = tenant_shares(2, PARAMETERS)
    assert shares.sum() == pytest.approx(1)
    assert np.bincount(REVIEWS.tenant) / len(REVIEWS.rows) == pytest.approx(shares, abs=0.05)
    assert tenant_shares(6, PARAMETERS)[-1] == pytest.approx(tenant_shares(6, PARAMETERS)[3])


def test_without_exploration_every_place_is_certain_and_with_it_near_ties_are_swapped_at_the_logged_rate():
    assert all(place.propensity == 1 for row in REVIEWS.rows for place in row.shown)
    plain, explored = simulate(600), simulate(600, exploration=0.2)
    swapped, pairs = 0, 0
    for before, after in zip(plain.rows, explored.rows, strict=True):
        assert {place.skill_id for place in before.shown} == {place.skill_id for place in after.shown}
        for upper in swapped_pairs(after):
            pairs += 1
            first, second = after.shown[upper - 1 : upper + 1]
            assert abs(first.score - second.score) < PARAMETERS.lists.near_tie.value
            moved = first.skill_id != before.shown[upper - 1].skill_id
            assert first.propensity == pytest.approx(0.2 if moved else 0.8)
            swapped += moved
    assert pairs > 200
    assert swapped / pairs == pytest.approx(0.2, abs=0.06)


def test_coaches_who_judge_the_wrong_way_round_remove_what_is_relevant():
    flipped = simulate(600, truth=unlike(), habits=["flipped", "honest"])
    gone: dict[int, list[float]] = {0: [], 1: []}
    for row, tenant in zip(flipped.rows, flipped.tenant, strict=True):
        removed = {change.skill_id for change in row.review.changes if change.action == "remove"}
        gone[int(tenant)] += [place.score for place in row.shown if place.skill_id in removed]
    assert np.mean(gone[0]) > np.mean(gone[1]) + 0.3


# Attacks


def test_one_coach_who_keeps_everything_makes_up_the_share_asked_for():
    rows = with_approving_coach(REVIEWS.rows[:300], REVIEWS.rows[300:], 0.25)
    theirs = [row for row in rows if row.coach == APPROVING_COACH]
    assert len(theirs) / len(rows) == 0.25
    assert {change.action for row in theirs for change in row.review.changes} == {"keep"}
    assert rows[:300] == list(REVIEWS.rows[:300])


def test_random_reviews_are_a_share_of_them_and_the_others_stay_as_they_were():
    rows = with_random_reviews(REVIEWS.rows, 0.1, 0.4, seed=0)
    changed = sum(after is not before for before, after in zip(REVIEWS.rows, rows, strict=True))
    assert changed / len(rows) == pytest.approx(0.1, abs=0.03)


def test_a_burst_is_within_one_hour_for_one_skill_and_by_one_tenants_coaches():
    rows = with_burst(REVIEWS.rows[:100], REVIEWS.rows[100:], CATALOGUE.ids[0], 80)
    burst = rows[100:]
    assert len(burst) == 80
    assert {row.tenant for row in burst} == {REVIEWS.rows[0].tenant}
    assert {change.skill_id for row in burst for change in row.review.changes} == {CATALOGUE.ids[0]}
    assert (burst[-1].review.reviewed_at - burst[0].review.reviewed_at).total_seconds() < 3_600
    assert len(Evidence.of(rows).rows) == 180


def test_copies_have_ids_of_their_own_and_count_once():
    rows = with_copies(REVIEWS.rows[:50])
    assert len({row.id for row in rows}) == 100
    assert len(without_copies(Evidence.of(rows).rows)) == 50
