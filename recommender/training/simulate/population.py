"""Simulated teachers: their true scores, what they truly need, and how often each is visited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.training.simulate.components import Component, Floats
from recommender.training.simulate.score_parameters import Visits

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Population:
    """Teachers of known skill.

    ``theta`` (teachers, items): true scores in latent SD units, higher is better. ``true_need`` (teachers, items):
    minus theta, centred within the teacher, so positive = more room to grow than on the teacher's other items.
    """

    teacher_ids: tuple[str, ...]
    theta: Floats

    @property
    def true_need(self) -> Floats:
        """(teachers, items) true need; every row sums to 0."""
        return need_of(self.theta)

    def __len__(self) -> int:
        return len(self.teacher_ids)


def need_of(theta: Floats) -> Floats:
    """(teachers, items) need of true scores: minus the distance from the teacher's own mean."""
    need: Floats = theta.mean(axis=1, keepdims=True) - theta
    return need


def draw_population(rng: np.random.Generator, component: Component, teachers: int, prefix: str = "sim") -> Population:
    """``teachers`` independent teachers with ids ``<prefix>-t1`` ... zero-padded to one width."""
    return Population(numbered(f"{prefix}-t", teachers), component.draw(rng, teachers))


def numbered(stem: str, count: int) -> tuple[str, ...]:
    """``<stem>01``, ``<stem>02`` ...: ids of one width (at least two digits), so that they sort as numbers."""
    width = max(2, len(str(count)))
    return tuple(f"{stem}{number:0{width}d}" for number in range(1, count + 1))


def draw_visit_counts(rng: np.random.Generator, visits: Visits, teachers: int) -> Integers:
    """(teachers,) visits of each teacher in a year: a group by its share, then uniform within the group."""
    shares = np.array([group.share for group in visits.groups])
    group = rng.choice(len(shares), size=teachers, p=shares / shares.sum())
    low = np.array([group.low for group in visits.groups])[group]
    high = np.array([group.high for group in visits.groups])[group]
    counts: Integers = rng.integers(low, high, endpoint=True)
    return counts
