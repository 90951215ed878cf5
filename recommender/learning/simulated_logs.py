"""Simulated logs of shown lists whose every chance is known, so that off-policy intervals can be held to the truth.

A world is a fixed set of contexts with true chances of an event per skill. Each teacher has a home of alike contexts
and an own rate of events, so lists of one teacher go together. The shown order comes from noisy scores; two neighbours
that nearly tie swap places by chance, as exploration does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from recommender.learning.off_policy_lists import ExaminationModel, Floats, ListLog, importance_weights

Integers: TypeAlias = npt.NDArray[np.int64]
Candidate = Literal["near", "far", "new"]

HOMES, ALIKE, SKILLS = 50, 8, 12
CURVE = (1.0, 0.75, 0.6, 0.5, 0.45)
# A curve that people do not follow, for the report's check of what a wrong one does.
FLAT_CURVE = (1.0, 0.9, 0.82, 0.76, 0.72)
NEAR_TIE = 0.25
LISTS_A_TEACHER = 5
# Spread of a teacher's own rate of events around the mean, as a share of it.
OWN_RATE = 0.3
# No more than two pairs of a list can swap: 00, 10, 01, 11.
PATTERNS = ((False, False), (True, False), (False, True), (True, True))


@dataclass(frozen=True)
class LogWorld:
    """Contexts with what is true, shown and proposed in each. Arrays are (contexts, ...)."""

    chance: Floats
    """(contexts, skills): true chance of an event where looked."""
    score: Floats
    new_score: Floats
    good_model: Floats
    """A reward model near the truth."""
    wrong_model: Floats
    """One that takes the best skills for the worst."""
    base: Integers
    """(contexts, places): the shown order before swaps."""
    swaps: Integers
    """(contexts, 2): upper places of the pairs that may swap, -1 for none."""

    @property
    def rows(self) -> Integers:
        """Numbers of the contexts as a column."""
        return np.arange(len(self.chance))[:, None]


def make_world(seed: int) -> LogWorld:
    """A world of 400 contexts, 12 skills and lists of five; about every third list has a near tie."""
    rng = np.random.default_rng(seed)
    contexts = HOMES * ALIKE
    true = -0.6 + np.repeat(rng.normal(0, 0.6, (HOMES, SKILLS)), ALIKE, axis=0) + rng.normal(0, 0.8, (contexts, SKILLS))
    score = true + rng.normal(0, 0.6, true.shape)
    base = np.argsort(-score, axis=1)[:, : len(CURVE)]
    return LogWorld(
        chance=expit(true),
        score=score,
        new_score=true + rng.normal(0, 0.4, true.shape),
        good_model=expit(true + rng.normal(0, 0.2, true.shape)),
        wrong_model=0.9 - 0.8 * expit(true),
        base=base,
        swaps=_near_ties(np.take_along_axis(score, base, axis=1)),
    )


def _near_ties(scores: Floats) -> Integers:
    """The first two pairs of neighbours, from the top and without overlap, that nearly tie."""
    swaps = np.full((len(scores), 2), -1)
    for context, values in enumerate(scores):
        place, found = 0, 0
        while place < len(values) - 1 and found < 2:
            if values[place] - values[place + 1] < NEAR_TIE:
                swaps[context, found] = place
                found, place = found + 1, place + 1
            place += 1
    return swaps


def candidate_order(world: LogWorld, candidate: Candidate) -> Integers:
    """``near``: near ties in new order; ``far``: all shown skills in new order; ``new``: skills never shown too."""
    if candidate == "new":
        return np.argsort(-world.new_score, axis=1)[:, : world.base.shape[1]]
    scores = np.take_along_axis(world.new_score, world.base, axis=1)
    if candidate == "far":
        return np.take_along_axis(world.base, np.argsort(-scores, axis=1), axis=1)
    order = world.base
    for pair in (0, 1):
        upper = world.swaps[:, pair]
        better = np.take_along_axis(scores, upper[:, None] + 1, axis=1) > np.take_along_axis(scores, upper[:, None], 1)
        order = _swapped(order, np.where((upper >= 0) & better[:, 0], upper, -1))
    return order


def _swapped(order: Integers, upper: Integers) -> Integers:
    """Each row with the skills at ``upper`` and the next place exchanged; -1 leaves it."""
    result = order.copy()
    rows = np.flatnonzero(upper >= 0)
    above = upper[rows]
    result[rows, above], result[rows, above + 1] = order[rows, above + 1], order[rows, above]
    return result


@dataclass(frozen=True)
class ShownLists:
    """What the logger can show: (contexts, patterns, places) skills and (contexts, patterns) chances."""

    skill: Integers
    chance: Floats


def shown_lists(world: LogWorld, rate: float) -> ShownLists:
    """The four swap patterns of every context with their chances under an exploration ``rate``."""
    skills, chances = [], []
    for pattern in PATTERNS:
        order, chance = world.base, np.ones(len(world.base))
        for upper, swap in zip(world.swaps.T, pattern, strict=True):
            order = _swapped(order, upper) if swap else order
            chance = chance * np.where(upper >= 0, rate if swap else 1 - rate, 0.0 if swap else 1.0)
        skills.append(order)
        chances.append(chance)
    return ShownLists(np.stack(skills, axis=1), np.stack(chances, axis=1))


def per_pattern(
    world: LogWorld, shown: ShownLists, order: Integers, model: ExaminationModel, curve: tuple[float, ...]
) -> ListLog:
    """One entry a (context, pattern), as lists of a log without events: all that a drawn list looks up."""
    contexts, patterns, places = shown.skill.shape
    looked = np.array(curve)
    stands = np.zeros((contexts, SKILLS, places))
    for pattern in range(patterns):
        stands[world.rows, shown.skill[:, pattern], np.arange(places)] += shown.chance[:, pattern, None]
    proposed = np.zeros_like(stands)
    proposed[world.rows, order, np.arange(places)] = 1.0
    at = np.arange(contexts)[:, None, None], shown.skill
    if model == "position_based":
        weight = importance_weights((proposed @ looked)[at], (stands @ looked)[at])
        supported = (stands.sum(axis=2) > 0)[world.rows, order]
    else:
        weight = importance_weights(proposed[*at, np.arange(places)], stands[*at, np.arange(places)])
        supported = stands[world.rows, order, np.arange(places)] > 0
    lists = contexts * patterns
    return ListLog(
        teacher=np.repeat(np.arange(contexts), patterns),
        events=np.zeros((lists, places)),
        examination=np.broadcast_to(looked, (lists, places)),
        weight=weight.reshape(lists, places),
        supported=np.repeat(supported, patterns, axis=0),
        predicted_shown=world.good_model[at].reshape(lists, places),
        predicted_candidate=np.repeat(world.good_model[world.rows, order], patterns, axis=0),
    )


def with_model(log: ListLog, world: LogWorld, shown: ShownLists, order: Integers, predicted: Floats) -> ListLog:
    """The entries of ``per_pattern`` with another reward model."""
    at = np.arange(len(order))[:, None, None], shown.skill
    return replace(
        log,
        predicted_shown=predicted[at].reshape(log.events.shape),
        predicted_candidate=np.repeat(predicted[world.rows, order], shown.skill.shape[1], axis=0),
    )


def true_value(world: LogWorld, order: Integers) -> float:
    """Expected events a list if ``order`` were shown."""
    return float((world.chance[world.rows, order] @ np.array(CURVE)).mean())


def true_shown(world: LogWorld, shown: ShownLists) -> float:
    """Expected events a list as it is shown, swaps included."""
    events = world.chance[np.arange(len(world.chance))[:, None, None], shown.skill] @ np.array(CURVE)
    return float((events * shown.chance).sum(axis=1).mean())


@dataclass(frozen=True)
class DrawnLogs:
    """Some logs of the same teachers: (logs, n) entries of ``per_pattern`` and (logs, n, places) events."""

    teacher: Integers
    entry: Integers
    events: Floats


def draw_logs(
    world: LogWorld, shown: ShownLists, lists: int, logs: int, seed: int | Sequence[int], at_once: int = 50
) -> Iterator[DrawnLogs]:
    """``logs`` independent logs of ``lists`` lists, ``at_once`` a time; a fifth as many teachers, one list or more."""
    rng = np.random.default_rng(seed)
    teachers = lists // LISTS_A_TEACHER
    teacher = np.sort(np.append(np.arange(teachers), rng.integers(teachers, size=lists - teachers)))
    reached = shown.chance.cumsum(axis=1)[:, :-1]
    places = shown.skill.shape[2]
    happens = world.chance[np.arange(len(world.chance))[:, None, None], shown.skill] * np.array(CURVE)
    happens = happens.reshape(-1, places)
    for start in range(0, logs, at_once):
        size = min(at_once, logs - start)
        home = rng.integers(HOMES, size=(size, teachers))[:, teacher]
        own = 1 + rng.uniform(-OWN_RATE, OWN_RATE, (size, teachers))[:, teacher]
        context = home * ALIKE + rng.integers(ALIKE, size=(size, lists))
        pattern = (rng.random((size, lists, 1)) >= reached[context]).sum(axis=2)
        entry = context * len(PATTERNS) + pattern
        events = rng.random((size, lists, places)) < happens[entry] * own[..., None]
        yield DrawnLogs(teacher, entry, events.astype(np.float64))
