"""The fit of the weights of observations adds needs by the formula the ranking uses."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.observations.teacher_needs import TeacherNeeds
from recommender.ranking.observation_weights import Weights, need_effects
from recommender.training.observed_fit import need_part, observed_scores
from recommender.training.simulated_cases import SimulatedCases

# Skill 0: both items, equally; skill 1: the first item alone, half as foremost; skill 2: nothing.
NEEDS = TeacherNeeds(
    items=(("rubric", "a"), ("rubric", "b")),
    need=np.array([0.8, -0.4]),
    covariance=np.array([[0.36, 0.1], [0.1, 0.25]]),
    shares=np.array([[0.5, 1.0, 0.0], [0.5, 0.0, 0.0]]),
    lead=np.array([1.0, 0.5, 0.0]),
    visits=(2, 2),
    grade="B",
    notices=(),
)
WEIGHTS = Weights(intercept=-0.25, words=0.5, need=2.0, note=0.25, interest=0.125)


def cases() -> SimulatedCases:
    one = np.ones((1, 3))
    return SimulatedCases(
        words=-2 * one,
        need=NEEDS.need[None, :] @ NEEDS.shares,
        variance=NEEDS.skill_sd[None, :] ** 2,
        lead=NEEDS.lead[None, :],
        note=4 * one,
        interest=np.array([[0.0, 1.0, 0.0]]),
        grade=0 * one,
        visits=np.array([2]),
    )


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0, 20.0])
def test_needs_add_in_the_fit_what_they_add_in_the_ranking(weight: float) -> None:
    assert need_part(cases(), weight)[0] == pytest.approx(need_effects(NEEDS, weight).sum(axis=0), rel=1e-12)


def test_the_parts_of_a_score_add_up_by_hand() -> None:
    # Skill 1: slope 1, variance .36, need .8. Skill 2: no need. Words -1, notes 1, intercept -.25 everywhere.
    moderated = 0.8 / np.sqrt(1 + np.pi / 8 * 0.36)
    scores = observed_scores(cases(), cases().words, WEIGHTS)
    assert scores[0, 1:] == pytest.approx([-0.25 + moderated + 0.125, -0.25])
