import csv
import io
import json
import re

import pytest
import typer
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from score_rubrics import RUBRIC
from typer.testing import CliRunner

from recommender.errors import DataFileError, GrowthError, SettingsError
from recommender.exchange.import_commands import import_scores
from recommender.exchange.import_file import ImportFormat, ImportRequest, import_file
from recommender.exchange.pseudonyms import KEY_VARIABLE, Pseudonyms
from recommender.exchange.score_files import WRITTEN_COLUMNS

bounded = settings(
    max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KEY = b"a key of sixteen"
ROW = {
    "teacher_id": "t1",
    "visit": "v1",
    "observed_on": "2025-10-02",
    "observer": "o1",
    "instrument": "own-1",
    "item": "3b",
    "value": "3",
    "segment": "",
    "observation_type": "informal",
    "note": "",
}

app = typer.Typer()
app.command("import")(import_scores)


@pytest.fixture(autouse=True)
def _no_key_around(monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


def write_rows(path, *rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ROW)
        writer.writeheader()
        writer.writerows(ROW | row for row in rows)
    return path


def rubric_file(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        yaml.safe_dump(RUBRIC.model_dump(mode="json", include={"id", "title", "scale", "missing", "items"}))
    )
    return path


def run(tmp_path, *rows, name="out.csv", files=None, file_format="canonical", **options):
    """The counts and what was said."""
    files = [write_rows(tmp_path / "in.csv", *rows)] if files is None else files
    said = io.StringIO()
    request = ImportRequest(
        files=files,
        file_format=ImportFormat(file_format),
        output=tmp_path / name,
        instruments=[rubric_file(tmp_path)],
        **options,
    )
    counts = import_file(request, Console(file=said, width=40))
    return counts, said.getvalue()


def written(tmp_path, name="out.csv"):
    with (tmp_path / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def command(tmp_path, *arguments):
    return CliRunner().invoke(app, [*map(str, arguments), "--instrument", str(rubric_file(tmp_path))])


def test_what_was_done_with_every_row_is_said(tmp_path):
    rows = [{}, {}, {"item": "2a", "value": "n/a"}, {"item": "2a", "observation_type": "formal"}, {"value": "9"}]
    counts, said = run(tmp_path, *rows)
    assert (counts.usable, counts.new, counts.refused) == (1, 1, 1)
    assert said.splitlines() == [
        "5 rows read; 1 scores imported; 1 not scored; 1 formal, left out (--include-formal takes them); "
        f"1 duplicates; 1 refused: see {tmp_path / 'out.csv.rejects.jsonl'}"
    ]
    (reject,) = map(json.loads, (tmp_path / "out.csv.rejects.jsonl").read_text().splitlines())
    assert (reject["line"], reject["field"]) == (6, "value")


def test_a_written_row_is_canonical_with_source_and_hash(tmp_path):
    run(tmp_path, {"note": "write to ana@school.org"}, tenant="D1")
    (row,) = written(tmp_path)
    assert tuple(row) == WRITTEN_COLUMNS
    assert (row["tenant"], row["value"], row["source_system"], row["note"]) == (
        "D1",
        "3.0",
        "canonical",
        "write to [e-mail]",
    )
    assert re.fullmatch("[0-9a-f]{64}", row["source_row_hash"])


def test_formal_rows_come_in_only_when_asked_for(tmp_path):
    rows = [{}, {"item": "2a", "observation_type": "formal"}]
    assert run(tmp_path, *rows)[0].usable == 1
    assert run(tmp_path, *rows, include_formal=True)[0].usable == 2
    assert [row["observation_type"] for row in written(tmp_path)] == ["informal", "formal"]


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_importing_again_even_with_append_changes_no_byte(tmp_path, name):
    rows = [{}, {"item": "2a"}, {"segment": "1", "note": "=x"}]
    run(tmp_path, *rows, name=name, append=True)
    first = (tmp_path / name).read_bytes()
    counts, said = run(tmp_path, *rows, name=name, append=True)
    assert (counts.usable, counts.new) == (3, 0)
    assert "3 duplicates" in said
    assert (tmp_path / name).read_bytes() == first
    run(tmp_path, name=name, files=[tmp_path / "in.csv"])
    assert (tmp_path / name).read_bytes() == first


def test_appending_keeps_what_was_there_and_a_later_value_replaces_the_earlier(tmp_path):
    run(tmp_path, {}, {"item": "2a"})
    counts, said = run(tmp_path, {"value": "4"}, {"teacher_id": "t2"}, append=True)
    assert counts.new == 2
    assert "1 corrected" in said
    assert [(row["teacher_id"], row["item"], row["value"]) for row in written(tmp_path)] == [
        ("t1", "2a", "3.0"),
        ("t1", "3b", "4.0"),
        ("t2", "3b", "3.0"),
    ]


def test_without_append_the_output_is_made_anew(tmp_path):
    run(tmp_path, {"item": "2a"})
    run(tmp_path, {})
    assert [row["item"] for row in written(tmp_path)] == ["3b"]


def test_two_values_of_one_score_in_one_run_are_both_kept(tmp_path):
    counts, _ = run(tmp_path, {"value": "2"}, {"value": "4"})
    assert counts.usable == 2


def test_appending_to_rows_that_cannot_be_kept_is_refused_and_leaves_them(tmp_path):
    write_rows(tmp_path / "out.csv", {}, {"instrument": "another"})
    before = (tmp_path / "out.csv").read_bytes()
    with pytest.raises(DataFileError, match="--instrument"):
        run(tmp_path, {}, append=True)
    assert (tmp_path / "out.csv").read_bytes() == before
    assert not (tmp_path / "out.csv.rejects.jsonl").exists()


def test_when_nothing_is_usable_the_output_stays_as_it_was(tmp_path):
    run(tmp_path, {})
    before = (tmp_path / "out.csv").read_bytes()
    counts, _ = run(tmp_path, {"value": "9"}, {"value": ""})
    assert (counts.usable, counts.refused) == (0, 1)
    assert (tmp_path / "out.csv").read_bytes() == before


def test_with_several_files_counts_add_up_and_a_reject_says_which(tmp_path):
    files = [write_rows(tmp_path / "a.csv", {}), write_rows(tmp_path / "b.csv", {}, {"value": "9"})]
    counts, said = run(tmp_path, files=files)
    assert said.startswith("3 rows read; 1 scores imported; 0 not scored; 1 duplicates; 1 refused")
    assert '"field": "b.csv: value"' in (tmp_path / "out.csv.rejects.jsonl").read_text()
    assert counts.new == 1


def test_the_key_of_a_file_or_of_the_environment_replaces_names(tmp_path, monkeypatch):
    (tmp_path / "key").write_bytes(KEY)
    assert run(tmp_path, {"observer": "Ana Lopez"})[0].refused == 1
    run(tmp_path, {"observer": "Ana Lopez"}, key_file=tmp_path / "key")
    expected = Pseudonyms(KEY).of("observer", "Ana Lopez")
    assert written(tmp_path)[0]["observer"] == expected
    monkeypatch.setenv(KEY_VARIABLE, KEY.decode())
    run(tmp_path, {"observer": "ana LOPEZ".title()})
    assert written(tmp_path)[0]["observer"] == expected


def test_a_note_that_grows_by_redaction_still_fits(tmp_path):
    run(tmp_path, {"note": "a@b.co " + "x" * 3_993})
    assert len(written(tmp_path)[0]["note"]) == 4_000


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"file_format": "district"}, SettingsError),
        ({"files": []}, SettingsError),
        ({"name": "in.csv"}, DataFileError),
        ({"name": "out.jsonl"}, DataFileError),
        ({"name": "nowhere/out.csv"}, DataFileError),
        ({"tenant": "a@b.org"}, GrowthError),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_refused(tmp_path, options, error):
    write_rows(tmp_path / "in.csv", {})
    with pytest.raises(error):
        run(tmp_path, **({"files": [tmp_path / "in.csv"]} | options))
    assert not (tmp_path / "out.csv").exists()


def test_a_map_for_canonical_files_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="no --map"):
        run(tmp_path, {}, mapping=tmp_path / "map.yaml")


# Every format through the command


def test_a_district_sheet_becomes_a_table_that_reads_as_canonical(tmp_path):
    (tmp_path / "map.yaml").write_text(
        "instrument: own-1\ncolumns: {teacher_id: ID, observed_on: Date}\nitems: {Questioning: 3b}\n"
    )
    (tmp_path / "sheet.csv").write_text("ID,Date,Questioning\n17,2025-10-02,Meets\n18,2025-10-02,Maybe\n")
    result = command(
        tmp_path,
        tmp_path / "sheet.csv",
        "--format",
        "district",
        "--map",
        tmp_path / "map.yaml",
        "-o",
        tmp_path / "out.csv",
    )
    assert result.exit_code == 3
    assert "1 scores imported" in result.stderr
    assert result.stdout == ""
    (row,) = written(tmp_path)
    assert (row["observer"], row["item"], row["value"], row["source_system"]) == ("UNK", "3b", "3.0", "district")
    again = command(tmp_path, tmp_path / "out.csv", "-o", tmp_path / "again.csv")
    assert again.exit_code == 0
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()


def test_segments_name_the_columns_nothing_was_taken_from(tmp_path):
    (tmp_path / "map.yaml").write_text(
        "instrument: gti-2018\ncolumns: {teacher_id: T, visit: V}\nobserved_on: 2018-03-01\n"
    )
    (tmp_path / "wide.csv").write_text("T,V,CCM1RT_S1,AGE\n1,1,4,40\n")
    arguments = ["--format", "segments", "--map", tmp_path / "map.yaml", "-o", tmp_path / "out.parquet"]
    result = command(tmp_path, tmp_path / "wide.csv", *arguments)
    assert result.exit_code == 0
    assert "Columns nothing was taken from: AGE" in result.stderr


def test_grow_files_are_read_together(tmp_path):
    (tmp_path / "map.yaml").write_text("instrument: own-1\nmeasurements: {Asks: 3b}\n")
    (tmp_path / "m.json").write_text(json.dumps([{"_id": "m", "name": "Asks", "scaleMax": 4}]))
    observation = {"_id": "o", "observedAt": "2025-10-02T10:00:00Z", "isPublished": True, "teacher": {"_id": "u"}}
    observation["observationScores"] = [{"measurement": "m", "valueScore": 2}]
    (tmp_path / "o.json").write_text(json.dumps([observation]))
    arguments = ["--format", "grow", "--map", tmp_path / "map.yaml", "-o", tmp_path / "out.csv"]
    result = command(tmp_path, tmp_path / "o.json", tmp_path / "m.json", *arguments)
    assert result.exit_code == 0
    assert [(row["item"], row["value"]) for row in written(tmp_path)] == [("3b", "2.0")]


def test_exit_codes_tell_all_some_and_nothing(tmp_path):
    codes = []
    for rows in ([{}], [{}, {"value": "9"}], [{"value": "9"}], [{"observation_type": "formal"}]):
        write_rows(tmp_path / "in.csv", *rows)
        codes.append(command(tmp_path, tmp_path / "in.csv", "-o", tmp_path / "out.csv").exit_code)
    assert codes == [0, 3, 2, 2]


def test_a_refusal_is_said_on_standard_error_with_the_way_out(tmp_path):
    write_rows(tmp_path / "in.csv", {})
    result = command(tmp_path, tmp_path / "in.csv", "--format", "xml", "-o", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert "Stopped." in result.stderr and "canonical, district" in result.stderr
    assert result.stdout == ""


rows = st.lists(
    st.fixed_dictionaries(
        {
            "teacher_id": st.sampled_from(["t1", "t2"]),
            "item": st.sampled_from(["2a", "3b", "9z"]),
            "segment": st.sampled_from(["", "1"]),
            "value": st.sampled_from(["1", "1.0", "Below", "3", "N/A", "9"]),
        }
    ),
    min_size=1,
    max_size=6,
)


@bounded
@given(rows, rows)
def test_any_two_imports_in_a_row_are_the_same_when_repeated(tmp_path, first, second):
    for path in tmp_path.glob("out*"):
        path.unlink()
    run(tmp_path, *first, append=True)
    run(tmp_path, *second, append=True)
    once = (tmp_path / "out.csv").read_bytes() if (tmp_path / "out.csv").exists() else b""
    counts, _ = run(tmp_path, *second, append=True)
    assert counts.new == 0
    assert ((tmp_path / "out.csv").read_bytes() if once else b"") == once
    if once:
        hashes = [row["source_row_hash"] for row in written(tmp_path)]
        assert len(set(hashes)) == len(hashes)
