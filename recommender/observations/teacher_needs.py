"""One teacher's needs as the ranking uses them: items, skills they speak for, how much was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.cases import EvidenceGrade
from recommender.catalogue.instruments import Instruments
from recommender.catalogue.loader import Catalogue
from recommender.observations.evidence import evidence_grade
from recommender.observations.need_tables import teacher_notices
from recommender.observations.needs import Estimate, estimate_needs
from recommender.observations.norms import Norms
from recommender.observations.notices import Notice
from recommender.observations.skill_map import SkillMap, steering_shares

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TeacherNeeds:
    """Needs on the items scored and what they mean for every skill.

    A skill's need is ``shares.T @ need``, its variance ``shares.T @ covariance @ shares``.
    """

    items: tuple[tuple[str, str], ...]
    """(instrument id, item code) of the items scored"""
    need: Array
    """(items,)"""
    covariance: Array
    """(items, items)"""
    shares: Array
    """(items, skills); columns sum to 1, or to 0 where the scores say nothing on a skill"""
    lead: Array
    """(skills,) 0 to 1: how much of what the items are about the skill is; 1 for an item's foremost skill"""
    visits: tuple[int, ...]
    """(items,) number of visits behind each need"""
    grade: EvidenceGrade
    notices: tuple[Notice, ...]

    @property
    def skill_sd(self) -> Array:
        """(skills,) SD of each skill's need; 0 where no item speaks for it."""
        variance = (self.shares * (self.covariance @ self.shares)).sum(axis=0)
        sd: Array = np.sqrt(np.maximum(variance, 0.0))
        return sd

    @property
    def gives_order(self) -> bool:
        """Whether anything tells the teacher's items apart."""
        return len(self.items) > 1 and "flat_profile" not in self.notices


class NeedReader:
    """Reads one teacher's scores with fixed norms, so that nobody else's scores change the answer.

    ``norms_hold_scores`` says that the norms were fitted on a file with these very scores: the teacher's own are then
    left out of the severities.
    """

    def __init__(
        self, instruments: Instruments, catalogue: Catalogue, norms: Norms, *, norms_hold_scores: bool = False
    ) -> None:
        self.instruments = instruments
        self.catalogue = catalogue
        self.norms = norms
        self.norms_hold_scores = norms_hold_scores

    def read(self, scores: pd.DataFrame) -> TeacherNeeds | None:
        """Needs from one teacher's rows of a score table; None when none of them is an observed score."""
        estimate = estimate_needs(scores, self.instruments, self.norms, norms_hold_scores=self.norms_hold_scores)
        return self._of_only_teacher(estimate)

    def _of_only_teacher(self, estimate: Estimate) -> TeacherNeeds | None:
        if not estimate.groups:
            return None
        (group,) = estimate.groups
        ratings = estimate.ratings
        scored = np.flatnonzero(group.observed[0])
        items = tuple(group.items[i] for i in scored)
        weights = SkillMap.of(group.items, self.instruments, self.catalogue)
        shares = weights.shares(group.observed)[0]
        steered = steering_shares(shares, group.gain[0], group.observed[0])[scored]
        place = {item: position for position, item in enumerate(ratings.items)}
        rows = [ratings.item == place[item] for item in items]
        return TeacherNeeds(
            items=items,
            need=group.need[0][scored],
            covariance=group.covariance[0][np.ix_(scored, scored)],
            shares=steered,
            lead=lead_of(weights.weights[scored], shares[scored]),
            visits=tuple(len(np.unique(ratings.lesson[row])) for row in rows),
            grade=evidence_grade(len(np.unique(ratings.lesson)), len(np.unique(ratings.rater))),
            notices=teacher_notices(estimate)[0],
        )


def lead_of(weights: Array, shares: Array) -> Array:
    """Each skill's weight in its items as a fraction of the items' foremost skill's, averaged by its shares."""
    foremost = weights.max(axis=1, keepdims=True)
    relative = np.divide(weights, foremost, out=np.zeros_like(weights), where=foremost > 0)
    lead: Array = (relative * shares).sum(axis=0)
    return lead
