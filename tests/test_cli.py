"""The command line as a person and a script use it: real files, real model, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recommender.cli import app

STRUGGLE = "The same three students answer every question I ask and the rest wait for them to do it."
MARKER = "zebrafish-marker"


def growth(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


def write_cases(path: Path, *cases: object) -> Path:
    path.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    return path


def test_every_case_of_a_file_is_ranked_and_the_exit_code_is_0(tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.jsonl", *({"case_id": f"c{i}", "struggle": STRUGGLE} for i in range(3)))
    result = growth("rank", str(cases), "--output", str(tmp_path / "out.jsonl"), "--top", "2")
    assert result.exit_code == 0, result.output
    rankings = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [r["case_id"] for r in rankings] == ["c0", "c1", "c2"]
    assert all(r["status"] == "ranked" and len(r["suggestions"]) == 2 for r in rankings)


def test_a_bad_row_goes_to_the_rejects_file_and_the_exit_code_is_3(tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text(
        json.dumps({"case_id": "good", "struggle": STRUGGLE}) + "\n"
        + "{broken\n"
        + json.dumps({"case_id": "bad", "struggle": MARKER, "top": 0}) + "\n",
        encoding="utf-8",
    )  # fmt: skip
    result = growth("rank", str(cases), "--output", str(tmp_path / "out.jsonl"))
    assert result.exit_code == 3
    rejects = (tmp_path / "out.jsonl.rejects.jsonl").read_text()
    assert [json.loads(line)["line"] for line in rejects.splitlines()] == [2, 3]
    assert json.loads(rejects.splitlines()[1])["field"] == "top"
    assert MARKER not in rejects + result.output
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 1


def test_a_file_without_one_usable_row_ends_with_exit_code_2(tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.jsonl", {"struggle": STRUGGLE})
    assert growth("rank", str(cases), "--output", str(tmp_path / "out.jsonl")).exit_code == 2
    missing = growth("rank", str(tmp_path / "none.jsonl"), "--output", str(tmp_path / "out.jsonl"))
    assert missing.exit_code == 2
    assert "wanted" in missing.output


def test_the_cases_are_never_overwritten_by_their_rankings(tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.jsonl", {"case_id": "c", "struggle": STRUGGLE})
    before = cases.read_bytes()
    assert growth("rank", str(cases), "--output", str(cases)).exit_code == 2
    assert cases.read_bytes() == before


def test_csv_and_parquet_outputs_hold_one_row_a_suggestion(tmp_path: Path) -> None:
    import pandas as pd

    cases = write_cases(tmp_path / "cases.jsonl", {"case_id": "c", "struggle": STRUGGLE})
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        output = tmp_path / f"out{suffix}"
        assert growth("rank", str(cases), "--output", str(output)).exit_code == 0
        table = read(output)
        assert table["rank"].tolist() == [1, 2, 3]


def test_two_processes_give_the_bytes_one_gives(tmp_path: Path) -> None:
    cases = write_cases(
        tmp_path / "cases.jsonl", *({"case_id": f"c{i}", "struggle": f"{STRUGGLE} Take {i}."} for i in range(20))
    )
    for jobs in ("1", "2"):
        assert growth("rank", str(cases), "-o", str(tmp_path / f"{jobs}.jsonl"), "--jobs", jobs).exit_code == 0
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()


def test_the_catalogue_is_listed_for_people_and_for_programs() -> None:
    listed = json.loads(growth("skills", "--json").output)
    assert len(listed) == 115
    one = json.loads(growth("skills", "wait-time").output)
    assert one["id"] == "wait-time" and len(one["practice_cycle"]) == 4
    assert growth("skills", "no-such-skill").exit_code == 2
    assert growth("skills", "--domain", "nowhere").exit_code == 2


def test_doctor_names_versions_model_and_settings() -> None:
    findings = json.loads(growth("doctor", "--json").output)
    assert findings["Model"]["sample ranking"].startswith("ranked: ")
    assert "GROWTH_SAFEGUARDING_CONTACT" in findings["Settings"]


def test_an_altered_model_is_refused_with_the_way_out(tmp_path: Path) -> None:
    result = growth("doctor", "--models", str(tmp_path))
    assert result.exit_code == 2
    assert "GROWTH_MODELS" in result.output


@pytest.mark.parametrize("what", ["case", "ranking"])
def test_the_contracts_are_exported_as_json_schema(what: str) -> None:
    schema = json.loads(growth("schema", what).output)
    assert schema["additionalProperties"] is False


def test_a_file_name_with_brackets_is_repeated_whole(tmp_path):
    result = CliRunner().invoke(app, ["needs", str(tmp_path / "[bold]scores.csv"), "--output", str(tmp_path / "n.csv")])
    assert result.exit_code == 2
    assert "[bold]scores.csv" in result.output.replace("\n", "")
