from __future__ import annotations

from typer.testing import CliRunner

from recommender.errors import DataFileError
from recommender.training import data_rules
from recommender.training.data_card import CARD_FILE
from recommender.training.data_commands import data_app
from recommender.training.data_rules import Finding


def run(*arguments: str):
    return CliRunner().invoke(data_app, list(arguments))


def test_findings_are_printed_one_a_line_and_leave_with_2(monkeypatch):
    findings = [Finding("grown.jsonl", n, f"g-{n}", "length", "2 words", "12 to 130 " + "x" * 200) for n in (1, 2)]
    monkeypatch.setattr(data_rules, "check_data", lambda: findings)
    result = run("check")
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [str(finding) for finding in findings]
    assert "2 findings" in result.stderr


def test_without_findings_the_domains_are_still_said_and_it_leaves_with_0(monkeypatch):
    monkeypatch.setattr(data_rules, "check_data", lambda: [])
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "by domain:" in result.stderr
    assert "0 findings" in result.stderr


def test_a_broken_list_of_used_sources_stops_with_2(monkeypatch):
    def broken() -> list[Finding]:
        raise DataFileError("another line", wanted="64 hex digits", where="used.sha256:2")

    monkeypatch.setattr(data_rules, "check_data", broken)
    result = run("check")
    assert result.exit_code == 2
    assert "used.sha256:2" in result.stderr


def test_the_card_is_written_where_asked(tmp_path):
    result = run("card", "--output", str(tmp_path / "card.md"))
    assert result.exit_code == 0
    assert (tmp_path / "card.md").read_bytes() == CARD_FILE.read_bytes()
