import csv
import io
from datetime import date, datetime

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from score_rubrics import INSTRUMENTS, TODAY

from recommender.errors import DataFileError, GrowthError
from recommender.exchange.district_sheets import read
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.score_schema import check_score_table
from recommender.exchange.sheet_rows import MAX_SHEET_ROWS, sheet_rows
from recommender.observations import scores as table

bounded = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MAP = {
    "instrument": "own-1",
    "columns": {
        "teacher_id": "Employee ID",
        "observed_on": "Date",
        "observer": "Evaluator ID",
        "visit": "Obs #",
        "note": "Comments",
        "observation_type": "Type",
    },
    "items": {"2a Respect": "2a", "3b Questioning": "3b", "3c Tasks (%)": "3c"},
    "labels": {"Highly Effective": 4, "Effective": 3, "Developing": 2, "No evidence": None},
    "dates": "%m/%d/%Y",
    "observation_types": {"Formal Eval": "formal", "Drop-in": "walkthrough"},
}
HEADER = [
    "Employee ID",
    "Name",
    "Date",
    "Evaluator ID",
    "Obs #",
    "Type",
    "2a Respect",
    "3b Questioning",
    "3c Tasks (%)",
]
HEADER += ["Comments"]
PLAIN = ["00123", "Ana Lopez", "10/02/2026", "E7", "1", "Drop-in", "Highly Effective", "3", "87.5", "three hands only"]


def write_map(tmp_path, **changes):
    path = tmp_path / "map.yaml"
    path.write_text(yaml.safe_dump({name: value for name, value in (MAP | changes).items() if value is not None}))
    return path


def sheet(*rows, header=HEADER):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def read_csv(tmp_path, *rows, header=HEADER, content=None, pseudonyms=None, **changes):
    path = tmp_path / "sheet.csv"
    path.write_bytes(sheet(*rows, header=header) if content is None else content)
    return read(path, INSTRUMENTS, write_map(tmp_path, **changes), pseudonyms, TODAY)


def read_xlsx(tmp_path, workbook, **changes):
    workbook.save(tmp_path / "sheet.xlsx")
    return read(tmp_path / "sheet.xlsx", INSTRUMENTS, write_map(tmp_path, **changes), None, TODAY)


def workbook_of(*rows, header=HEADER):
    workbook = Workbook()
    for row in [header, *rows]:
        workbook.active.append(row)
    return workbook


def with_cell(name, cell, row=PLAIN):
    return [cell if column == name else old for column, old in zip(HEADER, row, strict=True)]


def items(imported):
    return list(imported.scores[[table.ITEM, table.VALUE]].itertuples(index=False, name=None))


def rejected(imported):
    return [(reject.line, reject.field, reject.found) for reject in imported.rejects]


def refusal(tmp_path, *rows, **options):
    with pytest.raises(DataFileError) as caught:
        read_csv(tmp_path, *rows, **options)
    return str(caught.value)


# CSV


def test_one_row_becomes_one_score_an_item_by_label_or_number(tmp_path):
    imported = read_csv(tmp_path, PLAIN)
    assert items(imported) == [("2a", 4), ("3b", 3), ("3c", 87.5)]
    first = imported.scores.to_dict("records")[0]
    assert (first["teacher_id"], first["observer"], first["instrument"]) == ("00123", "E7", "own-1")
    assert (first["visit"], first["observed_on"]) == ("2026-10-02#1", pd.Timestamp(2026, 10, 2))
    assert (first["observation_type"], first["note"], first["segment"]) == ("walkthrough", "three hands only", 0)
    assert imported.counts == {"rows": 1, "not scored": 0}
    check_score_table(imported.scores, "test")


def test_columns_nobody_mapped_such_as_names_go_nowhere(tmp_path):
    assert "Lopez" not in read_csv(tmp_path, PLAIN).scores.to_csv()


@pytest.mark.parametrize(
    ("cell", "value"),
    [("effective", 3), (" HIGHLY  effective ", 4), ("Meets", 3), ("2.5", 2.5), ("4", 4), ("3.0", 3)],
)
def test_the_labels_of_the_map_come_before_the_instruments_own_and_numbers(tmp_path, cell, value):
    assert ("3b", value) in items(read_csv(tmp_path, with_cell("3b Questioning", cell)))


def test_a_number_can_be_a_label_of_the_map(tmp_path):
    imported = read_csv(tmp_path, with_cell("3b Questioning", "0"), labels={0: 1, "Highly Effective": 4})
    assert ("3b", 1) in items(imported)


def test_blank_cells_missing_labels_and_labels_for_nothing_are_not_scored(tmp_path):
    rows = [with_cell("3b Questioning", cell) for cell in ("", "N/A", "no evidence")]
    imported = read_csv(tmp_path, *rows)
    assert [item for item, _ in items(imported)] == ["2a", "3c"] * 3
    assert (imported.counts["not scored"], imported.rejects) == (3, [])


def test_a_bad_cell_costs_one_score_and_a_bad_row_is_one_reject_under_the_files_own_names(tmp_path):
    imported = read_csv(
        tmp_path,
        with_cell("3b Questioning", "Great questions, Maria"),
        with_cell("Date", "2026-13-01"),
        with_cell("3c Tasks (%)", "101"),
        with_cell("Employee ID", "ana@school.org"),
        with_cell("Type", "Surprise"),
    )
    assert len(imported.scores) == 4
    assert rejected(imported) == [
        (2, "3b Questioning", "text that is neither a number nor a level label"),
        (3, "Date", "no date written like that"),
        (4, "3c Tasks (%)", "a number outside the scale"),
        (5, "Employee ID", "what looks like an e-mail address"),
        (6, "Type", "another word"),
    ]
    assert "Maria" not in " ".join(reject.to_json() for reject in imported.rejects)


def test_several_evaluators_of_one_lesson_share_the_visit(tmp_path):
    imported = read_csv(tmp_path, PLAIN, with_cell("Evaluator ID", "E8"))
    assert imported.scores[table.VISIT].nunique() == 1
    assert imported.scores[table.OBSERVER].unique().tolist() == ["E7", "E8"]


def test_visit_numbers_that_start_again_each_year_are_different_visits(tmp_path):
    assert read_csv(tmp_path, PLAIN, with_cell("Date", "10/02/2025")).scores[table.VISIT].nunique() == 2


def test_without_a_visit_column_a_visit_is_a_teachers_day_with_an_observer(tmp_path):
    columns = {name: header for name, header in MAP["columns"].items() if name != "visit"}
    rows = [PLAIN, PLAIN, with_cell("Evaluator ID", "E8"), with_cell("Date", "10/05/2026")]
    visits = read_csv(tmp_path, *rows, columns=columns).scores[table.VISIT].tolist()[::3]
    assert visits[0] == visits[1]
    assert len(set(visits)) == 3
    assert visits == read_csv(tmp_path, *rows, columns=columns).scores[table.VISIT].tolist()[::3]


def test_a_made_visit_holds_no_person_even_where_the_ids_did(tmp_path):
    columns = {name: header for name, header in MAP["columns"].items() if name != "visit"}
    row = with_cell("Employee ID", "ana@school.org")
    keys = [Pseudonyms(b"a key of sixteen"), Pseudonyms(b"another key of 16")]
    visits = [read_csv(tmp_path, row, columns=columns, pseudonyms=key).scores[table.VISIT][0] for key in keys]
    assert visits[0] != visits[1]


def test_a_type_that_names_itself_needs_no_entry(tmp_path):
    imported = read_csv(tmp_path, *[with_cell("Type", cell) for cell in ("Informal Observation", "FORMAL 2", "")])
    assert imported.scores[table.OBSERVATION_TYPE].tolist()[::3] == ["informal", "formal", ""]


def test_long_notes_are_cut_and_counted(tmp_path):
    imported = read_csv(tmp_path, with_cell("Comments", "x" * 4_100))
    assert imported.scores[table.NOTE][0] == "x" * 4_000
    assert imported.counts["notes cut to 4000 characters"] == 1


def test_windows_1252_short_rows_and_headers_over_two_lines_are_read(tmp_path):
    header = [name.replace("3b Questioning", "3B \n questioning") for name in HEADER]
    content = sheet(with_cell("Comments", "très bien"), header=header).decode().encode("cp1252")
    assert read_csv(tmp_path, content=content).scores[table.NOTE][0] == "très bien"
    imported = read_csv(tmp_path, PLAIN[:8])
    assert (items(imported), imported.counts["not scored"]) == ([("2a", 4), ("3b", 3)], 1)


def test_a_title_above_the_header_and_lines_below_the_table_do_not_count(tmp_path):
    footer = ["", "Printed 10/05/2026"] + [""] * 8
    content = b"District 12 export\r\n" + sheet(PLAIN, footer)
    imported = read_csv(tmp_path, content=content, header_row=2)
    assert (len(imported.scores), imported.rejects, imported.counts["rows"]) == (3, [], 1)


def test_a_row_left_open_or_too_long_is_refused_alone(tmp_path):
    content = sheet(PLAIN) + b'00124,"left open\r\n' + sheet([*PLAIN, "more"], PLAIN).split(b"\r\n", 1)[1]
    imported = read_csv(tmp_path, content=content)
    assert [reject.line for reject in imported.rejects] == [3, 4]
    assert len(imported.scores) == 6


def test_utf16_is_refused_with_a_way_out(tmp_path):
    assert "save as CSV UTF-8" in refusal(tmp_path, content=sheet(PLAIN).decode().encode("utf-16"))


# Maps


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"instrument": "own-9"}, "own-9"),
        ({"items": {"2a Respect": "9z"}}, "9z"),
        ({"items": {"2a Respect": "2a", "3b Questioning": "2a"}}, "every item once"),
        ({"items": {}}, "items"),
        ({"items": {"2b Culture": "2a"}}, "no columns '2b Culture'"),
        ({"labels": {"Distinguished": 400}}, "Distinguished"),
        ({"labels": {True: 1}}, "labels"),
        ({"columns": {"teacher_id": "Employee ID"}}, "observed_on"),
        ({"columns": {"teacher": "Employee ID"}}, "teacher"),
        ({"colums": {}}, "colums"),
        ({"observation_types": {"Eval": "evaluation"}}, "observation_types"),
        ({"header_row": 9}, "9"),
    ],
)
def test_a_map_that_cannot_be_right_is_refused(tmp_path, changes, said):
    assert said in refusal(tmp_path, PLAIN, **changes)


def test_a_mapped_header_that_is_there_twice_is_refused(tmp_path):
    header = [name.replace("Name", "DATE") for name in HEADER]
    assert "2 columns 'Date'" in refusal(tmp_path, PLAIN, header=header)


def test_without_a_date_pattern_only_iso_dates_are_dates(tmp_path):
    imported = read_csv(tmp_path, PLAIN, with_cell("Date", "2026-10-02"), dates=None)
    assert rejected(imported) == [(2, "Date", "text that is no date")]


# XLSX


def test_a_workbook_with_dates_numbers_and_numbers_as_text_is_read_as_a_person_sees_it(tmp_path):
    row = [123, "Ana Lopez", datetime(2026, 10, 2), "E7", 1, "Drop-in", 4, "3", 87.5, None]
    workbook = workbook_of(row, with_cell("Date", date(2026, 10, 2)), PLAIN)
    workbook.active["A2"].number_format = "00000"
    imported = read_xlsx(tmp_path, workbook)
    assert items(imported) == [("2a", 4), ("3b", 3), ("3c", 87.5)] * 3
    assert imported.scores[table.TEACHER].unique().tolist() == ["00123"]
    assert imported.scores[table.VISIT].unique().tolist() == ["2026-10-02#1"]
    assert imported.rejects == []


def test_merged_cells_hold_for_every_row_they_cover(tmp_path):
    second = [None, None, None, "E8", None, None, 2, 2, 50, None]
    workbook = workbook_of(PLAIN, second)
    for column in "ABCEF":
        workbook.active.merge_cells(f"{column}2:{column}3")
    imported = read_xlsx(tmp_path, workbook)
    assert imported.scores[table.TEACHER].tolist() == ["00123"] * 6
    assert imported.scores[table.OBSERVER].tolist() == ["E7"] * 3 + ["E8"] * 3
    assert items(imported)[3:] == [("2a", 2), ("3b", 2), ("3c", 50)]


def test_blank_and_merely_formatted_rows_below_are_skipped(tmp_path):
    workbook = workbook_of(PLAIN, [None] * 10, ["", " "])
    workbook.active["A60"].number_format = "0"
    workbook.active["B40"] = "signed: A. Lopez"
    imported = read_xlsx(tmp_path, workbook)
    assert (imported.counts["rows"], imported.rejects) == (1, [])


@pytest.mark.parametrize(
    ("column", "cell", "found"),
    [
        ("3b Questioning", "=1+2", "a formula without its stored value"),
        ("3b Questioning", "#REF!", "a spreadsheet's error value"),
        ("3b Questioning", True, "true or false"),
        ("3b Questioning", datetime(2026, 3, 4), "a value of type datetime"),
        ("Date", 46297, "no date"),
        ("Date", "=TODAY()", "a formula without its stored value"),
        ("Employee ID", "#N/A", "a spreadsheet's error value"),
    ],
)
def test_cells_whose_value_cannot_be_trusted_are_refused_and_never_taken_for_blank(tmp_path, column, cell, found):
    imported = read_xlsx(tmp_path, workbook_of(with_cell(column, cell)))
    assert rejected(imported) == [(2, column, found)]


def test_a_formula_counts_by_its_stored_value(tmp_path):
    import re
    import zipfile

    workbook_of(with_cell("3b Questioning", "=1+2")).save(tmp_path / "plain.xlsx")
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as old, zipfile.ZipFile(tmp_path / "sheet.xlsx", "w") as new:
        for part in old.namelist():
            content = old.read(part)
            if part.endswith("sheet1.xml"):
                content = re.sub(rb"<f>1\+2</f><v\s*/>|<f>1\+2</f><v></v>", b"<f>1+2</f><v>3</v>", content)
                assert b"<v>3</v>" in content
            new.writestr(part, content)
    imported = read(tmp_path / "sheet.xlsx", INSTRUMENTS, write_map(tmp_path), None, TODAY)
    assert ("3b", 3) in items(imported)


def test_the_sheet_of_the_map_is_read_and_otherwise_the_first(tmp_path):
    workbook = workbook_of(PLAIN)
    workbook.create_sheet("Notes").append(["nothing here"])
    assert len(read_xlsx(tmp_path, workbook).scores) == 3
    assert len(read_xlsx(tmp_path, workbook, sheet="Sheet").scores) == 3
    with pytest.raises(DataFileError, match="one of its 2 sheets"):
        read_xlsx(tmp_path, workbook, sheet="2026")


def test_a_sheet_stretched_to_the_last_row_and_other_files_are_refused(tmp_path):
    workbook = workbook_of(PLAIN)
    workbook.active.cell(MAX_SHEET_ROWS + 1, 1, "x")
    workbook.save(tmp_path / "sheet.xlsx")
    with pytest.raises(DataFileError, match="Delete the blank rows"):
        sheet_rows(tmp_path / "sheet.xlsx")
    (tmp_path / "old.xls").write_bytes(b"x")
    with pytest.raises(DataFileError, match=r"\.csv or \.xlsx"):
        sheet_rows(tmp_path / "old.xls")


# Properties

cells = st.sampled_from(["Effective", "developing", "Meets", "N/A", "", "1", "2.25", "4.0", "5", "?"]) | st.text(
    max_size=5
)


@bounded
@given(st.lists(cells, min_size=1, max_size=6))
def test_every_imported_value_is_its_cell_through_the_labels(tmp_path, marks):
    known = {"effective": 3, "developing": 2, "highly effective": 4, "no evidence": None}
    expected, refused = [], 0
    for mark in marks:
        label = " ".join(mark.split()).casefold()
        try:
            value = known[label] if label in known else INSTRUMENTS["own-1"].score("3b", mark)
        except GrowthError:
            refused += 1
            continue
        if value is not None:
            expected.append(value)
    rows = [with_cell("3b Questioning", mark) for mark in marks]
    imported = read_csv(tmp_path, *rows, items={"3b Questioning": "3b"}, labels={**MAP["labels"]})
    assert [value for _, value in items(imported)] == expected
    assert len(imported.rejects) == refused


@bounded
@given(st.lists(st.tuples(st.binary(max_size=12), st.integers(0, 2_000)), max_size=5), st.booleans())
def test_damaged_sheets_are_a_table_or_a_plain_refusal(tmp_path, damages, as_workbook):
    if as_workbook:
        workbook_of(PLAIN, PLAIN).save(tmp_path / "whole.xlsx")
        content = bytearray((tmp_path / "whole.xlsx").read_bytes())
    else:
        content = bytearray(sheet(PLAIN, with_cell("Comments", 'a "word", then'), PLAIN))
    for piece, place in damages:
        content[place % len(content) : place % len(content) + len(piece)] = piece
    path = tmp_path / ("sheet.xlsx" if as_workbook else "sheet.csv")
    path.write_bytes(bytes(content))
    try:
        imported = read(path, INSTRUMENTS, write_map(tmp_path), None, TODAY)
    except GrowthError:
        return
    check_score_table(imported.scores, "test")


@bounded
@given(st.binary(max_size=120), st.sampled_from(["sheet.csv", "sheet.xlsx"]), st.sampled_from(["sheet", "map"]))
def test_any_bytes_as_sheet_or_map_are_a_plain_refusal(tmp_path, content, name, where):
    mapping = write_map(tmp_path)
    (tmp_path / name).write_bytes(sheet(PLAIN))
    (mapping if where == "map" else tmp_path / name).write_bytes(content)
    with pytest.raises(GrowthError):
        read(tmp_path / name, INSTRUMENTS, mapping, None, TODAY)
