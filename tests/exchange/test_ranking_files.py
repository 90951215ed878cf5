import csv
import io
import json
import os
import sys

import pyarrow.parquet as pq
import pytest

from recommender.cases import Ranking, Reason, Suggestion
from recommender.errors import DataFileError
from recommender.exchange.ranking_files import FLAT_SCHEMA, flat_rows, open_rankings, spreadsheet_safe

COLUMNS = [
    "case_id",
    "status",
    "message",
    "rank",
    "skill_id",
    "name",
    "probability",
    "confidence",
    "score",
    "reasons",
    "ask_next",
    "notices",
    "evidence_grade",
    "model_version",
    "catalogue_version",
    "input_hash",
]
VERSIONS = {"model_version": "m1", "catalogue_version": "k1", "input_hash": "sha256:0"}


def suggestion(rank: int, score: float) -> Suggestion:
    reason = Reason(source="struggle", text="Same three hands, “every” time", effect=score)
    return Suggestion(
        rank=rank,
        skill_id="cold-calling",
        name="Cold calling",
        probability=0.123456,
        confidence="likely",
        score=score,
        reasons=[reason],
    )


def ranked(case_id: str, *scores: float) -> Ranking:
    suggestions = [suggestion(rank, score) for rank, score in enumerate(scores, start=1)]
    return Ranking(case_id=case_id, status="ranked", ask_next="Say more.", suggestions=suggestions, **VERSIONS)


def not_ranked(case_id: str) -> Ranking:
    return Ranking(case_id=case_id, status="not_enough", message="Tell a little more.", **VERSIONS)


RANKINGS = [ranked("low", -2.34567, -3.0), not_ranked("none"), ranked("high", 4.00004)]


def write(path, rankings=RANKINGS):
    with open_rankings(path) as writer:
        for ranking in rankings:
            writer.write(ranking)
    return path


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".json-lines"])
def test_json_lines_hold_each_ranking_as_its_own_json(tmp_path, suffix):
    path = write(tmp_path / f"rankings{suffix}")
    assert path.read_bytes() == "".join(ranking.to_json() + "\n" for ranking in RANKINGS).encode()


def test_csv_holds_one_row_a_suggestion_in_case_order(tmp_path):
    rows = read_csv(write(tmp_path / "rankings.csv"))
    assert list(rows[0]) == COLUMNS
    assert [(row["case_id"], row["rank"], row["score"]) for row in rows] == [
        ("low", "1", "-2.3457"),
        ("low", "2", "-3.0"),
        ("none", "", ""),
        ("high", "1", "4.0"),
    ]


def test_parquet_holds_the_same_rows_with_types(tmp_path):
    table = pq.read_table(write(tmp_path / "rankings.parquet"))
    assert table.schema.equals(FLAT_SCHEMA)
    assert table.column_names == COLUMNS
    rows = table.to_pylist()
    assert [(row["case_id"], row["rank"], row["score"]) for row in rows] == [
        ("low", 1, -2.3457),
        ("low", 2, -3.0),
        ("none", None, None),
        ("high", 1, 4.0),
    ]
    written = read_csv(write(tmp_path / "rankings.csv"))
    assert [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows] == written


def test_a_flat_row_says_what_the_json_says():
    first = flat_rows(RANKINGS[0])[0]
    content = json.loads(RANKINGS[0].to_json())
    expected = content["suggestions"][0]
    assert first["probability"] == expected["probability"] == 0.1235
    assert json.loads(first["reasons"]) == expected["reasons"]
    assert "“every”" in first["reasons"]
    for name in ("case_id", "status", "ask_next", "model_version", "catalogue_version", "input_hash"):
        assert first[name] == content[name]


def test_a_flat_row_keeps_the_notices():
    said = RANKINGS[0].model_copy(update={"notices": ["All scores are alike.", "Nobody knows who observed."]})
    assert {row["notices"] for row in flat_rows(said)} == {"All scores are alike. Nobody knows who observed."}
    assert flat_rows(RANKINGS[0])[0]["notices"] is None


def test_a_case_that_is_not_ranked_is_one_row_with_its_message():
    (row,) = flat_rows(not_ranked("none"))
    assert {name: cell for name, cell in row.items() if cell is not None} == {
        "case_id": "none",
        "status": "not_enough",
        "message": "Tell a little more.",
        **VERSIONS,
    }


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_cell_is_no_formula_in_a_spreadsheet(tmp_path, start):
    (row,) = read_csv(write(tmp_path / "rankings.csv", [not_ranked(f"{start}1+1")]))
    assert row["case_id"] == f"'{start}1+1"
    (typed,) = pq.read_table(write(tmp_path / "rankings.parquet", [not_ranked(f"{start}1+1")])).to_pylist()
    assert typed["case_id"] == f"{start}1+1"


@pytest.mark.parametrize("cell", [-0.5, -1, None, "", "a=1", "'=1"])
def test_numbers_and_harmless_text_stay_as_they_are(cell):
    assert spreadsheet_safe(cell) == cell


def test_no_ranking_leaves_a_readable_file_without_rows(tmp_path):
    assert write(tmp_path / "a.jsonl", []).read_bytes() == b""
    assert write(tmp_path / "a.csv", []).read_bytes() == ",".join(COLUMNS).encode() + b"\r\n"
    assert pq.read_table(write(tmp_path / "a.parquet", [])).num_rows == 0


def test_many_parquet_rows_are_written_in_groups_and_in_order(tmp_path):
    path = write(tmp_path / "a.parquet", (not_ranked(str(number)) for number in range(5_000)))
    assert pq.ParquetFile(path).num_row_groups == 2
    assert pq.read_table(path)["case_id"].to_pylist() == [str(number) for number in range(5_000)]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_crash_leaves_the_earlier_file_and_no_half_one(tmp_path, suffix):
    path = tmp_path / f"rankings{suffix}"
    path.write_bytes(b"earlier")

    def interrupted():
        yield RANKINGS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(path, interrupted())
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_nothing_is_at_the_path_before_the_end(tmp_path, suffix):
    path = tmp_path / f"rankings{suffix}"
    with open_rankings(path) as writer:
        writer.write(RANKINGS[0])
        assert not path.exists()
    assert list(tmp_path.iterdir()) == [path]


def test_a_ranking_file_is_as_readable_as_any_new_file(tmp_path):
    (tmp_path / "other").touch()
    assert write(tmp_path / "a.jsonl").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_still_points_to_its_file_afterwards(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "real" / "b.jsonl")
    write(tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").is_symlink()
    assert (tmp_path / "real" / "b.jsonl").read_bytes()


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "a.jsonl")
    reader = os.open(tmp_path / "a.jsonl", os.O_RDONLY | os.O_NONBLOCK)
    write(tmp_path / "a.jsonl", RANKINGS[:1])
    assert os.read(reader, 10_000) == RANKINGS[0].to_json().encode() + b"\n"
    os.close(reader)
    assert (tmp_path / "a.jsonl").is_fifo()


def test_a_dash_streams_json_lines_to_standard_output(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(raw)))
    with open_rankings("-") as writer:
        writer.write(RANKINGS[0])
        assert raw.getvalue() == RANKINGS[0].to_json().encode() + b"\n"
        writer.write(RANKINGS[1])
    assert raw.getvalue().count(b"\n") == 2


def test_an_output_that_cannot_be_written_is_refused_before_any_ranking(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for path in (tmp_path / "folder.csv", tmp_path / "missing" / "a.csv", tmp_path / "a.xlsx"):
        with pytest.raises(DataFileError) as caught, open_rankings(path):
            pytest.fail("opened")
        assert caught.value.way_out
        assert caught.value.where == str(path)
