"""Rows of evidence written by hand, for tests of learning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from recommender.catalogue.loader import load_catalogue
from recommender.learning.evidence import EvidenceRow

CATALOGUE = load_catalogue()
SKILLS = CATALOGUE.ids
# A word no sentence of the project holds: where it turns up, somebody's text was repeated.
MARKER = "zebrafish"
START = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)


def place(skill: int, rank: int, score: float = 0.0, *, propensity: float = 1.0, **parts: float) -> dict[str, Any]:
    """One place of a list; without parts the whole score is the struggle's."""
    parts = parts or {"struggle": score}
    return {
        "skill_id": SKILLS[skill], "rank": rank, "propensity": propensity, "score": sum(parts.values()), "parts": parts,
    }  # fmt: skip


def change(skill: int, action: str, to_rank: int | None = None) -> dict[str, Any]:
    return {"skill_id": SKILLS[skill], "action": action, "to_rank": to_rank}


def choice(
    skill: int, decision: str = "chosen", *, reason: str | None = None, rank: int | None = None, minute: int = 5
) -> dict[str, Any]:
    decided_at = START + timedelta(minutes=minute)
    return {"skill_id": SKILLS[skill], "decision": decision, "reason": reason, "rank": rank, "decided_at": decided_at}


def fields(number: int = 0, *, changes: Sequence[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """The fields of a row; lists are ten minutes apart and reviewed five minutes later."""
    shown_at = START + timedelta(minutes=10 * number)
    review = None if changes is None else {"reviewed_at": shown_at + timedelta(minutes=5), "changes": list(changes)}
    return {
        "id": f"r{number:05d}", "tenant": "north", "teacher": f"t{number}", "case": f"c{number}", "shown_at": shown_at,
        "coach": None if changes is None else "coach-1", "model_version": "m1",
        "catalogue_version": CATALOGUE.version, "shown": [place(0, 1), place(1, 2)], "review": review,
    } | more  # fmt: skip


def row(number: int = 0, *, changes: Sequence[dict[str, Any]] | None = None, **more: Any) -> EvidenceRow:
    return EvidenceRow.model_validate(fields(number, changes=changes, **more))


def reviewed(number: int, removed: bool, *, skill: int = 0, score: float = 0.0, **more: Any) -> EvidenceRow:
    """A list of one skill that a coach kept or removed."""
    changes = [change(skill, "remove" if removed else "keep")]
    return row(number, changes=changes, shown=[place(skill, 1, score)], **more)
