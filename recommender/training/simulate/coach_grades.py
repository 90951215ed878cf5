"""The simulated coach: reads the words, knows the class, and grades the skills as a labeller does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recommender.training.simulate.components import Floats
from recommender.training.simulate.district_parameters import TruthParameters

Grades = npt.NDArray[np.int8]


def coach_value(shares: npt.NDArray[np.floating], need: Floats, truth: TruthParameters) -> Floats:
    """(teachers, skills) worth of starting with a skill: log(share + epsilon) + need_weight x need.

    ``shares`` (teachers, skills): target shares of the text each teacher wrote.
    """
    value: Floats = np.log(shares.astype(np.float64) + truth.epsilon) + truth.need_weight * need
    return value


def coach_grades(value: Floats, truth: TruthParameters) -> Grades:
    """(teachers, skills) grades: 3 start here, 2 could well start here, 1 comes up later, 0 not named.

    The best skill gets 3. Of the others, in order of value (ties in catalogue order), up to ``second_most`` within
    ``second_within`` of the best get 2, and the next up to ``third_most`` within ``third_within`` get 1.
    """
    order = np.argsort(-value, axis=1, kind="stable")
    gap = value.max(axis=1, keepdims=True) - np.take_along_axis(value, order, axis=1)
    seconds = np.minimum((gap[:, 1:] <= truth.second_within).sum(axis=1), truth.second_most)
    near = (gap[:, 1:] <= truth.third_within).sum(axis=1)
    thirds = np.clip(near - seconds, 0, truth.third_most)
    place = np.arange(value.shape[1])[None, :]
    ordered = np.zeros(value.shape, dtype=np.int8)
    ordered[place <= (seconds + thirds)[:, None]] = 1
    ordered[place <= seconds[:, None]] = 2
    ordered[:, 0] = 3
    grades = np.zeros_like(ordered)
    np.put_along_axis(grades, order, ordered, axis=1)
    return grades
