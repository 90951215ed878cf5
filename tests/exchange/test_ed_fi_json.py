import json
from pathlib import Path

import pytest
from ed_fi_shapes import element, evaluation, imported, rating, result, values, write_json
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.errors import DataFileError, GrowthError
from recommender.exchange.score_schema import check_score_table

bounded = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def text_of(*ratings: object) -> str:
    return "\n".join(json.dumps(each) for each in ratings)


def performance() -> dict[str, object]:
    return {name: value for name, value in evaluation().items() if name != "evaluationTitle"}


def test_objects_one_after_another_in_one_file_are_all_read(tmp_path: Path):
    path = tmp_path / "ratings.json"
    path.write_text(
        text_of(rating(), rating("2.4 - Differentiation", result(4))) + " \n\n" + text_of(rating(person="P2"))
    )
    assert values(imported(path)) == {("P1", "2.5"): 2, ("P1", "2.4"): 4, ("P2", "2.5"): 2}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda page: page,
        lambda page: {"totalCount": 2, "value": page},
        lambda page: {"pages": [{"offset": 0, "items": page}]},
        lambda page: {"evaluationElementRatings": page, "goals": [{"goalTitle": "x"}]},
        lambda page: [[page[0]], [page[1]]],
    ],
)
def test_arrays_and_page_wrappers_are_opened(tmp_path: Path, wrap):
    page = [rating(), rating(person="P2")]
    assert values(imported(write_json(tmp_path / "a.json", wrap(page)))) == {("P1", "2.5"): 2, ("P2", "2.5"): 2}


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_trouble(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(rating(), indent=2).replace("\n", "\r\n").encode())
    assert values(imported(path)) == {("P1", "2.5"): 2}


def test_a_reject_names_the_line_its_object_starts_on(tmp_path: Path):
    path = tmp_path / "a.json"
    inner = json.dumps([rating(), rating(person=None), rating(person="P3")], indent=1)
    path.write_text('{"n": 1,\n"value": ' + inner + "}\n")
    starts = [number for number, line in enumerate(path.read_text().splitlines(), 1) if line == " {"]
    assert [(reject.line, reject.field) for reject in imported(path).rejects] == [(starts[1], "personId")]


def test_elements_and_ratings_may_come_in_different_files_in_any_order(tmp_path: Path):
    ratings = write_json(tmp_path / "ratings.json", rating("2.5 - Monitor and Adjust", result(50)))
    elements = write_json(tmp_path / "elements.json", element(minRating=0, maxRating=100))
    for paths in ((ratings, elements), (elements, ratings)):
        found = imported(*paths)
        assert values(found) == {("P1", "2.5"): 3}
        assert found.counts["rescaled to the instrument's scale"] == 1


def test_with_several_files_a_reject_names_its_file(tmp_path: Path):
    good = write_json(tmp_path / "good.json", rating())
    bad = write_json(tmp_path / "bad.json", rating(person=""))
    assert [reject.field for reject in imported(good, bad).rejects] == ["bad.json: personId"]


def test_other_resources_are_passed_over_and_derived_ratings_counted(tmp_path: Path):
    objective = evaluation() | {"evaluationObjectiveTitle": "2 - Instruction"}
    who = {"personId": "P1", "evaluationDate": "2021-10-04", "sourceSystemDescriptor": "#State"}
    path = write_json(
        tmp_path / "a.json",
        {"codeValue": "Proficient", "namespace": "uri://tpdm.ed-fi.org/EvaluationRatingLevelDescriptor"},
        {"evaluationTitle": "T-TESS", "performanceEvaluationReference": evaluation()},
        {
            "evaluationRatingReference": evaluation() | who,
            "evaluationObjectiveReference": objective,
            "results": [result(5)],
        },
        {"evaluationReference": evaluation(), "performanceEvaluationRatingReference": evaluation() | who},
        {"personReference": who, "performanceEvaluationReference": evaluation(), "results": [result(5)]},
        rating(),
    )
    found = imported(path)
    assert values(found) == {("P1", "2.5"): 2}
    assert found.counts["left out: ratings of objectives and whole evaluations"] == 3
    assert not found.rejects


def test_the_reviewer_of_a_whole_performance_evaluation_is_the_observer(tmp_path: Path):
    reviewers = [{"firstName": "Ada", "lastSurname": "Byron", "reviewerPersonReference": {"personId": "R4"}}]
    person = {"personId": "P1", "sourceSystemDescriptor": "uri://ed-fi.org/SourceSystemDescriptor#STATE"}
    whole = {"performanceEvaluationReference": performance(), "personReference": person, "reviewers": reviewers}
    assert imported(write_json(tmp_path / "a.json", whole, rating())).scores["observer"].tolist() == ["R4"]


def test_one_who_reviews_their_own_lesson_is_no_observer_of_it(tmp_path: Path):
    person = {"personId": "P1", "sourceSystemDescriptor": "#State"}
    reviewers = [{"reviewerPersonReference": person}]
    whole = {"performanceEvaluationReference": performance(), "personReference": person, "reviewers": reviewers}
    rows = imported(write_json(tmp_path / "a.json", rating(), whole)).scores
    assert (rows["observer"].tolist(), rows["observer_role"].tolist()) == (["P1"], ["self"])


def test_a_field_given_twice_refuses_that_object_only(tmp_path: Path):
    path = tmp_path / "a.json"
    twice = json.dumps(rating(person="P2")).replace('"rating": 2', '"rating": 2, "rating": 5')
    path.write_text(f'{{"value": [{json.dumps(rating())},\n{twice},\n{json.dumps(rating(person="P3"))}]}}')
    found = imported(path)
    assert values(found) == {("P1", "2.5"): 2, ("P3", "2.5"): 2}
    assert [(reject.line, reject.field) for reject in found.rejects] == [(2, "rating")]


def test_what_stands_before_broken_json_is_kept(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text("[" + json.dumps(rating()) + ",\n" + json.dumps(rating(person="P2"))[:-40])
    found = imported(path)
    assert values(found) == {("P1", "2.5"): 2}
    assert [(reject.line, reject.found) for reject in found.rejects] == [(2, "broken JSON")]


@pytest.mark.parametrize("content", ["{", "[", "[1", '{"a"', "nonsense", "[" * 100_000, '{"a":' * 100_000, "1 2 }"])
def test_broken_json_of_any_kind_is_a_reject(tmp_path: Path, content: str):
    path = tmp_path / "a.json"
    path.write_text(content)
    found = imported(path)
    assert len(found.rejects) == 1
    assert found.scores.empty
    check_score_table(found.scores, "ed-fi")


def test_a_rating_nested_without_end_is_refused_and_what_stands_before_is_kept(tmp_path: Path):
    path = tmp_path / "a.json"
    deep = json.dumps(rating(person="P2", extra="X")).replace('"X"', '{"a":' * 500 + "1" + "}" * 500)
    path.write_text(text_of(rating()) + "\n" + deep)
    found = imported(path)
    assert values(found) == {("P1", "2.5"): 2}
    assert [(reject.line, reject.found) for reject in found.rejects] == [(2, "JSON nested too deeply")]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5_000, "true", "-1", "6", "2.5"])
def test_a_number_no_scale_holds_is_refused(tmp_path: Path, number: str):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rating()).replace('"rating": 2', f'"rating": {number}'))
    found = imported(path)
    assert [reject.field for reject in found.rejects] == ["results.rating"]
    assert found.scores.empty


@pytest.mark.parametrize("field", ["feedback", "comments"])
@pytest.mark.parametrize("bad", [b"\\ud800", b"\xe9"])
def test_text_that_is_no_utf_8_refuses_its_own_rating_only(tmp_path: Path, field: str, bad: bytes):
    path = tmp_path / "a.json"
    path.write_bytes(
        json.dumps(rating(person="P2", **{field: "XX"})).encode().replace(b"XX", bad) + text_of(rating()).encode()
    )
    found = imported(path)
    assert values(found) == {("P1", "2.5"): 2}
    assert [reject.field for reject in found.rejects] == [field]


def test_a_file_of_another_kind_is_refused(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK")
    with pytest.raises(DataFileError, match=r"\.xlsx"):
        imported(path)


@bounded
@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, 5_000))
def test_no_mutated_byte_crashes_the_reader(tmp_path: Path, changes: list[tuple[int, int]], end: int):
    content = bytearray(
        text_of(element(maxRating=5), {"value": [rating(), rating(person="P2", feedback="f")]}).encode()
    )
    for place, byte in changes:
        content[place % len(content)] = byte
    path = tmp_path / "a.json"
    path.write_bytes(bytes(content[: max(end, 1)] if end % 3 == 0 else content))
    try:
        found = imported(path)
    except GrowthError:
        return
    assert found.scores["value"].between(1, 5).all()


@bounded
@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from(["2.4", "2.5"]), st.floats(1, 5).map(lambda x: round(x, 3))),
        max_size=8,
    )
)
def test_every_imported_number_is_the_number_in_the_source(tmp_path: Path, ratings: list[tuple[str, str, float]]):
    path = tmp_path / "a.json"
    path.write_text(text_of({}, *(rating(code, result(x, datatype="Decimal"), person=who) for who, code, x in ratings)))
    rows = imported(path).scores
    assert list(zip(rows["teacher_id"], rows["item"], rows["value"], strict=True)) == ratings
