from datetime import datetime
from pathlib import Path

import pytest
from ed_fi_shapes import CSV_COLUMNS, csv_row, imported, rating, values, write_csv, write_json
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.errors import DataFileError, GrowthError
from recommender.exchange.score_schema import check_score_table

bounded = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_the_template_is_read_with_its_byte_order_mark_and_seven_digit_seconds(tmp_path: Path):
    found = imported(write_csv(tmp_path / "a.csv", csv_row()))
    check_score_table(found.scores, "ed-fi")
    row = found.scores.iloc[0]
    assert not found.rejects
    assert (row["teacher_id"], row["instrument"], row["item"], row["value"]) == ("P1", "ttess", "2.5", 2.0)
    assert (row["observed_on"], row["observation_type"]) == (datetime(2021, 10, 4), "walkthrough")
    assert row["source_system"] == "ed-fi state"


def test_the_same_rating_is_the_same_row_from_csv_and_from_json(tmp_path: Path):
    from_csv = imported(write_csv(tmp_path / "a.csv", csv_row())).scores
    from_json = imported(write_json(tmp_path / "a.json", rating())).scores
    assert from_csv.equals(from_json)


def test_column_names_are_read_in_any_case_and_order(tmp_path: Path):
    names = [name.lower() for name in CSV_COLUMNS]
    lines = [",".join(reversed(names)), ",".join(reversed(csv_row().split(",")))]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    assert values(imported(tmp_path / "a.csv")) == {("P1", "2.5"): 2}


def test_min_and_max_rating_of_the_row_are_the_scale_of_its_number(tmp_path: Path):
    rows = [
        csv_row(MinRating="0", MaxRating="100", Rating="25", PersonId="A"),
        csv_row(MinRating="1", MaxRating="5", Rating="4", PersonId="B"),
        csv_row(MaxRating="4", Rating="3", PersonId="C"),
        csv_row(MinRating="0", MaxRating="4", Rating="5", PersonId="D"),
        csv_row(MinRating="5", MaxRating="1", Rating="3", PersonId="E"),
    ]
    found = imported(write_csv(tmp_path / "a.csv", *rows))
    # 1 + 25/100 * 4; as it is; an absent minimum is 0: 1 + 3/4 * 4.
    assert values(found) == {("A", "2.5"): 2, ("B", "2.5"): 4, ("C", "2.5"): 4}
    assert found.counts["rescaled to the instrument's scale"] == 2
    assert [(reject.line, reject.field) for reject in found.rejects] == [(5, "results.rating"), (6, "maxRating")]


def test_the_names_of_data_standard_6_are_the_same_fields(tmp_path: Path):
    header = ",".join(CSV_COLUMNS).replace("MinRating", "MinNumericRating").replace("MaxRating", "MaxNumericRating")
    found = imported(write_csv(tmp_path / "a.csv", csv_row(MinRating="0", MaxRating="100", Rating="50"), header=header))
    assert values(found) == {("P1", "2.5"): 3}


def test_a_row_without_a_person_is_refused_with_its_physical_line(tmp_path: Path):
    rows = [csv_row(AreaOfRefinement="two\r\nlines"), csv_row(PersonId=""), csv_row(PersonId="P2")]
    found = imported(write_csv(tmp_path / "a.csv", *rows))
    assert [(reject.line, reject.field) for reject in found.rejects] == [(4, "personId")]
    assert values(found) == {("P1", "2.5"): 2, ("P2", "2.5"): 2}
    assert found.scores["note"].tolist() == ["two\r\nlines", ""]


def test_a_blank_rating_is_not_scored_and_no_mistake(tmp_path: Path):
    found = imported(write_csv(tmp_path / "a.csv", csv_row(Rating=""), csv_row(Rating=" ")))
    assert (found.counts["not scored"], found.rejects, len(found.scores)) == (2, [], 0)


def test_numbered_results_are_results_of_one_rating(tmp_path: Path):
    header = ",".join(CSV_COLUMNS).replace("Rating,RatingResultTitle,ResultDatatypeTypeDescriptor", "")
    header += "Rating1,RatingResultTitle1,ResultDatatypeTypeDescriptor1,Rating2,RatingResultTitle2,"
    header += "ResultDatatypeTypeDescriptor2"
    rows = [
        csv_row() + ",,,",
        csv_row(PersonId="P2") + ",3,Other,#Integer",
        csv_row(PersonId="P3") + ",2,Other,#Integer",
    ]
    found = imported(write_csv(tmp_path / "a.csv", *rows, header=header))
    assert values(found) == {("P1", "2.5"): 2, ("P3", "2.5"): 2}
    assert [(reject.line, reject.found) for reject in found.rejects] == [(3, "2 results that differ")]


def test_a_file_of_whole_evaluations_holds_derived_ratings_only(tmp_path: Path):
    header = "EvaluationDate,EvaluationTitle,PerformanceEvaluationTypeDescriptor,PersonId,Rating1,RatingResultTitle1"
    found = imported(write_csv(tmp_path / "a.csv", "2017-10-06,Other,#Formal Obs,P1,3,x", header=header))
    assert found.scores.empty
    assert found.counts["left out: ratings of objectives and whole evaluations"] == 1


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("EvaluationElementTitle,Rating", "no column PersonId"),
        ("PersonId,EvaluationElementTitle", "no column Rating"),
        ("a,b,c", "no column PersonId and no column Rating"),
        ("PersonId,Rating,personid,EvaluationElementTitle", "there twice"),
    ],
)
def test_a_first_row_without_the_columns_of_a_rating_is_refused(tmp_path: Path, header: str, message: str):
    with pytest.raises(DataFileError, match=message):
        imported(write_csv(tmp_path / "a.csv", ",,,", header=header))


def test_bytes_that_are_no_utf_8_refuse_their_row_only(tmp_path: Path):
    path = write_csv(tmp_path / "a.csv", csv_row(AreaOfRefinement="caf#"), csv_row(PersonId="P2"))
    path.write_bytes(path.read_bytes().replace(b"caf#", b"caf\xe9"))
    found = imported(path)
    assert [(reject.line, reject.field) for reject in found.rejects] == [(2, "areaofrefinement")]
    assert values(found) == {("P2", "2.5"): 2}


def test_what_an_observer_wrote_is_in_no_reject(tmp_path: Path):
    secret = "wanders off mid sentence"
    rows = [
        csv_row(PersonId="", AreaOfRefinement=secret),
        csv_row(Rating=secret),
        csv_row(EvaluationElementTitle=secret),
        csv_row(PersonId=f"{secret}@x.org"),
        csv_row(EvaluationDate=secret),
        csv_row(PerformanceEvaluationTypeDescriptor="", AreaOfReinforcement=secret),
        csv_row(MinRating=secret),
        csv_row(Rating="9", RatingResultTitle=secret),
        csv_row(Rating="", RatingResultTitle=secret, ResultDatatypeTypeDescriptor="#Level"),
    ]
    found = imported(write_csv(tmp_path / "a.csv", *rows))
    assert len(found.rejects) == len(rows)
    assert secret not in repr(found.rejects)


@bounded
@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, 3_000))
def test_no_mutated_byte_crashes_the_reader(tmp_path: Path, changes: list[tuple[int, int]], end: int):
    path = write_csv(tmp_path / "a.csv", csv_row(), csv_row(PersonId="P2", MinRating="1", MaxRating="5"))
    content = bytearray(path.read_bytes())
    for place, byte in changes:
        content[place % len(content)] = byte
    path.write_bytes(bytes(content[: max(end, 1)] if end % 3 == 0 else content))
    try:
        found = imported(path)
    except GrowthError:
        return
    assert found.scores["value"].between(1, 5).all()


@bounded
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 5)), max_size=8))
def test_every_imported_number_is_the_number_in_the_source(tmp_path: Path, ratings: list[tuple[str, int]]):
    path = write_csv(tmp_path / "a.csv", *(csv_row(PersonId=who, Rating=str(number)) for who, number in ratings))
    rows = imported(path).scores
    assert list(zip(rows["teacher_id"], rows["value"], strict=True)) == ratings
