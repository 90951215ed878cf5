"""How much a signal counts, given who else said how much: no person and no burst outweighs the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from recommender.learning.evidence import EvidenceRow
from recommender.learning.parameters import WeightParameters
from recommender.learning.signals import Integers, SignalKind, said_at

Floats = npt.NDArray[np.float64]


def capped(count: Integers, cap: int) -> Floats:
    """Weight of each of ``count`` signals: 1 up to the cap; beyond it only the square root of the rest counts.

    n signals count as ``min(n, cap) + sqrt(max(n - cap, 0))`` in all.
    """
    n = np.asarray(count, dtype=np.float64)
    result: Floats = (np.minimum(n, cap) + np.sqrt(np.maximum(n - cap, 0))) / np.maximum(n, 1)
    return result


def signal_weights(
    rows: Sequence[EvidenceRow],
    row: Integers,
    kinds: Sequence[SignalKind],
    skills: Sequence[int],
    parameters: WeightParameters,
) -> Floats:
    """(signals,) weights of signals of ``rows``: by person and by burst, multiplied.

    A coach is known within a tenant; reviews of coaches whose data were deleted count as one coach's. A burst is what
    was said of one skill within one tenant in one stretch of ``burst_minutes``.
    """
    by_coach = Counter((each.tenant, each.coach) for each in rows if each.review is not None)
    by_teacher = Counter((each.tenant, each.teacher) for each in rows if each.choices)
    coach = np.array([by_coach[each.tenant, each.coach] for each in rows], dtype=np.int64)
    teacher = np.array([by_teacher[each.tenant, each.teacher] for each in rows], dtype=np.int64)
    person = np.where(
        [kind in ("chosen", "declined") for kind in kinds],
        capped(teacher, parameters.teacher_choices.value)[row],
        capped(coach, parameters.coach_reviews.value)[row],
    )
    bursts = [burst_of(rows[at], kind, skill, parameters) for at, kind, skill in zip(row, kinds, skills, strict=True)]
    count = Counter(bursts)
    burst = capped(np.array([count[each] for each in bursts], dtype=np.int64), parameters.burst_signals.value)
    result: Floats = person * burst
    return result


def burst_of(row: EvidenceRow, kind: SignalKind, skill: int, parameters: WeightParameters) -> tuple[str, int, int]:
    """The tenant, skill and stretch of time a signal belongs to."""
    minutes = int(said_at(row, kind).timestamp() // 60)
    return row.tenant, skill, minutes // parameters.burst_minutes.value


def without_copies(rows: Sequence[EvidenceRow]) -> tuple[EvidenceRow, ...]:
    """The rows, of copies the first only: a list and what was said of it count once, however often they were sent."""
    first: dict[Hashable, EvidenceRow] = {}
    for row in rows:
        first.setdefault(fingerprint(row), row)
    return tuple(first.values())


def fingerprint(row: EvidenceRow) -> Hashable:
    """What copies of one row have in common, whatever their ids and times: who, which case, which list, what was said.

    The same list of the same case with the same words about it, said again, is a copy as well.
    """
    changes = [(change.skill_id, change.action, change.to_rank) for change in row.review.changes] if row.review else []
    return (
        (row.tenant, row.teacher, row.coach, row.case),
        tuple((place.skill_id, place.score) for place in row.shown),
        (row.review is not None, *changes),
        tuple((choice.skill_id, choice.decision) for choice in row.choices),
    )


def kish(weight: Floats) -> float:
    """Effective sample size of weighted signals: ``(sum w)^2 / sum w^2`` (Kish 1965); 0 for none."""
    total = float((weight**2).sum())
    return float(weight.sum() ** 2 / total) if total else 0.0
