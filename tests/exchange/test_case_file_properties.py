"""Properties that hold for any case and any bytes."""

import csv
import json
import tracemalloc
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from recommender.cases import Case, Context, Observation
from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.subjects import SUBJECTS
from recommender.errors import DataFileError
from recommender.exchange.case_files import read_cases
from recommender.exchange.flat_cases import COLUMNS
from recommender.exchange.rejects import Reject

bounded = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

text = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n\r\t",;'), max_size=40)
identifiers = text.filter(bool)
skills = st.lists(st.sampled_from(load_catalogue().ids), max_size=4)
contexts = st.builds(
    Context,
    grade_band=st.sampled_from(["elementary", "middle", "high", "unknown"]),
    subject=st.sampled_from(SUBJECTS),
    career_stage=st.sampled_from(["student", "early", "mid", "veteran", "unknown"]),
    minutes_per_week=st.none() | st.integers(1, 2_000),
    interests=st.lists(st.sampled_from(load_catalogue().domains), max_size=3),
    mix=st.floats(0, 1),
    fit_minutes=st.booleans(),
)
observations = st.builds(
    Observation,
    instrument=identifiers,
    item=identifiers,
    value=st.floats(allow_nan=False, allow_infinity=False) | identifiers,
    observed_on=st.dates(date(1990, 1, 1)),
    observer=st.none() | identifiers,
    segment=st.integers(0, 1_000),
    note=st.none() | text,
)
flat_fields = {
    "case_id": identifiers,
    "teacher_id": st.none() | identifiers,
    "struggle": text,
    "context": contexts,
    "declined": skills,
    "top": st.integers(1, 115),
}
flat_cases = st.builds(Case, **flat_fields)
cases = st.builds(Case, **flat_fields, observations=st.lists(observations, max_size=3))

names = st.sampled_from(["case_id", "context", "top", "mix", "observations"]) | text
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def lists_of(case: st.SearchStrategy[Case]) -> st.SearchStrategy[list[Case]]:
    return st.lists(case, min_size=1, max_size=5, unique_by=lambda each: each.case_id)


def flat(case: Case) -> dict[str, object]:
    content = case.model_dump(exclude={"observations"})
    content |= {f"context.{name}": value for name, value in content.pop("context").items()}
    return {name: ";".join(value) if isinstance(value, list) else value for name, value in content.items()}


def write_json_lines(path: Path, content: list[Case]) -> None:
    path.write_text("".join(case.model_dump_json() + "\n" for case in content), encoding="utf-8")


def write_csv(path: Path, content: list[Case]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.DictWriter(stream, COLUMNS)
        rows.writeheader()
        for case in content:
            row = flat(case)
            rows.writerow({**row, "context.fit_minutes": str(row["context.fit_minutes"]).lower()})


def rows_or_refusal(path: Path) -> list[object]:
    """The rows, with the refusal of the file after them where there is one."""
    rows: list[object] = []
    try:
        rows.extend(read_cases(path))
    except DataFileError as error:
        rows.append(error)
    return rows


def is_blank(line: bytes) -> bool:
    return not line.strip()


@bounded
@given(lists_of(cases))
def test_any_cases_come_back_from_json_lines_as_they_were(tmp_path, content):
    write_json_lines(tmp_path / "cases.jsonl", content)
    assert list(read_cases(tmp_path / "cases.jsonl")) == content


@bounded
@given(lists_of(flat_cases))
def test_flat_cases_are_the_same_in_json_lines_csv_and_parquet(tmp_path, content):
    write_json_lines(tmp_path / "cases.jsonl", content)
    write_csv(tmp_path / "cases.csv", content)
    pq.write_table(pa.Table.from_pylist([flat(case) for case in content]), tmp_path / "cases.parquet")
    for name in ("cases.jsonl", "cases.csv", "cases.parquet"):
        assert list(read_cases(tmp_path / name)) == content


@bounded
@given(st.lists(st.binary(max_size=60) | st.sampled_from([b'{"case_id":"a"}', b"{", b"\xef\xbb\xbf", b"\xff\xfe"])))
def test_every_line_of_any_bytes_is_a_case_or_a_reject(tmp_path, parts):
    content = b"\n".join(parts)
    expected = [n for n, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1) if not is_blank(line)]
    assume(expected)
    (tmp_path / "cases.jsonl").write_bytes(content)
    rows = list(read_cases(tmp_path / "cases.jsonl"))
    assert len(rows) == len(expected)
    for row, line in zip(rows, expected, strict=True):
        assert isinstance(row, Case) or row.line == line


@bounded
@given(
    st.lists(
        st.sampled_from([b'"', b",", b"\n", b"\r\n", b"a", b"b", b"\x00", b"\xff", b'""']) | st.binary(), max_size=60
    )
)
def test_any_bytes_under_a_csv_header_are_cases_and_rejects_in_file_order(tmp_path, parts):
    content = b"case_id,struggle\n" + b"".join(parts) + b"\nlast,fine"
    (tmp_path / "cases.csv").write_bytes(content)
    rows = list(read_cases(tmp_path / "cases.csv"))
    lines = [row.line for row in rows if isinstance(row, Reject)]
    assert lines == sorted(set(lines))
    assert all(2 <= line <= content.count(b"\n") + 1 for line in lines)
    assert len(rows) >= 1


@bounded
@given(st.integers(0, 5), st.integers(1, 6))
def test_a_row_left_open_costs_no_row_written_without_quotes(tmp_path, before, after):
    ids = [f"plain{number}" for number in range(before + after)]
    rows = [f"{each},fine" for each in ids]
    rows.insert(before, 'x,"left open')
    (tmp_path / "cases.csv").write_text("\n".join(["case_id,struggle", *rows]))
    read = list(read_cases(tmp_path / "cases.csv"))
    assert [row.case_id for row in read if isinstance(row, Case)] == ids
    assert [row.line for row in read if isinstance(row, Reject)] == [before + 2]


@bounded
@given(st.binary(max_size=200), st.sampled_from(["cases.csv", "cases.parquet"]))
def test_any_bytes_as_a_flat_file_are_rows_or_a_plain_refusal(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    rows = rows_or_refusal(tmp_path / name)
    assert rows
    assert all(isinstance(row, Case | Reject | DataFileError) for row in rows)


@bounded
@given(st.integers(0), st.integers(1, 255))
def test_a_damaged_byte_in_a_parquet_file_is_rows_or_a_plain_refusal(tmp_path, position, change):
    path = tmp_path / "cases.parquet"
    pq.write_table(pa.table({"case_id": ["a", "b", "c"], "struggle": ["x", None, "y"], "top": [1, 2, 200]}), path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= change
    path.write_bytes(content)
    rows = rows_or_refusal(path)
    assert rows
    assert all(isinstance(row, Case | Reject | DataFileError) for row in rows)


@bounded
@given(json_values)
def test_any_json_value_is_a_case_or_a_reject(tmp_path, value):
    (tmp_path / "cases.jsonl").write_text(json.dumps(value) + "\n")
    (row,) = read_cases(tmp_path / "cases.jsonl")
    assert isinstance(row, Case | Reject)


STRUGGLE = "x" * 3_000


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("cases.jsonl", "", f'{{{{"case_id":"{{}}","struggle":"{STRUGGLE}"}}}}\n'),
        ("cases.csv", "case_id,struggle\n", f"{{}},{STRUGGLE}\n"),
    ],
)
def test_memory_does_not_grow_with_the_file(tmp_path, name, header, row):
    def peak(rows: int) -> int:
        (tmp_path / name).write_text(header + "".join(row.format(number) for number in range(rows)))
        tracemalloc.start()
        cases = sum(isinstance(each, Case) for each in read_cases(tmp_path / name))
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert cases == rows
        return high

    peak(10)
    # 1,000 more rows hold 3 MB of text; the hashes of their ids about 0.1 MB.
    assert peak(1_200) - peak(200) < 500_000
