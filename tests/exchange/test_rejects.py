import io
import json
import sys

import pytest

from recommender.errors import CaseError
from recommender.exchange.rejects import Reject, RejectsFile, shown_field

REJECT = Reject(line=4, field="context.mix", found="a value of type float", wanted="input should be a finite number")


def write(output, rejects, crash=False):
    with RejectsFile(output) as file:
        for reject in rejects:
            file.write(reject)
        if crash:
            raise KeyboardInterrupt
    return file


def test_rejects_are_listed_beside_the_output_with_line_field_found_and_wanted(tmp_path):
    broken = Reject(line=9, field="the whole case", found="broken JSON", wanted="one JSON object a line")
    rejects = write(tmp_path / "rankings.csv", [REJECT, broken])
    assert rejects.count == 2
    assert rejects.path == tmp_path / "rankings.csv.rejects.jsonl"
    first, second = map(json.loads, rejects.path.read_text().splitlines())
    assert first == {
        "line": 4,
        "field": "context.mix",
        "found": "a value of type float",
        "wanted": "input should be a finite number",
    }
    assert second["line"] == 9
    assert list(tmp_path.iterdir()) == [rejects.path]


def test_without_a_reject_there_is_no_file(tmp_path):
    assert write(tmp_path / "rankings.csv", []).count == 0
    assert not list(tmp_path.iterdir())


def test_a_run_without_rejects_removes_the_list_of_an_earlier_run(tmp_path):
    write(tmp_path / "rankings.csv", [REJECT])
    write(tmp_path / "rankings.csv", [])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("later", [[REJECT, REJECT], []])
def test_a_crash_leaves_the_earlier_list(tmp_path, later):
    write(tmp_path / "a.csv", [REJECT])
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.csv", later, crash=True)
    (path,) = tmp_path.iterdir()
    assert path.name == "a.csv.rejects.jsonl"
    assert path.read_text() == REJECT.to_json() + "\n"


def test_rejects_go_to_standard_error_when_rankings_go_to_standard_output(monkeypatch, tmp_path):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw))
    monkeypatch.chdir(tmp_path)
    assert write("-", [REJECT]).count == 1
    assert raw.getvalue().decode() == REJECT.to_json() + "\n"
    assert not list(tmp_path.iterdir())


def test_an_error_without_a_field_is_about_the_whole_case():
    reject = Reject.because(CaseError("broken JSON", wanted="JSON"), 3)
    assert reject == Reject(3, "the whole case", "broken JSON", "JSON")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("strugle", "strugle"), ("Same three hands", "a field of another name"), ("x" * 41, "a field of another name")],
)
def test_only_what_is_shaped_like_a_field_name_is_repeated(name, shown):
    assert shown_field(name) == shown
