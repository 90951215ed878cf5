"""Trained weights of what observers saw, and how they are mixed with the teacher's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from recommender.observations.teacher_needs import TeacherNeeds

Array = npt.NDArray[np.float64]
NonNegative = Annotated[float, Field(ge=0)]


class Weights(BaseModel):
    """Weights of one way to rank: with words and observations, or with observations alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    intercept: float
    words: NonNegative
    """Factor of the words' part of the score; of the skills' prior where there are no words"""
    need: NonNegative
    """Log-odds per SD of own-normed need on a skill"""
    note: NonNegative
    """Factor of the mean note's log-odds"""
    interest: NonNegative
    """Added to skills of the domains the teacher is interested in"""


class ObservationWeights(BaseModel):
    """Weights of both ways, fitted on simulated districts with out-of-fold texts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    with_words: Weights
    alone: Weights


@dataclass(frozen=True)
class Mix:
    """How far words and observations count: the trained weights at 0.5, words only at 0, observations only at 1."""

    words: float
    """1 up to a mix of 0.5, then falling to 0"""
    observations: float
    """Rising to 1 at a mix of 0.5"""

    @classmethod
    def of(cls, mix: float) -> Mix:
        """From the case's ``mix``, 0 to 1."""
        return cls(words=min(1.0, 2 * (1 - mix)), observations=min(1.0, 2 * mix))

    def blend(self, weights: ObservationWeights) -> Weights:
        """Weights between both ways, with ``words`` the share of the way that has words.

        At no observations at all the words' score stands as it is: intercept 0, factor 1.
        """
        share, seen = self.words, self.observations
        with_words, alone = weights.with_words, weights.alone
        return Weights(
            intercept=share * seen * with_words.intercept + (1 - share) * alone.intercept,
            words=1 + seen * (with_words.words - 1),
            need=seen * (share * with_words.need + (1 - share) * alone.need),
            note=seen * (share * with_words.note + (1 - share) * alone.note),
            interest=seen * (share * with_words.interest + (1 - share) * alone.interest),
        )


def need_effects(needs: TeacherNeeds, weight: float) -> Array:
    """(items, skills) log-odds that each item's need adds.

    ``weight * lead * share * need / sqrt(1 + pi/8 * (weight * lead * SD)^2)``: the expectation of a logistic over an
    uncertain need (MacKay 1992), so that a wider SD always pulls less.
    """
    slope = weight * needs.lead
    moderation = 1 / np.sqrt(1 + np.pi / 8 * (slope * needs.skill_sd) ** 2)
    effects: Array = (slope * moderation)[None, :] * needs.shares * needs.need[:, None]
    return effects
