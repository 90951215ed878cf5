from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from evidence_rows import CATALOGUE, MARKER, SKILLS, change, choice, fields, place, row
from pydantic import ValidationError

from recommender.errors import DataFileError
from recommender.learning.evidence import Evidence, EvidenceRow, read_evidence


def written(tmp_path: Path, *lines: dict[str, Any] | str) -> Path:
    file = tmp_path / "evidence.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line, default=str) for line in lines]
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return file


def changed(content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return content | more


# Reading


def test_a_row_survives_writing_and_reading_to_the_digit(tmp_path):
    told = row(
        1,
        changes=[change(0, "remove"), change(1, "move", 1), change(7, "add", 2)],
        choices=[choice(1, rank=2), choice(0, "declined", reason="not_my_need", rank=1)],
        context={"grade_band": "middle", "subject": "science", "career_stage": "early"},
        scores=[0.125] * len(CATALOGUE),
        struggle="Same three hands.",
        outcome={
            "skill_id": SKILLS[1], "before_seen": 1, "before_looked_for": 4, "after_seen": 3, "after_looked_for": 4,
        },
    )  # fmt: skip
    evidence = read_evidence(written(tmp_path, told.to_json()))
    assert evidence.rows == (told,)
    assert not evidence.rejects
    assert (evidence.counts.lines, evidence.counts.rows) == (1, 1)


def test_rows_come_sorted_by_time_and_then_by_id(tmp_path):
    late, early, also_early = fields(3), fields(1), fields(1) | {"id": "a"}
    evidence = read_evidence(written(tmp_path, late, early, also_early))
    assert [each.id for each in evidence.rows] == ["a", "r00001", "r00003"]


def test_of_two_rows_with_one_id_the_last_counts_and_the_other_is_counted(tmp_path):
    first, last = fields(1, teacher="first"), fields(1, teacher="last")
    evidence = read_evidence(written(tmp_path, first, fields(2), last))
    assert [each.teacher for each in evidence.rows] == ["last", "t2"]
    assert (evidence.counts.lines, evidence.counts.rows, evidence.counts.duplicates) == (3, 2, 1)


def test_a_skill_this_catalogue_does_not_hold_is_refused_with_line_and_field_and_costs_no_other_row(tmp_path):
    foreign = fields(1, catalogue_version="another")
    foreign["shown"] = [place(0, 1), place(1, 2) | {"skill_id": MARKER}]
    evidence = read_evidence(written(tmp_path, fields(0), "", foreign, fields(2)))
    assert [each.id for each in evidence.rows] == ["r00000", "r00002"]
    (reject,) = evidence.rejects
    assert (reject.line, reject.field) == (3, "shown.1.skill_id")
    assert MARKER not in reject.to_json()
    assert evidence.counts.refused == 1


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (fields(1) | {"struggle": 7}, "struggle"),
        (fields(1) | {f"My {MARKER} bites": 1}, "a field of another name"),
        (fields(1) | {"shown_at": "2026-10-01T08:00:00"}, "shown_at"),
        (fields(1) | {"shown_at": MARKER}, "shown_at"),
        (fields(1) | {"struggle": MARKER * 1_000}, "struggle"),
        (fields(1) | {"coach": "somebody"}, "coach"),
        (fields(1) | {"shown": [place(0, 2)]}, "shown"),
        (fields(1) | {"shown": [place(0, 1), place(0, 2)]}, "shown"),
        (fields(1) | {"shown": [place(0, 1) | {"score": 0.5}]}, "shown.0"),
        (fields(1) | {"shown": [place(0, 1, propensity=0.0)]}, "shown.0.propensity"),
        (fields(1, scores=[0.0] * 3), "scores"),
        (fields(1, changes=[change(0, "keep"), change(0, "remove")]), "review"),
        (fields(1, changes=[change(5, "keep")]), "review"),
        (fields(1, changes=[change(0, "add", 1)]), "review"),
        (fields(1, changes=[change(0, "move")]), "review.changes.0"),
        (fields(1, choices=[choice(1, rank=1)]), "choices"),
        (fields(1, choices=[choice(0, rank=1, reason="other")]), "choices.0"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_by_its_field_and_never_quoted(tmp_path, broken, field):
    evidence = read_evidence(written(tmp_path, fields(0), broken))
    assert [each.id for each in evidence.rows] == ["r00000"]
    (reject,) = evidence.rejects
    assert (reject.line, reject.field) == (2, field)
    assert MARKER not in reject.to_json()


def test_what_is_no_json_is_refused_with_its_line(tmp_path):
    evidence = read_evidence(written(tmp_path, fields(0), f"{{{MARKER}"))
    assert [reject.line for reject in evidence.rejects] == [2]
    assert MARKER not in evidence.rejects[0].to_json()


def test_a_file_without_a_row_or_no_file_is_refused(tmp_path):
    with pytest.raises(DataFileError, match="one row of evidence a line"):
        read_evidence(written(tmp_path, "", ""))
    with pytest.raises(DataFileError, match="no such file"):
        read_evidence(tmp_path / "none.jsonl")


# The row


def test_times_are_kept_in_utc():
    assert row(shown_at="2026-10-01T10:00:00+02:00").shown_at == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert row(shown_at="2026-10-01T10:00:00+02:00").shown_at.tzinfo is UTC


def test_scores_of_another_catalogue_are_left_out_since_they_are_in_another_order():
    ours, foreign = row(0, scores=[0.0] * len(CATALOGUE)), row(1, scores=[0.0] * 90, catalogue_version="another")
    evidence = Evidence.of([ours, foreign])
    assert [each.scores is None for each in evidence.rows] == [False, True]
    assert evidence.counts.without_scores == 1


def test_a_message_instead_of_a_list_is_a_row_without_places():
    assert row(shown=[]).shown == []


def test_a_review_of_a_coach_whose_data_are_gone_has_no_coach():
    assert row(changes=[change(0, "keep")], coach=None).coach is None


def test_a_row_cannot_be_changed():
    with pytest.raises(ValidationError):
        row().tenant = "south"  # type: ignore[misc]


def test_parts_may_differ_from_the_score_by_rounding_only():
    def shown(score: float) -> list[dict[str, Any]]:
        return [place(0, 1, prior=0.4, struggle=0.6) | {"score": score}]

    assert row(shown=shown(1.009)).shown[0].score == 1.009
    with pytest.raises(ValidationError, match="do not sum"):
        EvidenceRow.model_validate(fields(shown=shown(1.02)))
