from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recommender.catalogue.instrument_commands import instruments_app

OWN = """
id: our-walk
title: Our [walkthrough]
scale: {labels: {Not yet: 1, Sometimes: 2, Always: 3}}
missing: [skipped]
items:
  - {code: "1", label: Entry, family: routines}
  - {code: "2", label: Talk, family: voices}
  - {code: "3", label: Shouting, direction: -1}
  - {code: "4", label: Overall, derived: true}
crosswalk:
  "1": {entry-routine: 0.5, attention-signal: 0.25}
"""


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.console.out._width", 200)
    monkeypatch.setattr("recommender.console.err._width", 200)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(instruments_app, list(arguments))


def check(tmp_path: Path, text: str) -> Result:
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    return run("check", str(file))


def test_the_list_says_items_mapped_items_and_whether_text_may_ship():
    result = run("list")
    assert result.exit_code == 0
    line = next(line for line in result.output.splitlines() if "danielson-2022" in line)
    assert [cell.strip() for cell in line.strip("│┃").split("│")][2:4] == ["22", "19"]
    assert "no (All rights reserved" in line
    assert "yes (CC BY 4.0 IGO)" in result.output


def test_check_says_what_it_understood_and_what_is_missing(tmp_path: Path):
    result = check(tmp_path, OWN)
    assert result.exit_code == 0
    assert "our-walk: Our [walkthrough]" in result.output
    assert "Scale: 1 to 3, steps of 1 (Not yet = 1, Sometimes = 2, Always = 3)" in result.output
    assert "Not scored: skipped" in result.output
    assert "1-3, high is bad" in result.output
    assert "Crosswalk: 1 of 3 observed items say something about 2 skills." in result.output
    assert "Without skills, so their needs stay per item: 2, 3." in result.output
    assert "Without a family, so what is usual over all ratings is borrowed: 3." in result.output
    assert "Families of your own, so what is usual over all ratings is borrowed: voices." in result.output


def test_check_of_a_complete_rubric_complains_of_nothing(tmp_path: Path):
    complete = """
id: small
title: Small
scale: {min: 1, max: 4}
items:
  - {code: a, label: Entry, family: routines, norm: {mean: 3, sd: 0.5, source: "measured, n = 90"}}
crosswalk:
  a: {entry-routine: 1.0}
"""
    result = check(tmp_path, complete)
    assert result.exit_code == 0
    assert result.output.rstrip().endswith("Crosswalk: 1 of 1 observed items say something about 1 skills.")


def test_a_long_list_of_items_without_skills_is_counted(tmp_path: Path):
    items = "".join(f"  - {{code: i{number}, label: Item, family: routines}}\n" for number in range(15))
    result = check(tmp_path, f"id: long\ntitle: Long\nscale: {{min: 1, max: 4}}\nitems:\n{items}")
    assert "i11 and 3 more." in result.output


def test_a_broken_rubric_ends_with_exit_code_2_and_item_and_field(tmp_path: Path):
    result = check(tmp_path, OWN.replace("direction: -1", "direction: down"))
    assert result.exit_code == 2
    assert "own.yaml: items: 3: direction: found 'down'" in result.output


def test_a_file_that_is_not_there_ends_with_exit_code_2(tmp_path: Path):
    result = run("check", str(tmp_path / "none.yaml"))
    assert result.exit_code == 2
    assert "no readable file" in result.output


def test_check_of_an_edition_of_a_shipped_rubric_speaks_of_that_edition(tmp_path: Path):
    result = check(tmp_path, OWN.replace("our-walk", "danielson-2022"))
    assert result.exit_code == 0
    assert "danielson-2022: Our [walkthrough]" in result.output
