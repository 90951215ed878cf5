import csv
import io
from datetime import date

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from score_rubrics import TODAY

from recommender.catalogue.instruments import load_instruments
from recommender.errors import DataFileError, GrowthError
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.score_schema import check_score_table
from recommender.exchange.teach_wide import DOUBTED, read
from recommender.observations import scores as table

bounded = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# The columns as collected: six looks, then each element followed by its behaviours.
BEHAVIOURS = {1: 4, 2: 3, 3: 4, 4: 3, 5: 2, 6: 3, 7: 3, 8: 3, 9: 3}
CODES = ["0.1.1", "0.1.2", "0.2.1", "0.2.2", "0.3.1", "0.3.2"]
for element, behaviours in BEHAVIOURS.items():
    CODES += [f"{element}", *(f"{element}.{number}" for number in range(1, behaviours + 1))]
MARKS = {code: "3" if "." not in code else "M" for code in CODES} | {"0.1.1": "Y", "0.2.1": "N", "0.3.1": "Y"}
HEADERS = [
    ["", "", "", *["Looks"] * 6, *[""] * 37, "Comments"],
    ["Route", "School", "Person", *[f"worded {code}" for code in CODES], "More?"],
    ["", "", "", *["Options: L, M, H"] * 43, ""],
]


def row(clip="1042 Clip 1", person="7", comment="", **marks):
    named = MARKS | {code.removeprefix("c").replace("_", "."): mark for code, mark in marks.items()}
    return ["12", clip, person, *named.values(), comment]


def content_of(*rows, headers=HEADERS):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([*headers, *rows])
    return text.getvalue()


def imported_from(tmp_path, *rows, content=None, edition="teach-primary-v1", pseudonyms=None, **changes):
    content = content_of(*rows).encode() if content is None else content
    (tmp_path / "teach.csv").write_bytes(content)
    document = {"instrument": edition, "observed_on": date(2019, 5, 1)} | changes
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(document))
    return read(tmp_path / "teach.csv", load_instruments(), tmp_path / "map.yaml", pseudonyms, TODAY)


def marks_of(imported):
    return dict(zip(imported.scores[table.ITEM], imported.scores[table.VALUE], strict=True))


def test_columns_are_read_by_position_and_marks_by_level(tmp_path):
    imported = imported_from(tmp_path, row(c1="5", c1_1="H", c6_2="L", c0_3_2="H", c9_3="M"))
    found = marks_of(imported)
    assert list(found) == CODES
    assert [found[code] for code in ("1", "1.1", "6.2", "0.3.2", "9.3", "0.1.1", "0.2.1", "3")] == [
        5,
        3,
        1,
        3,
        2,
        1,
        0,
        3,
    ]
    check_score_table(imported.scores, "test")


def test_the_clips_of_a_school_are_segments_of_one_lesson_of_one_teacher(tmp_path):
    imported = imported_from(tmp_path, row(), row(clip=" 1042  clip 02 "), row(clip="1043 Clip 1"))
    lessons = imported.scores[[table.TEACHER, table.VISIT, table.SEGMENT]].drop_duplicates().to_numpy().tolist()
    assert lessons == [["1042", "1042", 1], ["1042", "1042", 2], ["1043", "1043", 1]]
    assert imported.scores[table.OBSERVATION_TYPE].unique().tolist() == ["video"]


@pytest.mark.parametrize("mark", ["N/A", "n/a", "NA", "", " "])
def test_not_applicable_is_an_answer_and_no_score(tmp_path, mark):
    imported = imported_from(tmp_path, row(c1_3=mark, c4_2=mark))
    assert not {"1.3", "4.2"} & set(marks_of(imported))
    assert (imported.counts["not scored"], imported.rejects) == (2, [])


def test_a_mark_with_a_question_mark_is_taken_as_it_stands_and_counted(tmp_path):
    imported = imported_from(tmp_path, row(c1_1="H?", c2="4 ?"), row(clip="1042 Clip 2"))
    assert (imported.scores[table.VALUE][7], marks_of(imported)["2"]) == (3, 3)
    assert imported.scores[table.VALUE][11] == 4
    assert imported.counts[DOUBTED] == 2


@pytest.mark.parametrize(("code", "mark"), [("c1_1", "X"), ("c1_1", "?"), ("c1_1", "4"), ("c1", "M"), ("c0_1_1", "H")])
def test_a_mark_of_another_column_is_refused_by_line_and_item(tmp_path, code, mark):
    imported = imported_from(tmp_path, row(), row(clip="1042 Clip 2", **{code: mark}))
    item = code.removeprefix("c").replace("_", ".")
    assert [(reject.line, reject.field) for reject in imported.rejects] == [(5, item)]
    assert len(imported.scores) == 2 * 43 - 1


def test_windows_1252_and_a_blank_column_at_the_end_are_read(tmp_path):
    content = content_of([*row(comment="très"), ""], headers=[[*header, ""] for header in HEADERS]).encode("cp1252")
    imported = imported_from(tmp_path, content=content)
    assert imported.scores[table.NOTE].unique().tolist() == ["très"]
    assert len(imported.scores) == 43


def test_rows_that_end_early_have_blank_cells(tmp_path):
    imported = imported_from(tmp_path, row()[:-3])
    assert (len(imported.scores), imported.counts["not scored"]) == (41, 2)


def test_scorers_are_codes_or_pseudonyms_and_never_names(tmp_path):
    refused = imported_from(tmp_path, row(person="Rosa"), row(person="Ana Lopez"), row(person="R 07"), row(person=""))
    assert [(reject.line, reject.field) for reject in refused.rejects] == [(4, "person"), (5, "person")]
    assert "Rosa" not in " ".join(reject.to_json() for reject in refused.rejects)
    assert refused.scores[table.OBSERVER].unique().tolist() == ["R 07", "UNK"]
    key = Pseudonyms(b"a key of sixteen")
    replaced = imported_from(tmp_path, row(person="Rosa"), row(clip="7 Clip 1", person="rosa"), pseudonyms=key)
    assert replaced.scores[table.OBSERVER].unique().tolist() == [key.of("observer", "Rosa")]


def test_a_school_called_by_a_name_is_replaced_in_the_visit_as_well(tmp_path):
    key = Pseudonyms(b"a key of sixteen")
    imported = imported_from(tmp_path, row(clip="Lincoln High Clip 3"), pseudonyms=key)
    assert "Lincoln" not in imported.scores.to_csv()
    assert imported.scores[table.VISIT].unique().tolist() == [key.of("teacher", "Lincoln High")]


@pytest.mark.parametrize("clip", ["", "1042", "Clip 1", "1042 Clip", "1042 Clip one"])
def test_a_row_without_school_and_clip_number_is_refused(tmp_path, clip):
    imported = imported_from(tmp_path, row(clip=clip))
    assert [(reject.line, reject.field) for reject in imported.rejects] == [(4, "school_clip")]


@pytest.mark.parametrize(
    "content",
    [
        content_of(row(), headers=HEADERS[1:]),
        content_of(row(), headers=[*HEADERS[:2], row()]),
        content_of(row()[:-4], headers=[header[:-4] for header in HEADERS]),
        content_of(headers=HEADERS),
        "route,school_clip\n",
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path, content):
    with pytest.raises(DataFileError):
        imported_from(tmp_path, content=content.encode())


def test_the_second_edition_has_its_own_columns(tmp_path):
    with pytest.raises(DataFileError, match="edition"):
        imported_from(tmp_path, row(), edition="teach-primary-2")
    at = CODES.index("1.4") + 3
    headers = [[*header[: at + 1], header[at] and f"{header[at]}b", *header[at + 1 :]] for header in HEADERS]
    marks = row(c1_4="H")
    imported = imported_from(
        tmp_path,
        content=content_of([*marks[: at + 1], "L", *marks[at + 1 :]], headers=headers).encode(),
        edition="teach-primary-2",
    )
    found = marks_of(imported)
    assert (found["1.4a"], found["1.4b"], found["2"], len(found)) == (3, 1, 3, 44)


def test_the_map_names_an_edition_and_a_day(tmp_path):
    with pytest.raises(DataFileError, match="instrument"):
        imported_from(tmp_path, row(), edition="teach")
    with pytest.raises(DataFileError, match="observed_on"):
        imported_from(tmp_path, row(), observed_on="yesterday")


levels = st.sampled_from(["L", "m", "H", "H?", "N/A", "", "X"])


@bounded
@given(st.lists(st.tuples(levels, levels, levels), min_size=1, max_size=4))
def test_every_imported_mark_is_its_cell(tmp_path, clips):
    meaning = {"l": 1, "m": 2, "h": 3, "h?": 3}
    rows = [row(clip=f"7 Clip {n}", c1_3=a, c4_2=b, c9_3=c) for n, (a, b, c) in enumerate(clips, 1)]
    imported = imported_from(tmp_path, *rows)
    found = imported.scores[imported.scores[table.ITEM].isin(["1.3", "4.2", "9.3"])][table.VALUE].tolist()
    marks = [mark.casefold() for clip in clips for mark in clip]
    assert found == [meaning[mark] for mark in marks if mark in meaning]
    assert len(imported.rejects) == marks.count("x")
    assert imported.counts["not scored"] == marks.count("n/a") + marks.count("")


@bounded
@given(st.lists(st.tuples(st.binary(max_size=12), st.integers(0, 3_000)), max_size=5))
def test_damaged_files_are_a_table_or_a_plain_refusal(tmp_path, damages):
    content = bytearray(content_of(row(), row(clip="7 Clip 2")).encode())
    for piece, place in damages:
        content[place % len(content) : place % len(content) + len(piece)] = piece
    try:
        imported = imported_from(tmp_path, content=bytes(content))
    except GrowthError:
        return
    check_score_table(imported.scores, "test")
