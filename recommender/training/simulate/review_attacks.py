"""Attacks on learning from reviews, and accidents: what evidence looks like when somebody, or a file, goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from recommender.learning.evidence import EvidenceRow, ReviewGiven, SkillChange

APPROVING_COACH = "approving-coach"


def with_approving_coach(rows: Sequence[EvidenceRow], spare: Sequence[EvidenceRow], share: float) -> list[EvidenceRow]:
    """The rows and so many of ``spare`` that ``share`` of all are reviews by one coach who keeps everything."""
    n = round(len(rows) * share / (1 - share))
    tenant = rows[0].tenant
    return [*rows, *(_approved(row, tenant) for row in spare[:n])]


def with_random_reviews(rows: Sequence[EvidenceRow], share: float, removal: float, seed: int) -> list[EvidenceRow]:
    """A ``share`` of the reviews made at random: each skill is removed with chance ``removal``, else kept."""
    rng = np.random.default_rng(seed)
    result = []
    for row in rows:
        hit, removed = rng.random() < share, rng.random(len(row.shown)) < removal
        changes = [
            SkillChange(skill_id=place.skill_id, action="remove" if gone else "keep")
            for place, gone in zip(row.shown, removed, strict=True)
        ]
        result.append(_reviewed(row, changes) if hit else row)
    return result


def with_burst(rows: Sequence[EvidenceRow], spare: Sequence[EvidenceRow], skill_id: str, n: int) -> list[EvidenceRow]:
    """``n`` more reviews within one hour by the coaches of one tenant, all for one skill and about nothing else."""
    tenant = rows[0].tenant
    coaches = sorted({str(row.coach) for row in rows if row.tenant == tenant})
    start = rows[-1].shown_at.replace(minute=0) + timedelta(hours=1)
    burst = []
    for number, row in enumerate(spare[:n]):
        moment = start + timedelta(seconds=3_599 * number / n)
        shown = any(place.skill_id == skill_id for place in row.shown)
        change = SkillChange(skill_id=skill_id, action="move" if shown else "add", to_rank=1)
        burst.append(
            row.model_copy(
                update={
                    "tenant": tenant,
                    "coach": coaches[number % len(coaches)],
                    "shown_at": moment,
                    "review": ReviewGiven(reviewed_at=moment, changes=[change]),
                    "choices": [],
                }
            )
        )
    return [*rows, *burst]


def with_copies(rows: Sequence[EvidenceRow], apart: timedelta = timedelta(0)) -> list[EvidenceRow]:
    """Every row twice, the second under another id and ``apart`` later."""
    copies = (
        row.model_copy(update={"id": f"{row.id}-copy", "shown_at": row.shown_at + apart}) for row in rows
    )  # fmt: skip
    return [*rows, *copies]


def _approved(row: EvidenceRow, tenant: str) -> EvidenceRow:
    changes = [SkillChange(skill_id=place.skill_id, action="keep") for place in row.shown]
    return _reviewed(row, changes).model_copy(update={"tenant": tenant, "coach": APPROVING_COACH})


def _reviewed(row: EvidenceRow, changes: list[SkillChange]) -> EvidenceRow:
    """The row with another review, and without choices."""
    moment = row.review.reviewed_at if row.review is not None else row.shown_at
    review = ReviewGiven(reviewed_at=moment, changes=changes)
    return row.model_copy(update={"review": review, "choices": []})
