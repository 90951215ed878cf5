import io
import json
import sys
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.cases import Case
from recommender.errors import DataFileError
from recommender.exchange.case_files import read_cases
from recommender.exchange.flat_cases import COLUMNS
from recommender.exchange.physical_lines import MAX_LINE_BYTES
from recommender.exchange.rejects import Reject

FULL_CASE = {
    "case_id": "c1",
    "teacher_id": "t-204",
    "struggle": "Same three hands, every time\nI ask anything",
    "context": {
        "grade_band": "middle",
        "subject": "science",
        "career_stage": "early",
        "minutes_per_week": 30,
        "interests": ["questioning-discourse", "checking-feedback"],
        "mix": 0.25,
        "fit_minutes": True,
    },
    "declined": ["cold-calling", "wait-time"],
    "top": 5,
}
FULL_ROW = {
    "case_id": "c1",
    "teacher_id": "t-204",
    "struggle": "Same three hands, every time\nI ask anything",
    "context.grade_band": "middle",
    "context.subject": "science",
    "context.career_stage": "early",
    "context.minutes_per_week": "30",
    "context.interests": "questioning-discourse; checking-feedback",
    "context.mix": "0.25",
    "context.fit_minutes": "true",
    "declined": "cold-calling;wait-time;",
    "top": "5",
}


def read(tmp_path: Path, name: str, content: bytes) -> list[Case | Reject]:
    path = tmp_path / name
    path.write_bytes(content)
    return list(read_cases(path))


def read_json_lines(tmp_path: Path, *lines: bytes) -> list[Case | Reject]:
    return read(tmp_path, "cases.jsonl", b"\n".join(lines))


def read_table(tmp_path: Path, table: pa.Table) -> list[Case | Reject]:
    pq.write_table(table, tmp_path / "cases.parquet")
    return list(read_cases(tmp_path / "cases.parquet"))


def outline(rows: list[Case | Reject]) -> list[object]:
    return [row.case_id if isinstance(row, Case) else (row.line, row.field) for row in rows]


def refusal(path: Path) -> DataFileError:
    with pytest.raises(DataFileError) as caught:
        list(read_cases(path))
    return caught.value


# JSON Lines


def test_a_line_of_json_is_the_case_of_the_contract(tmp_path):
    assert read_json_lines(tmp_path, json.dumps(FULL_CASE).encode()) == [Case.model_validate(FULL_CASE)]


def test_a_bad_row_does_not_cost_the_good_ones(tmp_path):
    rows = read_json_lines(
        tmp_path, b'{"case_id":"a"}', b'{"case_id":', b"", b'{"case_id":"b","context":{"mix":2}}', b'{"case_id":"c"}'
    )
    assert outline(rows) == ["a", (2, "the whole case"), (4, "context.mix"), "c"]


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".json-lines", ".JSONL"])
def test_every_suffix_of_json_lines_is_read(tmp_path, suffix):
    assert outline(read(tmp_path, f"cases{suffix}", b'{"case_id":"a"}')) == ["a"]


def test_a_byte_order_mark_is_accepted_at_the_start_and_nowhere_else(tmp_path):
    rows = read_json_lines(tmp_path, b'\xef\xbb\xbf{"case_id":"a"}\r', b'\xef\xbb\xbf{"case_id":"b"}')
    assert outline(rows) == ["a", (2, "the whole case")]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b'{"case_id":"\xff"}', "the whole case"),
        (b'{"case_id":"a\x00"}', "the whole case"),
        (b'{"case_id":"a\\u0000"}', "case_id"),
        (b'{"case_id":"a","struggle":"\\ud800"}', "struggle"),
        (b'{"case_id":"a","context":{"subject":"\\uDFFF science"}}', "context.subject"),
        (b'{"case_id":"a","declined":["\\ud800"]}', "declined.0"),
        (b'{"case_id":"a","\\ud800":1}', "the whole case"),
        (b'{"case_id":"a","context":{"mix":NaN}}', "context.mix"),
        (b'{"case_id":"a","top":Infinity}', "top"),
        (b'{"case_id":"a","context":{"mix":1e999}}', "context.mix"),
        (b'{"case_id":"a","context":{"mix":1' + b"0" * 400 + b"}}", "context.mix"),
        (b'{"case_id":"a","top":1' + b"0" * 5000 + b"}", "top"),
        (b'{"case_id":"a","case_id":"b"}', "case_id"),
        (b'{"case_id":"a","context":{"mix":1,"mix":1}}', "mix"),
        (b'{"case_id":"a","colour":"red"}', "colour"),
        (b'{"case_id":"a","context":{"mood":"red"}}', "context.mood"),
        (
            b'{"case_id":"a","observations":[{"instrument":"i","item":"x","value":[],"observed_on":"2026-01-01"}]}',
            "observations.0.value",
        ),
        (b'["case_id"]', "the whole case"),
        (b"[" * 100_000, "the whole case"),
        (b"{}", "case_id"),
    ],
)
def test_what_no_case_may_hold_is_refused_by_field(tmp_path, line, field):
    assert outline(read_json_lines(tmp_path, line, b'{"case_id":"next"}')) == [(1, field), "next"]


def test_an_escaped_pair_of_surrogates_is_a_character(tmp_path):
    (row,) = read_json_lines(tmp_path, b'{"case_id":"a","struggle":"\\ud83d\\ude00"}')
    assert isinstance(row, Case)
    assert row.struggle == "\U0001f600"


def test_the_second_case_of_an_id_is_refused(tmp_path):
    rows = read_json_lines(tmp_path, b'{"case_id":"a"}', b'{"case_id":"b"}', b'{"case_id":"a","top":1}')
    assert outline(rows) == ["a", "b", (3, "case_id")]


def test_a_refused_case_does_not_use_up_its_id(tmp_path):
    assert outline(read_json_lines(tmp_path, b'{"case_id":"a","top":0}', b'{"case_id":"a"}')) == [(1, "top"), "a"]


def test_a_line_may_be_as_long_as_the_limit_and_no_longer(tmp_path):
    case = b'{"case_id":"a"}'
    fits = case + b" " * (MAX_LINE_BYTES - len(case) - 1)
    rows = read_json_lines(tmp_path, fits, fits + b" ", b'{"case_id":"b"}')
    assert outline(rows) == ["a", (2, "the whole case"), "b"]


def test_a_line_of_10_mb_is_refused_without_being_held(tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_bytes(b'{"case_id":"' + b"x" * 10_000_000 + b'"}\n{"case_id":"b"}\n')
    list(read_cases(path))
    tracemalloc.start()
    rows = list(read_cases(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outline(rows) == [(1, "the whole case"), "b"]
    assert peak < 4_000_000


def test_rows_come_one_by_one_while_the_file_is_read(monkeypatch):
    class Endless(io.RawIOBase):
        read_lines = 0

        def readline(self, size: int = -1) -> bytes:
            self.read_lines += 1
            return b'{"case_id":"%d"}\n' % self.read_lines

    source = Endless()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(source))
    rows = read_cases("-")
    assert outline([next(rows), next(rows)]) == ["1", "2"]
    assert source.read_lines == 2


@pytest.mark.parametrize("dash", ["-", Path("-")])
def test_a_dash_is_json_lines_on_standard_input(monkeypatch, dash):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"case_id":"a"}\nx\n')))
    assert outline(list(read_cases(dash))) == ["a", (2, "the whole case")]


def test_empty_standard_input_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(DataFileError, match="standard input: found an empty file"):
        list(read_cases("-"))


# CSV


def test_a_csv_row_is_the_same_case(tmp_path):
    cells = ",".join(f'"{cell}"' for cell in FULL_ROW.values())
    content = f"{','.join(FULL_ROW)}\r\n{cells}\r\n".encode()
    assert read(tmp_path, "cases.csv", content) == [Case.model_validate(FULL_CASE)]
    assert read(tmp_path, "marked.csv", b"\xef\xbb\xbf" + content) == [Case.model_validate(FULL_CASE)]


def test_an_empty_cell_is_an_absent_field(tmp_path):
    content = ",".join(COLUMNS) + "\na" + "," * (len(COLUMNS) - 1)
    assert read(tmp_path, "cases.csv", content.encode()) == [Case(case_id="a")]


def test_a_line_break_inside_quotes_counts_as_a_line(tmp_path):
    rows = read(tmp_path, "cases.csv", b'case_id,struggle,top\na,"one\ntwo\r\nthree",3\nb,x,0\n\nc,y,x\n')
    assert isinstance(rows[0], Case)
    assert rows[0].struggle == "one\ntwo\r\nthree"
    assert outline(rows) == ["a", (5, "top"), (7, "top")]


def test_doubled_quotes_are_one_quote(tmp_path):
    (row,) = read(tmp_path, "cases.csv", b'case_id,struggle\na,"They say ""no"", loudly"\n')
    assert isinstance(row, Case)
    assert row.struggle == 'They say "no", loudly'


def test_a_row_with_broken_quoting_does_not_swallow_the_next(tmp_path):
    lines = ["case_id,struggle,top", "a,fine,3", 'b,"left open,3', 'c,"quoted, fine",3', 'd,"shut"early,3', "e,fine,3"]
    rows = read(tmp_path, "cases.csv", "\n".join(lines).encode())
    assert outline(rows) == ["a", (3, "the whole case"), "c", (5, "the whole case"), "e"]


def test_a_quote_left_open_at_the_end_of_the_file_costs_one_row(tmp_path):
    rows = read(tmp_path, "cases.csv", b'case_id,struggle\na,"left open\nb,fine\nc,fine')
    assert outline(rows) == [(2, "the whole case"), "b", "c"]


def test_a_quote_left_open_over_a_long_file_costs_one_row_and_little_memory(tmp_path):
    good = [b"c%d,%s" % (number, b"x" * 2_000) for number in range(2_000)]
    rows = read(tmp_path, "cases.csv", b"\n".join([b"case_id,struggle", b'a,"open', *good]))
    assert outline(rows[:3]) == [(2, "the whole case"), "c0", "c1"]
    assert len(rows) == 2_001


def test_a_row_of_many_quoted_line_breaks_is_bounded(tmp_path):
    endless = b'a,"' + b'\n","'.join([b"x" * 60_000] * 40)
    rows = read(tmp_path, "cases.csv", b"case_id,struggle\n" + endless + b'"\nb,fine\n')
    assert "over" in rows[0].found
    assert outline(rows[-1:]) == ["b"]


def test_a_csv_line_over_the_limit_costs_one_row(tmp_path):
    rows = read(tmp_path, "cases.csv", b"case_id\n" + b"x" * 3_000_000 + b"\nb\n")
    assert outline(rows) == [(2, "the whole case"), "b"]


@pytest.mark.parametrize(("row", "cells"), [("a", 1), ("a,b,c", 3)])
def test_a_row_with_too_many_or_too_few_cells_is_refused(tmp_path, row, cells):
    rows = read(tmp_path, "cases.csv", f"case_id,struggle\n{row}\nz,fine\n".encode())
    assert outline(rows) == [(2, "the whole case"), "z"]
    assert rows[0].found == f"{cells} cells"


def test_rows_of_nothing_but_empty_cells_are_skipped(tmp_path):
    assert outline(read(tmp_path, "cases.csv", b"case_id,struggle\n,\na,x\n,\n")) == ["a"]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("top", "3.0"),
        ("top", "three"),
        ("top", " 3"),
        ("top", "03"),
        ("top", "\u0663"),
        ("top", "9" * 5_000),
        ("top", "116"),
        ("context.minutes_per_week", "1e2"),
        ("context.minutes_per_week", "30 min"),
        ("context.mix", "nan"),
        ("context.mix", "inf"),
        ("context.mix", "1e999"),
        ("context.mix", "1_0"),
        ("context.mix", "50%"),
        ("context.fit_minutes", "yes"),
        ("context.fit_minutes", "1"),
        ("context.fit_minutes", "True "),
        ("context.grade_band", "kindergarten"),
        ("context.interests", "questioning-discourse;sport"),
        ("declined", "cold-calling;nothing-like-it"),
        ("struggle", "x" * 4_001),
        ("teacher_id", "t\x07"),
    ],
)
def test_a_cell_that_is_not_its_fields_value_is_refused_by_column(tmp_path, column, cell):
    rows = read(tmp_path, "cases.csv", f"case_id,{column}\na,{cell}\n".encode())
    assert outline(rows) == [(2, column)]
    table = pa.table({"case_id": ["a"], column: [cell]})
    assert outline(read_table(tmp_path, table)) == [(1, column)]


@pytest.mark.parametrize("cell", ["0", "1", "0.5", "5e-1", "-0"])
def test_a_number_is_written_as_in_json(tmp_path, cell):
    (row,) = read(tmp_path, "cases.csv", f"case_id,context.mix\na,{cell}\n".encode())
    assert isinstance(row, Case)
    assert row.context.mix == float(cell)


@pytest.mark.parametrize(("cell", "value"), [("true", True), ("false", False), ("TRUE", True), ("FALSE", False)])
def test_truth_is_read_as_json_or_a_spreadsheet_writes_it(tmp_path, cell, value):
    (row,) = read(tmp_path, "cases.csv", f"case_id,context.fit_minutes\na,{cell}\n".encode())
    assert isinstance(row, Case)
    assert row.context.fit_minutes is value


def test_bytes_that_are_not_utf_8_cost_one_row(tmp_path):
    rows = read(tmp_path, "cases.csv", b"case_id,struggle\na,caf\xe9\nb,caf\xc3\xa9\nc,\xed\xa0\x80\n")
    assert outline(rows) == [(2, "struggle"), "b", (4, "struggle")]
    assert "UTF-8" in rows[0].wanted
    assert outline(read(tmp_path, "cases.csv", b"case_id,context.subject\na,fran\xe7ais\n")) == [(2, "context.subject")]


def test_an_unknown_column_refuses_the_file_by_name(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_bytes(b"case_id,strugle\na,x\n")
    assert "'strugle'" in refusal(path).found
    pq.write_table(pa.table({"case_id": ["a"], "context": [{"mix": 0.5}]}), tmp_path / "cases.parquet")
    assert "'context'" in refusal(tmp_path / "cases.parquet").found


def test_a_column_given_twice_refuses_the_file(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_bytes(b"case_id,top,top\na,1,2\n")
    assert refusal(path).found == "the column top twice"


def test_a_file_whose_first_row_is_a_case_is_refused_without_repeating_it(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_bytes(b"c1,planted struggle about hands\nc2,x\n")
    error = refusal(path)
    assert error.found == "no column case_id"
    assert "planted" not in str(error)
    path.write_bytes(b'case_id,"planted, struggle!"\nc2,x\n')
    assert refusal(path).found == "an unknown column number 2"


def test_a_first_row_that_is_no_csv_refuses_the_file(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_bytes(b'case_id,"struggle\na,planted\n')
    assert "planted" not in str(refusal(path))


# Parquet


def test_a_parquet_row_is_the_same_case_whether_typed_or_text(tmp_path):
    typed = {
        **FULL_ROW,
        "context.minutes_per_week": 30,
        "context.mix": 0.25,
        "context.fit_minutes": True,
        "top": 5,
    }
    for row in (typed, FULL_ROW):
        assert read_table(tmp_path, pa.Table.from_pylist([row])) == [Case.model_validate(FULL_CASE)]


def test_parquet_rows_are_counted_from_one_across_batches(tmp_path):
    tops: list[int | None] = [None] * 1_300
    tops[0] = tops[1_299] = 0
    rows = read_table(tmp_path, pa.table({"case_id": [f"c{n}" for n in range(1_300)], "top": tops}))
    assert [row for row in outline(rows) if isinstance(row, tuple)] == [(1, "top"), (1_300, "top")]


def test_whole_floats_are_whole_numbers_because_data_frames_store_them_so(tmp_path):
    rows = read_table(tmp_path, pa.table({"case_id": ["a", "b", "c", "d"], "top": [5.0, None, 2.5, float("nan")]}))
    assert outline(rows) == ["a", "b", (3, "top"), (4, "top")]
    assert isinstance(rows[0], Case)
    assert rows[0].top == 5


def test_a_parquet_text_that_is_not_utf_8_costs_one_row(tmp_path):
    text = pa.array([b"caf\xe9", b"fine"], pa.binary()).view(pa.string())
    assert outline(read_table(tmp_path, pa.table({"case_id": ["a", "b"], "struggle": text}))) == [(1, "struggle"), "b"]


def test_a_repeated_id_is_refused_in_flat_files_too(tmp_path):
    assert outline(read_table(tmp_path, pa.table({"case_id": ["a", "a"]}))) == ["a", (2, "case_id")]
    assert outline(read(tmp_path, "cases.csv", b"case_id\na\na\n")) == ["a", (3, "case_id")]


def test_a_file_that_is_not_parquet_is_refused(tmp_path):
    path = tmp_path / "cases.parquet"
    path.write_bytes(b'{"case_id":"planted"}')
    error = refusal(path)
    assert error.found == "a file that is not Parquet"
    assert error.way_out
    assert "planted" not in str(error)


def test_a_parquet_file_cut_short_is_refused(tmp_path):
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"case_id": ["a"]}), whole)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole.read_bytes()[:-20])
    assert refusal(cut).found == "a file that is not Parquet"


# Any file


def test_a_path_that_cannot_be_read_is_refused_at_once_with_the_way_out(tmp_path):
    folder = tmp_path / "cases.csv"
    folder.mkdir()
    empty = tmp_path / "empty.parquet"
    empty.touch()
    for path, found in [(tmp_path / "no.jsonl", "no such file"), (folder, "a folder"), (empty, "an empty file")]:
        with pytest.raises(DataFileError) as caught:
            read_cases(path)
        assert caught.value.found == found
        assert caught.value.way_out
        assert caught.value.where == str(path)


@pytest.mark.parametrize("name", ["cases.json", "cases.xlsx", "cases.jsonl.gz", "cases"])
def test_an_unknown_suffix_is_refused_at_once(tmp_path, name):
    (tmp_path / name).write_bytes(b'{"case_id":"a"}')
    with pytest.raises(DataFileError, match=r"\.jsonl, \.ndjson, \.json-lines, \.csv, \.parquet"):
        read_cases(tmp_path / name)


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", b"\n \n"), ("a.csv", b"case_id\n"), ("b.csv", b"\n")])
def test_a_file_without_a_row_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path / name).found == "an empty file"


def test_a_refused_value_is_never_repeated(tmp_path):
    marker = "planted marker"
    shapes: list[object] = [
        {"case_id": "1", "struggle": marker * 400},
        {"case_id": "2", marker: 1},
        {"case_id": "3", "context": {marker: 1, "grade_band": marker}},
        {"case_id": "4", "context": {"grade_band": marker}},
        {"case_id": "5", "declined": [marker]},
        {"case_id": "6", "struggle": {marker: marker}},
        {"case_id": marker * 50},
        {"case_id": "8", "observations": [{"value": marker, marker: marker}]},
        [marker],
        marker,
    ]
    lines = [json.dumps(shape).encode() for shape in shapes]
    rows = read_json_lines(tmp_path, *lines, f'{{"{marker}":1,"{marker}":2}}'.encode(), marker.encode())
    assert [type(row) for row in rows] == [Reject] * 12
    assert marker not in "".join(row.to_json() for row in rows if isinstance(row, Reject))


def test_a_refused_cell_is_never_repeated(tmp_path):
    marker = "planted marker"
    filled = [
        (column, f"{number},{marker}")
        for number, column in enumerate(COLUMNS)
        if column not in ("case_id", "teacher_id")
    ]
    for column, row in filled:
        rows = read(tmp_path, "cases.csv", f"case_id,{column}\n{row}{' long' * 900}\n".encode())
        assert outline(rows) == [(2, column)]
        assert marker not in rows[0].to_json()
