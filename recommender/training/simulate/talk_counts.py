"""Simulated talk-move counts: how many of a lesson's teacher sentences were which move."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from recommender.observations import scores as column
from recommender.training.simulate.components import Floats
from recommender.training.simulate.district_parameters import MoveRate, TalkCountParameters
from recommender.training.simulate.parameters import load_parameters
from recommender.training.simulate.population import Integers, numbered

TALKMOVES = "talkmoves"
SENTENCES = "teacher_sentences"


@dataclass(frozen=True)
class TalkCounts:
    """Lessons with their counts.

    ``sentences`` (lessons,) teacher sentences, the denominator; ``rates`` (lessons, moves) true shares of them;
    ``counts`` (lessons, moves). The source has no teacher ids, so a lesson's rate is not split into teacher and lesson.
    """

    moves: tuple[str, ...]
    sentences: Integers
    rates: Floats
    counts: Integers


def simulate_talk_counts(lessons: int, seed: int, parameters: TalkCountParameters | None = None) -> TalkCounts:
    """Beta-binomial counts: a rate per lesson and move from a beta distribution, then binomial on the sentences.

    Moves are independent of one another; a rate of its own per move leaves their sum below 1 in practice (mean .36),
    and counts are capped so that a lesson never has more moves than sentences.
    """
    parameters = parameters or load_parameters().talk_counts
    rng = np.random.default_rng(seed)
    length = parameters.sentences
    drawn = np.exp(np.log(length.median) + length.log_sd * rng.standard_normal(lessons))
    sentences = np.maximum(np.rint(drawn), length.minimum).astype(np.int64)
    rates = np.stack([rng.beta(*beta_shape(move), size=lessons) for move in parameters.moves.values()], axis=1)
    counts = np.empty(rates.shape, dtype=np.int64)
    left = sentences.copy()
    for move in range(rates.shape[1]):
        counts[:, move] = np.minimum(rng.binomial(sentences, rates[:, move]), left)
        left -= counts[:, move]
    return TalkCounts(tuple(parameters.moves), sentences, rates, counts)


def beta_shape(move: MoveRate) -> tuple[float, float]:
    """The two shape numbers of the beta distribution with a move's mean and SD (method of moments)."""
    size = move.mean * (1 - move.mean) / move.sd**2 - 1
    return move.mean * size, (1 - move.mean) * size


def talk_score_table(talk: TalkCounts, observed_on: date = date(2025, 9, 1), prefix: str = "sim") -> pd.DataFrame:
    """The counts as a score table of the instrument ``talkmoves``: each lesson a teacher of its own, coded by hand.

    One row per lesson and item, the denominator ``teacher_sentences`` first.
    """
    teachers = numbered(f"{prefix}-t", len(talk.sentences))
    items = (SENTENCES, *talk.moves)
    lesson = [teacher for teacher in teachers for _ in items]
    return pd.DataFrame(
        {
            column.TEACHER: lesson,
            column.VISIT: [f"{teacher}-v1" for teacher in lesson],
            column.OBSERVED_ON: pd.Timestamp(observed_on),
            column.OBSERVER: column.UNKNOWN_OBSERVER,
            column.INSTRUMENT: TALKMOVES,
            column.ITEM: items * len(teachers),
            column.VALUE: np.column_stack([talk.sentences, talk.counts]).ravel().astype(np.float64),
            column.TENANT: "",
            column.SCHOOL: "",
            column.SEGMENT: 0,
            column.OBSERVATION_TYPE: "research",
            column.OBSERVER_ROLE: "external",
            column.NOTE: "",
        }
    )
