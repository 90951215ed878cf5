import csv
import io

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from score_rubrics import TODAY

from recommender.catalogue.instruments import load_instruments
from recommender.errors import DataFileError, GrowthError
from recommender.exchange.score_schema import check_score_table
from recommender.exchange.segment_wide import read
from recommender.observations import scores as table

bounded = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MAP = {
    "instrument": "gti-2018",
    "columns": {"teacher_id": "TEACHID", "visit": "VIDEO", "observer": "RATER", "tenant": "CNT"},
    "observed_on": "2018-03-01",
}
HEADER = ["CNT", "TEACHID", "VIDEO", "RATER", "CCM1RT_S1", "CCM1RT_S2", "CDC2QT_S1", "CDC2QT_S2"]
HEADER += ["CCM0OV_S1", "CCM0OV_S2", "CCM_MEAN", "CCM9XX_S1"]
PLAIN = ["A", "101", "1", "7", "4", "3", "2", "1", "3", "3", "3.5", "2"]


def imported_from(tmp_path, *rows, header=HEADER, content=None, **changes):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    (tmp_path / "wide.csv").write_bytes(text.getvalue().encode() if content is None else content)
    document = {name: value for name, value in (MAP | changes).items() if value is not None}
    dates = {name: pd.Timestamp(value).date() for name, value in document.items() if name == "observed_on"}
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(document | dates))
    return read(tmp_path / "wide.csv", load_instruments(), tmp_path / "map.yaml", None, TODAY)


def cells(imported):
    return list(imported.scores[[table.ITEM, table.SEGMENT, table.VALUE]].itertuples(index=False, name=None))


def with_cells(**changes):
    return [changes.get(name, cell) for name, cell in zip(HEADER, PLAIN, strict=True)]


def test_every_item_column_of_a_segment_is_a_score_of_that_segment(tmp_path):
    imported = imported_from(tmp_path, PLAIN)
    assert cells(imported) == [("CM1RT", 1, 4), ("CM1RT", 2, 3), ("DC2QT", 1, 2), ("DC2QT", 2, 1)]
    row = imported.scores.to_dict("records")[0]
    assert (row["tenant"], row["teacher_id"], row["visit"]) == ("A", "101", "1")
    assert (row["observed_on"], row["observation_type"]) == (pd.Timestamp(2018, 3, 1), "research")
    check_score_table(imported.scores, "test")


def test_holistic_columns_are_dropped_and_counted_and_derived_means_are_not_read(tmp_path):
    imported = imported_from(tmp_path, PLAIN)
    assert "CM0OV" not in imported.scores[table.ITEM].tolist()
    assert imported.counts == {"rows": 1, "not scored": 0, "derived columns": 2}
    assert imported.unread_columns == ["CCM_MEAN", "CCM9XX_S1"]


@pytest.mark.parametrize("code", ["9997", "9998", "9999", "9998.0", "", " "])
def test_missing_codes_and_segments_that_are_not_there_are_no_scores(tmp_path, code):
    imported = imported_from(tmp_path, with_cells(CCM1RT_S2=code))
    assert ("CM1RT", 2) not in [cell[:2] for cell in cells(imported)]
    assert (imported.counts["not scored"], imported.rejects) == (1, [])


@pytest.mark.parametrize("cell", ["999", "5", "0", "998", "x", "99980"])
def test_what_only_looks_like_a_missing_code_is_refused_by_line_and_column(tmp_path, cell):
    imported = imported_from(tmp_path, PLAIN, with_cells(CDC2QT_S1=cell))
    assert [(reject.line, reject.field) for reject in imported.rejects] == [(3, "CDC2QT_S1")]
    assert len(imported.scores) == 7


def test_a_rater_number_is_one_person_only_within_a_country(tmp_path):
    imported = imported_from(tmp_path, PLAIN, with_cells(CNT="B"))
    assert imported.scores[table.OBSERVER].unique().tolist() == ["A:7", "B:7"]
    columns = {name: header for name, header in MAP["columns"].items() if name != "tenant"}
    assert imported_from(tmp_path, PLAIN, columns=columns).scores[table.OBSERVER].unique().tolist() == ["7"]
    assert imported_from(tmp_path, with_cells(RATER="")).scores[table.OBSERVER].unique().tolist() == ["UNK"]


def test_codes_without_the_leading_c_and_in_small_letters_are_the_same_items(tmp_path):
    header = [name.removeprefix("C") if "DC2QT" in name else name.lower() for name in HEADER]
    header[:4] = HEADER[:4]
    assert cells(imported_from(tmp_path, PLAIN, header=header)) == cells(imported_from(tmp_path, PLAIN))


def test_a_day_comes_from_a_column_or_from_the_map_and_from_one_of_them_only(tmp_path):
    header = [name.replace("CCM_MEAN", "DAY") for name in HEADER]
    row = [cell.replace("3.5", "02.03.2018") for cell in PLAIN]
    columns = MAP["columns"] | {"observed_on": "DAY"}
    imported = imported_from(tmp_path, row, header=header, columns=columns, observed_on=None, dates="%d.%m.%Y")
    assert imported.scores[table.OBSERVED_ON].unique().tolist() == [pd.Timestamp(2018, 3, 2)]
    with pytest.raises(DataFileError, match="two of them"):
        imported_from(tmp_path, row, header=header, columns=columns)
    with pytest.raises(DataFileError, match="no day of observation"):
        imported_from(tmp_path, PLAIN, observed_on=None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"instrument": "gti"}, "gti"),
        ({"columns": {"teacher_id": "TEACHID"}}, "visit"),
        ({"columns": {"teacher_id": "TEACHER", "visit": "VIDEO"}}, "no columns 'TEACHER'"),
        ({"instrument": "danielson-2022"}, "no column of scores"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(tmp_path, changes, said):
    with pytest.raises(DataFileError, match=said):
        imported_from(tmp_path, PLAIN, **changes)


def test_the_same_item_and_segment_in_two_columns_is_refused(tmp_path):
    header = [name.replace("CCM9XX_S1", "CM1RT_S1") for name in HEADER]
    with pytest.raises(DataFileError, match="twice"):
        imported_from(tmp_path, PLAIN, header=header)


marks = st.sampled_from(["1", "2", "3.5", "4", "9998", "9999", "", "5", "0", "x"])


@bounded
@given(st.lists(st.lists(marks, min_size=4, max_size=4), min_size=1, max_size=5))
def test_every_imported_value_is_its_cell(tmp_path, rows):
    expected = [float(mark) for row in rows for mark in row if mark in ("1", "2", "3.5", "4")]
    refused = sum(mark in ("5", "0", "x") for row in rows for mark in row)
    imported = imported_from(tmp_path, *[[*PLAIN[:4], *row, *PLAIN[8:]] for row in rows])
    assert imported.scores[table.VALUE].tolist() == expected
    assert len(imported.rejects) == refused
    assert imported.counts["not scored"] == 4 * len(rows) - len(expected) - refused


@bounded
@given(st.lists(st.tuples(st.binary(max_size=12), st.integers(0, 500)), max_size=5))
def test_damaged_files_are_a_table_or_a_plain_refusal(tmp_path, damages):
    content = bytearray("\n".join([",".join(HEADER)] + [",".join(PLAIN)] * 4).encode())
    for piece, place in damages:
        content[place % len(content) : place % len(content) + len(piece)] = piece
    try:
        imported = imported_from(tmp_path, content=bytes(content))
    except GrowthError:
        return
    check_score_table(imported.scores, "test")
