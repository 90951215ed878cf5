import csv
import io
import math
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from score_rubrics import INSTRUMENTS, RUBRIC, TODAY

from recommender.errors import DataFileError, GrowthError
from recommender.exchange.observation_files import (
    read_observation_csv,
    read_observation_rows,
    read_observations,
)
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.score_schema import check_score_table
from recommender.observations import scores as table

bounded = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROW = {
    "teacher_id": "t1",
    "visit": "v1",
    "observed_on": "2026-10-02",
    "observer": "o1",
    "instrument": "own-1",
    "item": "3b",
    "value": "3",
}


def csv_bytes(*rows, columns=None):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns or list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read_bytes(tmp_path, content, name="scores.csv", **options):
    path = tmp_path / name
    path.write_bytes(content)
    return read_observations(path, INSTRUMENTS, today=TODAY, **options)


def read(tmp_path, *rows, **options):
    return read_bytes(tmp_path, csv_bytes(*rows), **options)


def read_table(tmp_path, **columns):
    length = len(next(iter(columns.values())))
    filled = {name: [value] * length for name, value in ROW.items()} | columns
    pq.write_table(pa.table(filled), tmp_path / "scores.parquet")
    return read_observations(tmp_path / "scores.parquet", INSTRUMENTS, today=TODAY)


def values(file):
    return file.scores[table.VALUE].tolist()


def rejected(file):
    return [(reject.line, reject.field) for reject in file.rejects]


def refusal(tmp_path, content, name="scores.csv"):
    with pytest.raises(DataFileError) as caught:
        read_bytes(tmp_path, content, name)
    return str(caught.value)


# What a row becomes


def test_a_row_of_only_the_required_columns_is_a_score_with_everything_else_blank(tmp_path):
    file = read(tmp_path, ROW)
    (row,) = file.scores.to_dict("records")
    assert row == {
        "teacher_id": "t1",
        "visit": "v1",
        "observed_on": pd.Timestamp(2026, 10, 2),
        "observer": "o1",
        "instrument": "own-1",
        "item": "3b",
        "value": 3.0,
        "tenant": "",
        "school": "",
        "segment": 0,
        "observation_type": "",
        "observer_role": "",
        "note": "",
    }
    assert (file.rows, file.not_scored, file.rejects, file.unread_columns) == (1, 0, [], [])
    assert tuple(file.scores.columns) == table.COLUMNS
    assert file.scores.dtypes[table.OBSERVED_ON] == "datetime64[ns]"
    check_score_table(file.scores, "test")


def test_optional_columns_are_read_in_any_order_with_words_in_any_case(tmp_path):
    optional = {"note": "3 of 14, all by\nthe same", "segment": "2", "observation_type": "Walkthrough "}
    optional |= {"observer_role": "coach", "tenant": "D1", "school": "Lincoln High"}
    (row,) = read(tmp_path, dict(reversed((ROW | optional).items()))).scores.to_dict("records")
    assert {name: row[name] for name in optional} == optional | {"segment": 2, "observation_type": "walkthrough"}


def test_a_byte_order_mark_line_ends_of_windows_and_spaces_round_ids_change_nothing(tmp_path):
    plain = read(tmp_path, ROW).scores
    spaced = csv_bytes({name: f" {value} " for name, value in ROW.items()}, columns=list(ROW))
    assert read_bytes(tmp_path, b"\xef\xbb\xbf" + spaced).scores.equals(plain)
    assert read_bytes(tmp_path, spaced.replace(b"\r\n", b"\n")).scores.equals(plain)


def test_an_empty_observer_is_unknown(tmp_path):
    assert read(tmp_path, ROW | {"observer": " "}).scores[table.OBSERVER].tolist() == ["UNK"]


@pytest.mark.parametrize(
    ("item", "raw", "value"),
    [
        ("3b", "meets", 3),
        ("3b", " EXCEEDS ", 4),
        ("3b", "2.5", 2.5),
        ("3b", "4.0", 4),
        ("3c", "0", 0),
        ("3c", "-0.0", 0),
        ("3c", "87.3", 87.3),
        ("0OV", "2", 2),
    ],
)
def test_a_value_is_a_number_or_a_label_of_the_items_own_scale(tmp_path, item, raw, value):
    file = read(tmp_path, ROW | {"item": item, "value": raw})
    assert values(file) == [value]
    assert math.copysign(1, values(file)[0]) == 1


def test_blank_values_and_missing_labels_are_counted_and_are_no_mistake(tmp_path):
    raws = ["", " ", "n/a", "Not  Demonstrated", "3"]
    file = read(tmp_path, *[ROW | {"value": raw} for raw in raws])
    assert (values(file), file.not_scored, file.rejects, file.rows) == ([3], 4, [], 5)


@pytest.mark.parametrize(
    "day", ["2026-10-02", "2026-10-02T23:59:00Z", "2026-10-02 08:15:01.5", "2026-10-02T08:15+02:00"]
)
def test_a_date_may_carry_a_time_which_is_left_out(tmp_path, day):
    assert read(tmp_path, ROW | {"observed_on": day}).scores[table.OBSERVED_ON].tolist() == [pd.Timestamp(2026, 10, 2)]


def test_today_is_not_the_future(tmp_path):
    assert not read(tmp_path, ROW | {"observed_on": TODAY.isoformat()}).rejects
    assert read(tmp_path, ROW | {"observed_on": (TODAY + timedelta(1)).isoformat()}).rejects[0].found == (
        "a date later than today"
    )


# What is refused


@pytest.mark.parametrize(
    ("column", "cell", "found"),
    [
        ("teacher_id", "", "nothing"),
        ("teacher_id", "x" * 201, "201 characters"),
        ("teacher_id", "ana.l@school.org", "what looks like an e-mail address"),
        ("observer", "b@c", "what looks like an e-mail address"),
        ("school", "office@lincoln.org", "what looks like an e-mail address"),
        ("tenant", "a@b.org", "what looks like an e-mail address"),
        ("teacher_id", "Ana Lopez", "what looks like a person's name"),
        ("observer", "Lopez, Ana", "what looks like a person's name"),
        ("teacher_id", "t\x001", "a control character"),
        ("visit", " ", "nothing"),
        ("observed_on", "", "nothing"),
        ("observed_on", "10/02/2026", "text that is no date"),
        ("observed_on", "2026-02-30", "a day that no calendar has"),
        ("observed_on", "2027-01-01", "a date later than today"),
        ("observed_on", "1900-01-01", "a date before 1990"),
        ("instrument", "own-2", "an unknown instrument"),
        ("instrument", "", "nothing"),
        ("item", "9z", "an unknown item"),
        ("value", "Great", "text that is neither a number nor a level label"),
        ("value", "3,5", "text that is neither a number nor a level label"),
        ("value", "3_0", "text that is neither a number nor a level label"),
        ("value", "5", "a number outside the scale"),
        ("value", "0.99", "a number outside the scale"),
        ("value", "1e999", "a number that is not finite"),
        ("value", "NaN", "text that is neither a number nor a level label"),
        ("segment", "-1", "another value"),
        ("segment", "1.5", "another value"),
        ("segment", "1001", "another value"),
        ("observation_type", "drop-in", "another word"),
        ("observer_role", "boss", "another word"),
        ("note", "x" * 4001, "4001 characters"),
    ],
)
def test_a_bad_cell_costs_its_row_alone_and_is_named_by_line_and_column(tmp_path, column, cell, found):
    full = {"school": "", "tenant": "", "segment": "", "observation_type": "", "observer_role": "", "note": ""} | ROW
    file = read(tmp_path, full, full | {column: cell}, full | {"value": "4"})
    assert values(file) == [3, 4]
    (reject,) = file.rejects
    assert (reject.line, reject.field, reject.found) == (3, column, found)
    assert reject.wanted
    assert file.rows == 3


def test_a_reject_never_repeats_what_a_person_wrote(tmp_path):
    text = "ask Maria"
    file = read(
        tmp_path, *[ROW | {"note": ""} | {column: text} for column in ("value", "item", "instrument", "segment")]
    )
    said = " ".join(reject.to_json() for reject in file.rejects)
    assert len(file.rejects) == 4
    assert "Maria" not in said


def test_a_row_with_many_mistakes_is_one_reject(tmp_path):
    assert rejected(read(tmp_path, dict.fromkeys(ROW, "?") | {"teacher_id": ""})) == [(2, "teacher_id")]


def test_rejects_are_in_file_order_whatever_stage_refused_them(tmp_path):
    bad = [{"value": "9"}, {"observed_on": "x"}, {"value": "9"}, {"teacher_id": ""}]
    file = read_bytes(tmp_path, csv_bytes(*[ROW | each for each in bad]) + b"only,two\r\n")
    assert rejected(file) == [
        (2, "value"),
        (3, "observed_on"),
        (4, "value"),
        (5, "teacher_id"),
        (6, "the whole row"),
    ]
    assert file.rows == 5


def test_the_line_is_the_physical_one_behind_notes_of_several_lines(tmp_path):
    file = read(tmp_path, ROW | {"note": "a\nb\nc"}, ROW | {"note": "", "value": "x"})
    assert rejected(file) == [(5, "value")]


def test_bytes_that_are_not_utf8_are_refused_where_they_stand(tmp_path):
    content = csv_bytes(ROW | {"teacher_id": "t-é"}).decode().encode("cp1252")
    (reject,) = read_bytes(tmp_path, content).rejects
    assert (reject.field, reject.found) == ("teacher_id", "bytes that are not UTF-8")


def test_with_a_key_person_like_ids_are_replaced_and_others_kept(tmp_path):
    key = Pseudonyms(b"a key of sixteen")
    file = read(tmp_path, ROW | {"observer": "Ana Lopez"}, ROW | {"observer": "ana  lopez"}, pseudonyms=key)
    assert file.scores[table.OBSERVER].tolist() == [key.of("observer", "Ana Lopez"), "ana  lopez"]
    assert file.scores[table.TEACHER].tolist() == ["t1", "t1"]


# Whole files


def test_unknown_columns_are_listed_and_not_read_and_a_column_that_may_be_text_is_not_repeated(tmp_path):
    file = read(tmp_path, ROW | {"Years": "Maria", "what I saw in class today": "x", "source_row_hash": "x"})
    assert file.unread_columns == ["Years", "a field of another name"]
    assert values(file) == [3]


@pytest.mark.parametrize("column", list(ROW))
def test_a_file_without_a_required_column_is_refused_by_its_name(tmp_path, column):
    content = csv_bytes({name: value for name, value in ROW.items() if name != column})
    assert f"no column {column}" in refusal(tmp_path, content)


def test_a_column_given_twice_an_empty_file_and_other_formats_are_refused(tmp_path):
    twice = ",".join([*ROW, "value"]).encode() + b"\n"
    assert "the column value twice" in refusal(tmp_path, twice)
    assert "an empty file" in refusal(tmp_path, b"")
    assert "an empty file" in refusal(tmp_path, ",".join(ROW).encode() + b"\n")
    assert "JSON Lines" in refusal(tmp_path, b"{}", "scores.jsonl")
    assert "suffix" in refusal(tmp_path, b"", "scores.xls")
    assert "not Parquet" in refusal(tmp_path, b"PAR1", "scores.parquet")


# Parquet


def test_parquet_cells_keep_their_types_and_a_null_is_blank(tmp_path):
    file = read_table(
        tmp_path,
        value=pa.array([3, None, 2.5]),
        observed_on=pa.array([date(2026, 10, 2)] * 3),
        segment=pa.array([1.0, None, 2.0]),
        teacher_id=pa.array([7.0, 8.0, 9.0]),
        note=pa.array(["x", None, None]).dictionary_encode(),
    )
    assert file.not_scored == 1
    assert values(file) == [3, 2.5]
    assert file.scores[table.SEGMENT].tolist() == [1, 2]
    assert file.scores[table.TEACHER].tolist() == ["7", "9"]
    assert file.scores[table.NOTE].tolist() == ["x", ""]


@pytest.mark.parametrize(
    "days",
    [
        pa.array([datetime(2026, 10, 2, 9)], pa.timestamp("ns")),
        pa.array([datetime(2026, 10, 2, 9)], pa.timestamp("s", "America/Chicago")),
        pa.array([datetime(2026, 10, 2)], pa.date64()),
        pa.array(["2026-10-02"], pa.large_string()),
    ],
)
def test_parquet_dates_of_every_type_are_the_same_day(tmp_path, days):
    assert read_table(tmp_path, observed_on=days).scores[table.OBSERVED_ON].tolist() == [pd.Timestamp(2026, 10, 2)]


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (pa.array([math.nan]), "a number that is not finite"),
        (pa.array([math.inf]), "a number that is not finite"),
        (pa.array([True]), "text that is neither a number nor a level label"),
        (pa.array([2**62]), "a number outside the scale"),
        (pa.array([date(2026, 10, 2)]), "a value of type date"),
    ],
)
def test_parquet_values_that_are_no_scores_are_refused(tmp_path, cells, found):
    (reject,) = read_table(tmp_path, value=cells).rejects
    assert (reject.line, reject.field, reject.found) == (1, "value", found)


def test_parquet_decimals_and_whole_items_are_read_and_nested_columns_refused(tmp_path):
    assert values(read_table(tmp_path, value=pa.array([Decimal("2.5")]))) == [2.5]
    with pytest.raises(DataFileError, match="list"):
        read_table(tmp_path, value=pa.array([[1]]))


def test_csv_and_parquet_of_one_table_are_the_same(tmp_path):
    rows = [ROW | {"value": value, "segment": "1", "note": note} for value, note in (("1.5", "a"), ("Meets", ""))]
    frame = pd.DataFrame(rows)
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "scores.parquet")
    from_parquet = read_observations(tmp_path / "scores.parquet", INSTRUMENTS, today=TODAY)
    assert from_parquet.scores.equals(read(tmp_path, *rows).scores)


# Properties

numbers = st.floats(0, 100, allow_nan=False) | st.integers(0, 100)
raw_values = st.sampled_from(["Below", "near", "MEETS", "Exceeds", "", "N/A"]) | numbers.map(repr) | st.text(max_size=8)


@bounded
@given(st.lists(st.tuples(st.sampled_from(["2a", "3b", "3c", "zz"]), raw_values), min_size=1, max_size=12))
def test_every_row_is_its_own_instruments_reading_not_scored_or_refused(tmp_path, cells):
    expected, not_scored, refused = [], 0, 0
    for item, raw in cells:
        try:
            clean = raw.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            score = RUBRIC.score(item, clean)
        except GrowthError:
            refused += 1
            continue
        if score is None:
            not_scored += 1
        else:
            expected.append(score)
    file = read(tmp_path, *[ROW | {"item": item, "value": raw} for item, raw in cells])
    assert values(file) == expected
    assert (file.not_scored, len(file.rejects), file.rows) == (not_scored, refused, len(cells))


@bounded
@given(st.lists(st.tuples(st.binary(max_size=30), st.integers(0, 2_000)), min_size=1, max_size=8))
def test_damaged_files_give_true_scores_or_a_plain_refusal(tmp_path, damages):
    content = bytearray(csv_bytes(*[ROW | {"teacher_id": f"t{n}", "note": f'say "{n}", then'} for n in range(8)]))
    for piece, place in damages:
        content[place % len(content) : place % len(content) + len(piece) // 2] = piece
    try:
        file = read_bytes(tmp_path, bytes(content))
    except GrowthError:
        return
    check_score_table(file.scores, "test")
    assert len(file.scores) + file.not_scored + len(file.rejects) == file.rows


@bounded
@given(st.binary(max_size=200), st.sampled_from(["scores.csv", "scores.parquet"]))
def test_any_bytes_are_rows_or_a_plain_refusal(tmp_path, content, name):
    try:
        file = read_bytes(tmp_path, content, name)
    except GrowthError:
        return
    assert len(file.scores) == 0


@bounded
@given(st.integers(0), st.integers(1, 255))
def test_a_damaged_byte_in_a_parquet_file_is_rows_or_a_plain_refusal(tmp_path, position, change):
    path = tmp_path / "scores.parquet"
    pq.write_table(pa.table({name: [value] * 3 for name, value in ROW.items()}), path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= change
    try:
        file = read_bytes(tmp_path, bytes(content), "scores.parquet")
    except GrowthError:
        return
    check_score_table(file.scores, "test")


def test_many_rows_with_few_distinct_cells_are_read_the_same_as_one_by_one(tmp_path):
    random = np.random.default_rng(5)
    rows = [
        ROW | {"teacher_id": f"t{random.integers(30)}", "value": f"{random.integers(1, 5)}", "item": item}
        for item in random.choice(["2a", "3b"], 3_000)
    ]
    file = read(tmp_path, *rows)
    assert values(file) == [float(row["value"]) for row in rows]
    assert file.scores[table.TEACHER].tolist() == [row["teacher_id"] for row in rows]
    assert file.scores[table.ITEM].tolist() == [row["item"] for row in rows]


def test_an_open_stream_and_a_list_of_objects_read_as_the_file_does(tmp_path):
    rows = [ROW, ROW | {"item": "9z"}, ROW | {"visit": "v2", "value": "4", "note": "14 questions"}, ROW | {"visit": ""}]
    of_file = read(tmp_path, *(dict.fromkeys([*ROW, "note"], "") | row for row in rows))
    content = io.BytesIO(csv_bytes(*rows, columns=[*ROW, "note"]))
    of_stream = read_observation_csv(content, INSTRUMENTS, today=TODAY)
    of_list = read_observation_rows(rows, INSTRUMENTS, today=TODAY)
    for other in (of_stream, of_list):
        pd.testing.assert_frame_equal(
            other.scores[list(table.REQUIRED_COLUMNS)], of_file.scores[list(table.REQUIRED_COLUMNS)]
        )
    # Lines of a file count from its header, places of a list from 1.
    assert [(r.line, r.field) for r in of_file.rejects] == [(3, "item"), (5, "visit")]
    assert of_stream.rejects == of_file.rejects
    assert [(r.line, r.field) for r in of_list.rejects] == [(2, "item"), (4, "visit")]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("Marker", "the whole row"),
        (None, "the whole row"),
        (ROW | {"Marker": 1}, "the whole row"),
        (ROW | {"teacher_id": {"Marker": 1}}, "teacher_id"),
        (ROW | {"value": True}, "value"),
        (ROW | {"value": float("inf")}, "value"),
        (ROW | {"value": float("nan")}, "value"),
        (ROW | {"value": 10**400}, "value"),
        (ROW | {"segment": 0.5}, "segment"),
        (ROW | {"value": None}, None),
    ],
)
def test_an_object_that_is_no_score_is_refused_alone_and_not_repeated(row, field):
    read_rows = read_observation_rows([ROW, row], INSTRUMENTS, today=TODAY)
    assert len(read_rows.scores) == 1
    assert [(r.line, r.field) for r in read_rows.rejects] == ([(2, field)] if field else [])
    assert read_rows.not_scored == (field is None)
    assert "Marker" not in str(read_rows.rejects)


def test_no_rows_are_refused_as_an_empty_file():
    with pytest.raises(DataFileError, match="rows: found an empty file"):
        read_observation_rows([], INSTRUMENTS)
