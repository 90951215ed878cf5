"""Cases of simulated districts as inputs of the fusion: words, needs, notes and interests beside a coach's grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from recommender.catalogue.instruments import Instruments, load_instruments
from recommender.catalogue.loader import Catalogue
from recommender.observations.needs import estimate_needs
from recommender.observations.skill_map import SkillMap, steering_shares
from recommender.observations.teacher_needs import lead_of
from recommender.training.simulate.districts import District, simulate_district
from recommender.training.simulate.labelled_texts import LabelledTexts

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SimulatedCases:
    """Inputs of many cases, all (cases, skills) but ``visits``."""

    words: Array
    """Calibrated log-odds of the words alone"""
    need: Array
    """Need per skill; 0 where no scored item speaks for it"""
    variance: Array
    """Of the need"""
    lead: Array
    """How much of what the items are about the skill is, 0 to 1"""
    note: Array
    """Mean note's log-probability against the prior; 0 without a note"""
    interest: Array
    """1 for skills of a domain the teacher named"""
    grade: Array
    """A coach's grade, 0 to 3"""
    visits: npt.NDArray[np.int64]
    """(cases,)"""

    @classmethod
    def join(cls, parts: Sequence[SimulatedCases]) -> SimulatedCases:
        """All parts as one."""
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)})


@dataclass(frozen=True)
class Texts:
    """Labelled texts with what the words alone say of them, and observers' notes."""

    struggles: LabelledTexts
    words: Array
    """(struggles, skills) calibrated log-odds"""
    notes: LabelledTexts
    log_prior: Array
    """(skills,) log of the prior's shares"""


def simulated_cases(seed: int, teachers: int, visits: int, texts: Texts, catalogue: Catalogue) -> SimulatedCases:
    """The cases of one seeded district whose every teacher was seen ``visits`` times."""
    instruments = load_instruments()
    district = simulate_district(seed, teachers, visits, texts.struggles, texts.notes, instruments=instruments)
    need, variance, lead = _skill_needs(district, instruments, catalogue)
    domains = np.array([skill.domain for skill in catalogue])
    return SimulatedCases(
        words=texts.words[district.text_rows],
        need=need,
        variance=variance,
        lead=lead,
        note=_notes(district, texts),
        interest=np.array([np.isin(domains, named) for named in district.interests]).astype(np.float64),
        grade=district.grades.astype(np.float64),
        visits=np.full(teachers, visits),
    )


def _skill_needs(district: District, instruments: Instruments, catalogue: Catalogue) -> tuple[Array, Array, Array]:
    estimate = estimate_needs(district.scores, instruments)
    place = {name: row for row, name in enumerate(district.teacher_ids)}
    need, variance, lead = (np.zeros((len(district.teacher_ids), len(catalogue))) for _ in range(3))
    for group in estimate.groups:
        weights = SkillMap.of(group.items, instruments, catalogue)
        shares = weights.shares(group.observed)
        for i, teacher in enumerate(group.teacher):
            row = place[estimate.ratings.teachers[teacher]]
            scored = np.flatnonzero(group.observed[i])
            lead[row] = lead_of(weights.weights[scored], shares[i][scored])
            if group.flat[i]:
                continue
            steered = steering_shares(shares[i], group.gain[i], group.observed[i])
            need[row] = group.need[i] @ steered
            variance[row] = (steered * (group.covariance[i] @ steered)).sum(axis=0)
    return need, variance, lead


def _notes(district: District, texts: Texts) -> Array:
    result = np.zeros((len(district.note_rows), texts.notes.log_p.shape[1]))
    for row, notes in enumerate(district.note_rows):
        if len(notes):
            result[row] = texts.notes.log_p[notes].mean(axis=0) - texts.log_prior
    return result
