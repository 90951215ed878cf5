"""The fixed cases that every version answers before it may take another's place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recommender.cases import Case, Ranking
from recommender.exchange.json_lines import json_rows
from recommender.exchange.rejects import Reject
from recommender.learning.gate_parameters import GateParameters

GOLDEN_FILE = Path(__file__).parent / "golden_cases.jsonl"


def changed_cases(
    before: Sequence[Ranking], now: Sequence[Ranking], parameters: GateParameters
) -> tuple[list[str], list[str]]:
    """Cases whose status changed, and those whose first suggestion was not among the first few before."""
    pairs = list(zip(before, now, strict=True))
    status = [new.case_id for old, new in pairs if old.status != new.status]
    moved = []
    for old, new in pairs:
        in_sight = [suggestion.skill_id for suggestion in old.suggestions[: parameters.golden.places.value]]
        first = [suggestion.skill_id for suggestion in new.suggestions[:1]]
        if old.status == new.status and not set(first) <= set(in_sight):
            moved.append(new.case_id)
    return status, moved


def golden_cases() -> list[Case]:
    """The fixed cases every version must answer as the one before, or nearly so."""
    with GOLDEN_FILE.open("rb") as stream:
        return [Case.model_validate(line.content) for line in json_rows(stream) if not isinstance(line, Reject)]
