"""Now and then swaps two near-tied suggestions, so that later what a place adds can be told from what a skill adds."""

from __future__ import annotations

import hashlib

import numpy as np

from recommender.cases import Ranking, Suggestion
from recommender.errors import SettingsError

# Log-odds. At a probability of a half it is 6 points of a hundred: less than the model can promise to tell apart.
NEAR_TIE = 0.25
MAX_RATE = 0.2
NO_EXPLORATION = 0.0


def explore(ranking: Ranking, rate: float, seed_text: str) -> tuple[Ranking, tuple[float, ...]]:
    """The ranking with each near tie swapped at a chance of ``rate``, and each place's propensity, rank 1 first.

    Pairs of neighbours whose scores differ by less than ``NEAR_TIE`` are taken from the top, none sharing a place, and
    drawn for one by one; ``seed_text`` decides the draws, so the same text gives the same answer. Both places of a pair
    have the propensity ``rate`` when it was swapped and ``1 - rate`` when not, all others 1. Scores and reasons stay
    with their skill. Rate 0 gives the ranking itself back.

    Raises SettingsError for a rate outside 0 to ``MAX_RATE``.
    """
    if not 0 <= rate <= MAX_RATE:
        raise SettingsError(f"an exploration rate of {rate}", wanted=f"0 to {MAX_RATE}")
    order = list(ranking.suggestions)
    propensities = [1.0] * len(order)
    if rate == NO_EXPLORATION:
        return ranking, tuple(propensities)
    draws = np.random.default_rng(_seed(seed_text)).random(len(order))
    upper = 0
    while upper < len(order) - 1:
        if not _is_near_tie(order[upper], order[upper + 1]):
            upper += 1
            continue
        is_swapped = bool(draws[upper] < rate)
        if is_swapped:
            order[upper], order[upper + 1] = order[upper + 1], order[upper]
        propensities[upper] = propensities[upper + 1] = rate if is_swapped else 1 - rate
        upper += 2
    if order == ranking.suggestions:
        return ranking, tuple(propensities)
    placed = [suggestion.model_copy(update={"rank": rank}) for rank, suggestion in enumerate(order, start=1)]
    return ranking.model_copy(update={"suggestions": placed}), tuple(propensities)


def _is_near_tie(first: Suggestion, second: Suggestion) -> bool:
    return abs(first.score - second.score) < NEAR_TIE


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
