from __future__ import annotations

import numpy as np
import pytest

from recommender.cases import Context
from recommender.catalogue.loader import load_catalogue
from recommender.learning.signals import last_chosen
from recommender.ranking.ordering import Ordering
from recommender.training.simulate.coach_truth import ShippedScores
from recommender.training.simulate.practised import with_outcomes
from recommender.training.simulate.reviewing import simulate_reviews
from recommender.training.simulate.reviewing_parameters import load_reviewing_parameters

CATALOGUE = load_catalogue()
HABITS = load_reviewing_parameters().practise


def texts(log_odds: float) -> ShippedScores:
    """Texts for which every skill has the same log-odds."""
    words = np.full((20, len(CATALOGUE)), log_odds)
    return ShippedScores("made-up", (Context(),) * 20, words, np.zeros_like(words), 0.0, Ordering(CATALOGUE, 0.0))


def outcomes(log_odds: float, seed: int = 3):
    of = texts(log_odds)
    return with_outcomes(seed, simulate_reviews(seed, 400, tenants=2, texts=of), of)


def test_of_the_chosen_skills_a_known_share_is_practised_and_of_no_other():
    rows = outcomes(0.0)
    chosen = [row for row in rows if last_chosen(row) is not None]
    practised = [row for row in rows if row.outcome is not None]
    assert all(row.outcome.skill_id == last_chosen(row) for row in practised)
    assert len(practised) / len(chosen) == pytest.approx(HABITS.share.value, abs=0.08)


@pytest.mark.parametrize(("log_odds", "part"), [(9.0, HABITS.needed), (-9.0, HABITS.not_needed)])
def test_a_needed_skill_is_seldom_seen_before_and_more_after_and_another_was_there(log_odds, part):
    found = [row.outcome for row in outcomes(log_odds) if row.outcome is not None]
    assert len(found) > 60
    looks = HABITS.looks.value
    assert np.mean([one.before_seen for one in found]) / looks == pytest.approx(part.before, abs=0.07)
    assert np.mean([one.after_seen for one in found]) / looks == pytest.approx(part.after, abs=0.07)


def test_the_same_seed_gives_the_same_and_the_rows_are_otherwise_as_they_were():
    first, again = outcomes(0.0), outcomes(0.0)
    assert first == again and outcomes(0.0, 4) != first
    plain = simulate_reviews(3, 400, tenants=2, texts=texts(0.0)).rows
    assert [row.model_copy(update={"outcome": None}) for row in first] == list(plain)
