from datetime import date, timedelta
from pathlib import Path

import pytest
from ed_fi_shapes import element, evaluation, imported, level, rating, result, values, write_json

from recommender.catalogue.instruments import load_instruments
from recommender.exchange.ed_fi import read
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.score_schema import check_score_table

OTHER_TYPES = "left out: evaluation types that are no observation"


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("Walkthrough", "walkthrough"),
        ("WALKTHROUGH", "walkthrough"),
        ("Informal Observation", "informal"),
        ("Formal Observation", "formal"),
        ("formal  evaluation", "formal"),
        ("Formal Obs", "formal"),
        ("Formal Observation Self-Rating", "self"),
        ("Informal Observation Self-Rating", "self"),
        ("Formal Evaluation self-rating", "self"),
    ],
)
def test_the_type_of_the_performance_evaluation_is_the_observation_type(tmp_path: Path, kind: str, wanted: str):
    rows = imported(write_json(tmp_path / "a.json", rating(of=evaluation(kind=kind)))).scores
    assert rows["observation_type"].tolist() == [wanted]


@pytest.mark.parametrize("kind", ["Student Survey", "Student Work", "Student Growth Measures", "Chat over coffee"])
def test_what_is_no_observation_is_left_out_and_counted(tmp_path: Path, kind: str):
    found = imported(write_json(tmp_path / "a.json", rating(person="", of=evaluation(kind=kind)), rating()))
    assert (found.counts[OTHER_TYPES], found.counts["rows"], len(found.scores), found.rejects) == (1, 2, 1, [])


def test_a_mapping_may_name_a_districts_own_type(tmp_path: Path):
    (tmp_path / "map.yaml").write_text("instrument: ttess\nobservation_types: {Coach Visit: informal}\n")
    path = write_json(tmp_path / "a.json", rating(of=evaluation("Round 3", "COACH VISIT")))
    found = imported(path, mapping=tmp_path / "map.yaml")
    assert found.scores["observation_type"].tolist() == ["informal"]


def test_a_rating_without_a_type_is_refused(tmp_path: Path):
    path = write_json(tmp_path / "a.json", rating(of=evaluation(performanceEvaluationTypeDescriptor="")))
    assert [reject.field for reject in imported(path).rejects] == ["performanceEvaluationTypeDescriptor"]


def test_a_self_rating_is_seen_by_the_teacher_alone(tmp_path: Path):
    path = write_json(tmp_path / "a.json", rating(of=evaluation(kind="Formal Observation Self-Rating")))
    rows = imported(path).scores
    assert (rows["observer"].tolist(), rows["observer_role"].tolist()) == (["P1"], ["self"])


@pytest.mark.parametrize(
    "written",
    [
        "2021-10-04",
        "2021-10-04T08:30:00",
        "2021-10-04T23:30:00Z",
        "2021-10-04 00:00:00.0000000",
        "2021-10-04T08:30:00-06:00",
    ],
)
def test_the_day_is_the_day_as_written_and_tells_the_visit(tmp_path: Path, written: str):
    plain = imported(write_json(tmp_path / "a.json", rating(date="2021-10-04"))).scores
    assert imported(write_json(tmp_path / "b.json", rating(date=written))).scores.equals(plain)


@pytest.mark.parametrize(
    "written",
    ["", None, "10/04/2021", "2021-02-30", "0001-01-01", (date.today() + timedelta(days=2)).isoformat(), 20211004],
)
def test_an_impossible_date_is_refused(tmp_path: Path, written: object):
    found = imported(write_json(tmp_path / "a.json", rating(date=written)))
    assert [reject.field for reject in found.rejects] == ["evaluationDate"]


@pytest.mark.parametrize(
    "change",
    [
        {"performanceEvaluationTitle": "another"},
        {"evaluationPeriodDescriptor": "#EOY"},
        {"termDescriptor": "#Spring Semester"},
        {"schoolYear": 2023},
    ],
)
def test_another_round_is_another_visit(tmp_path: Path, change: dict[str, object]):
    path = write_json(tmp_path / "a.json", rating(), rating(of=evaluation(**change)), rating(date="2021-10-05"))
    assert imported(path).scores["visit"].nunique() == 3


def test_the_case_of_a_descriptor_and_its_namespace_make_no_other_visit(tmp_path: Path):
    same = evaluation(
        evaluationPeriodDescriptor="uri://other#moy", termDescriptor="fall  semester", schoolYear="2021-2022"
    )
    path = write_json(tmp_path / "a.json", rating(), rating("2.4", of=same))
    assert imported(path).scores["visit"].nunique() == 1


@pytest.mark.parametrize("person", ["", None, "  ", "ada@school.org", "Ada Byron", "x" * 201])
def test_a_missing_or_person_like_id_is_refused(tmp_path: Path, person: object):
    found = imported(write_json(tmp_path / "a.json", rating(person=person), rating(person="P2")))
    assert [(reject.line, reject.field) for reject in found.rejects] == [(1, "personId")]
    assert values(found) == {("P2", "2.5"): 2}


def test_a_key_replaces_a_person_like_id_by_a_pseudonym(tmp_path: Path):
    path = write_json(tmp_path / "a.json", rating(person="ada@school.org"))
    found = read([path], load_instruments(), pseudonyms=Pseudonyms(b"k" * 32))
    assert found.scores["teacher_id"].str.fullmatch(r"t-[a-z2-7]{16}").all()


def test_one_id_in_two_source_systems_is_not_taken_for_one_person(tmp_path: Path):
    path = write_json(tmp_path / "a.json", rating(), rating("2.4", source="STATE"), rating("2.3", source="District"))
    found = imported(path)
    assert len(found.scores) == 2
    assert [reject.field for reject in found.rejects] == ["sourceSystemDescriptor"]


def test_notes_are_joined_redacted_and_cut_but_never_cost_the_score(tmp_path: Path):
    note = {
        "areaOfReinforcement": "warm tone",
        "areaOfRefinement": "wait longer, write to ada@school.org",
        "comments": "c" * 1_024,
        "feedback": "f" * 4_000,
    }
    found = imported(write_json(tmp_path / "a.json", rating(**note), rating(person="P2", comments="fine")))
    first, second = found.scores["note"]
    assert first.startswith("wait longer, write to [e-mail]\nfff")
    assert (len(first), first[-1], second) == (4_000, "…", "fine")
    check_score_table(found.scores, "ed-fi")


def test_levels_of_the_element_with_an_upper_end_only_give_numbers_to_level_names(tmp_path: Path):
    names = ["Improvement Needed", "Developing", "Proficient", "Accomplished", "Distinguished"]
    levels = [level(name, high=number) for number, name in enumerate(names, 1)]
    ratings = [
        rating("2.4 - Differentiation", result("x", name.upper(), "Level") | {"rating": None}, person=f"P{number}")
        for number, name in enumerate(names, 1)
    ]
    path = write_json(tmp_path / "a.json", *ratings, element("2.4 - Differentiation", ratingLevels=levels))
    found = imported(path)
    assert values(found) == {(f"P{number}", "2.4"): number for number in range(1, 6)}
    assert found.counts["rescaled to the instrument's scale"] == 0


def test_the_scale_of_one_element_is_not_the_scale_of_another(tmp_path: Path):
    percent = element("2.4 - Differentiation", minRating=0, maxRating=100)
    other_year = element("2.5 - Monitor and Adjust", of=evaluation(schoolYear=2019), minRating=0, maxRating=100)
    path = write_json(tmp_path / "a.json", percent, other_year, rating(), rating("2.4 - Differentiation", result(100)))
    assert values(imported(path)) == {("P1", "2.5"): 2, ("P1", "2.4"): 5}


def test_an_element_no_instrument_has_is_refused_with_the_way_out(tmp_path: Path):
    path = write_json(tmp_path / "a.json", rating("Yard duty"), rating())
    found = imported(path)
    assert [(reject.line, reject.field) for reject in found.rejects] == [(1, "evaluationElementTitle")]
    assert "mapping file" in found.rejects[0].wanted
    assert values(found) == {("P1", "2.5"): 2}


def test_a_mapping_file_places_elements_no_instrument_has(tmp_path: Path):
    (tmp_path / "map.yaml").write_text('instrument: danielson-2022\nelements: {"Asking, well": 3b}\n')
    path = write_json(tmp_path / "a.json", rating("ASKING WELL", result(4), of=evaluation("Round 3")))
    assert values(imported(path, mapping=tmp_path / "map.yaml")) == {("P1", "3b"): 4}


def test_an_import_of_nothing_is_an_empty_table(tmp_path: Path):
    found = imported(write_json(tmp_path / "a.json", {"codeValue": "x"}))
    check_score_table(found.scores, "ed-fi")
    assert (len(found.scores), found.counts["rows"], found.rejects) == (0, 0, [])


def test_the_same_files_give_the_same_rows(tmp_path: Path):
    path = write_json(tmp_path / "a.json", rating(), rating("2.4 - Differentiation", result(4), person="P2"))
    first, second = imported(path).scores, imported(path).scores
    assert first.equals(second)
    assert first["source_row_hash"].is_unique
