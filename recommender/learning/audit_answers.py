"""What a model version answers to texts, and how far two answers are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recommender.cases import Case, Context, Status
from recommender.ranking.recommender import Recommender

Floats = npt.NDArray[np.float64]

# The list as far as two answers are compared; no page shows more than half of it.
PLACES = 10
SHOWN = 3
SEEN = 5
# Rank-biased overlap looks down the list with this chance at each place; the first five then hold 86% of the weight.
PERSISTENCE = 0.8

DISTANCES = ("top_1_changed", "first_3_lost", "rbo_lost", "log_odds", "status_changed")


@dataclass(frozen=True)
class Answer:
    """The status of one text, its first skills by their place in the catalogue, and all log-odds."""

    status: Status
    order: tuple[int, ...]
    log_odds: Floats
    """(skills,) before constraints; empty where nothing was ranked"""


class Answers(Protocol):
    """Whatever answers texts; the same text and context get the same answer."""

    def of(self, text: str, context: Context) -> Answer:
        """The answer to one text."""


class VersionAnswers:
    """The answers of one model version, each text asked once."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self._known: dict[tuple[str, str], Answer] = {}

    def of(self, text: str, context: Context) -> Answer:
        """The answer a teacher would get to these words alone."""
        key = (text, context.model_dump_json())
        if key not in self._known:
            ranked = self._recommender.rank_with_evidence(
                Case(case_id="audit", struggle=text, context=context, top=PLACES)
            )
            index = self._recommender.catalogue.index
            order = tuple(index[suggestion.skill_id] for suggestion in ranked.ranking.suggestions)
            log_odds = np.zeros(0) if ranked.evidence is None else ranked.evidence.score
            self._known[key] = Answer(ranked.ranking.status, order, log_odds)
        return self._known[key]


def distances(first: Answer, second: Answer) -> Floats:
    """How far apart two answers are, in the order of ``DISTANCES``; 0 where they agree.

    ``top_1_changed`` and ``status_changed`` 0 or 1; ``first_3_lost`` the share of the first three skills that is not
    among the other's; ``rbo_lost`` 1 - rank-biased overlap; ``log_odds`` mean absolute difference over the skills that
    either has among its first five. All but the status are NaN unless both were ranked.
    """
    changed = float(first.status != second.status)
    if first.status != "ranked" or second.status != "ranked":
        return np.array([np.nan, np.nan, np.nan, np.nan, changed])
    shared = len(set(first.order[:SHOWN]) & set(second.order[:SHOWN]))
    seen = sorted({*first.order[:SEEN], *second.order[:SEEN]})
    return np.array(
        [
            float(first.order[0] != second.order[0]),
            1 - shared / SHOWN,
            1 - rank_biased_overlap(first.order, second.order),
            float(np.abs(first.log_odds[seen] - second.log_odds[seen]).mean()),
            changed,
        ]
    )


def rank_biased_overlap(first: tuple[int, ...], second: tuple[int, ...], persistence: float = PERSISTENCE) -> float:
    """Extrapolated rank-biased overlap of two lists of one length, 0 to 1 (Webber, Moffat and Zobel 2010, equation 32).

    ``persistence``: the chance of going on to the next place.
    """
    depth = min(len(first), len(second))
    if not depth:
        return 1.0
    agreement = [len(set(first[:k]) & set(second[:k])) / k for k in range(1, depth + 1)]
    weights = persistence ** np.arange(1, depth + 1)
    return float((1 - persistence) / persistence * (weights @ agreement) + agreement[-1] * weights[-1])
