import re
from datetime import datetime
from pathlib import Path

import pytest
from ed_fi_shapes import (
    TPDM,
    imported,
    values,
    write_xml,
    xml_element,
    xml_evaluation,
    xml_file,
    xml_rating,
    xml_rating_key,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.errors import DataFileError, GrowthError
from recommender.exchange.score_schema import check_score_table

bounded = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TITLES = {
    "ALIGNMENT AND OBJECTIVES": "alignment",
    "INSTRUCTIONAL DELIVERY METHODS": "delivery",
    "ADDRESS MISCONCEPTIONS": "misconceptions",
    "CLEAR AND CONCISE SPEECH": "speech",
    "PROFESSIONALISM": "professionalism",
    "CLASSROOM MANAGEMENT AND CULTURE": "management",
    "OVERALL": "overall",
}
BANDS = "".join(
    f"<ElementRatingLevel><EvaluationRatingLevel>{TPDM}/EvaluationRatingLevelDescriptor#{name}</EvaluationRatingLevel>"
    f"<MinRating>{low}</MinRating><MaxRating>{high}</MaxRating></ElementRatingLevel>"
    for name, low, high in (
        ("Ineffective", 0, 24),
        ("Minimally Effective", 25, 59),
        ("Effective", 60, 89),
        ("Highly Effective", 90, 100),
    )
)


def evaluation_rating(person: str, reviewers: str, title: str = "Formal Observation") -> str:
    key = xml_rating_key(person, xml_evaluation(), title, "2011-11-01T09:30:00")
    return f"""<EvaluationRating>{key}{reviewers}
<EvaluationRatingResult><RatingResultTitle>Effective</RatingResultTitle><Rating>1</Rating></EvaluationRatingResult>
</EvaluationRating>"""


def reviewer(person: str = "") -> str:
    reference = (
        f"<ReviewerPersonReference><PersonIdentity><PersonId>{person}</PersonId></PersonIdentity>"
        "</ReviewerPersonReference>"
    )
    return (
        f"<Reviewer><FirstName>Ada</FirstName><LastSurname>Byron</LastSurname>{reference if person else ''}</Reviewer>"
    )


def flat_sample() -> dict[str, int]:
    return {f"{person:032X}": 51 + person for person in range(50)}


def test_a_flat_interchange_of_fifty_people_and_seven_elements_imports_whole(tmp_path: Path):
    people = flat_sample()
    elements = [xml_element(title, BANDS, bounds="<MaxRating>100</MaxRating>") for title in TITLES]
    ratings = [xml_rating(person, title, score) for person, score in people.items() for title in TITLES]
    derived = [evaluation_rating(person, "") for person in people]
    result = imported(write_xml(tmp_path / "sample.xml", *derived, *ratings, *elements))
    check_score_table(result.scores, "ed-fi")
    assert not result.rejects
    assert values(result) == {(person, item): score for person, score in people.items() for item in TITLES.values()}
    assert (result.counts["rows"], result.counts["left out: ratings of objectives and whole evaluations"]) == (350, 50)
    assert result.counts["rescaled to the instrument's scale"] == 0
    assert set(result.scores["instrument"]) == {"ed-fi-sample"}
    assert set(result.scores["observation_type"]) == {"formal"}
    assert set(result.scores["observed_on"]) == {datetime(2011, 11, 1)}
    assert result.scores["visit"].nunique() == 1
    assert set(result.scores["observer"]) == {"UNK"}


@pytest.mark.parametrize(
    "namespace",
    ["", ' xmlns="http://ed-fi.org/6.0.0"', ' xmlns="http://ed-fi.org/5.1.0" xmlns:ann="http://ed-fi.org/annotation"'],
)
def test_the_namespace_makes_no_difference(tmp_path: Path, namespace: str):
    path = write_xml(tmp_path / "a.xml", xml_rating("P1", "OVERALL", 79), namespace=namespace)
    assert values(imported(path, mapping=sample_mapping(tmp_path))) == {("P1", "overall"): 79}


def test_a_prefix_of_the_extension_makes_no_difference(tmp_path: Path):
    prefixed = re.sub(r"<(/?)(\w)", r"<\1tpdm:\2", xml_rating("P1", "OVERALL", 79))
    path = write_xml(tmp_path / "a.xml", prefixed, namespace=' xmlns:tpdm="http://ed-fi.org/EXTENSION"')
    assert values(imported(path, mapping=sample_mapping(tmp_path))) == {("P1", "overall"): 79}


def sample_mapping(folder: Path) -> Path:
    path = folder / "map.yaml"
    path.write_text("instrument: ed-fi-sample\n", encoding="utf-8")
    return path


def test_a_missing_person_is_refused_with_the_line_of_the_rating(tmp_path: Path):
    first = xml_rating("P1", "OVERALL", 79)
    path = write_xml(tmp_path / "a.xml", first, xml_rating("", "OVERALL", 79), xml_rating("P3", "OVERALL", 60))
    result = imported(path, mapping=sample_mapping(tmp_path))
    assert [(reject.line, reject.field) for reject in result.rejects] == [(3 + first.count("\n") + 1, "personId")]
    assert values(result) == {("P1", "overall"): 79, ("P3", "overall"): 60}


def test_a_reviewer_is_known_by_person_id_and_never_by_name(tmp_path: Path):
    records = [
        xml_rating("P1", "OVERALL", 79),
        xml_rating("P2", "OVERALL", 80),
        xml_rating("P3", "OVERALL", 81),
        evaluation_rating("P1", reviewer("R9")),
        evaluation_rating("P2", reviewer()),
        evaluation_rating("P3", reviewer("R9") + reviewer("R8")),
    ]
    result = imported(write_xml(tmp_path / "a.xml", *records), mapping=sample_mapping(tmp_path))
    assert dict(zip(result.scores["teacher_id"], result.scores["observer"], strict=True)) == {
        "P1": "R9",
        "P2": "UNK",
        "P3": "UNK",
    }
    assert result.counts["observer unknown: several reviewers"] == 1
    assert not result.scores.astype(str).apply(lambda column: column.str.contains("Ada|Byron")).any().any()


def test_feedback_becomes_the_note_with_its_entities_read(tmp_path: Path):
    more = (
        "<AreaOfRefinement>Wait &amp; see</AreaOfRefinement><Comments>third</Comments><Feedback>call 555-123-4567"
        "</Feedback>"
    )
    path = write_xml(tmp_path / "a.xml", xml_rating("P1", "OVERALL", 79, more=more))
    result = imported(path, mapping=sample_mapping(tmp_path))
    assert result.scores["note"].tolist() == ["Wait & see\ncall [phone]\nthird"]


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]>',
        '<!DOCTYPE a [<!ENTITY a "1"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]>',
    ],
)
def test_a_document_type_declaration_is_refused(tmp_path: Path, declaration: str):
    path = tmp_path / "a.xml"
    path.write_text(f"<?xml version='1.0'?>{declaration}" + xml_file().partition("?>")[2], encoding="utf-8")
    with pytest.raises(DataFileError, match="document type declaration on line 1"):
        imported(path)


def test_what_stands_before_broken_xml_is_kept_and_the_line_is_named(tmp_path: Path):
    text = xml_file(xml_rating("P1", "OVERALL", 79), "<EvaluationElementRating><oops>", xml_rating("P2", "OVERALL", 60))
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    result = imported(tmp_path / "a.xml", mapping=sample_mapping(tmp_path))
    assert values(result) == {("P1", "overall"): 79}
    assert [(reject.field, reject.line) for reject in result.rejects] == [("the rest of the file", text.count("\n"))]


def test_elements_nested_without_end_are_refused(tmp_path: Path):
    (tmp_path / "a.xml").write_text("<a>" + "<b>" * 100_000, encoding="utf-8")
    assert [reject.found for reject in imported(tmp_path / "a.xml").rejects] == ["elements nested too deeply"]


def test_a_value_in_another_encoding_is_read_as_declared(tmp_path: Path):
    text = xml_file(xml_rating("P1", "OVERALL", 79, more="<Feedback>naïve</Feedback>"))
    (tmp_path / "a.xml").write_bytes(text.replace("UTF-8", "ISO-8859-1").encode("latin-1"))
    assert imported(tmp_path / "a.xml", mapping=sample_mapping(tmp_path)).scores["note"].tolist() == ["naïve"]


@bounded
@given(
    st.lists(st.tuples(st.integers(0, 6_000), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 6_000),
)
def test_no_mutated_byte_crashes_the_reader(tmp_path: Path, changes: list[tuple[int, int]], end: int):
    content = bytearray(xml_file(xml_element("OVERALL", BANDS), xml_rating("P1", "OVERALL", 79)).encode())
    for place, byte in changes:
        content[place % len(content)] = byte
    path = tmp_path / "a.xml"
    path.write_bytes(bytes(content[: max(end, 1)] if end % 3 == 0 else content))
    try:
        result = imported(path, mapping=sample_mapping(tmp_path))
    except GrowthError:
        return
    assert result.scores["value"].between(0, 100).all()


@bounded
@given(st.lists(st.tuples(st.sampled_from("ABCDEF"), st.sampled_from([*TITLES]), st.integers(0, 100)), max_size=8))
def test_every_imported_number_is_the_number_in_the_source(tmp_path: Path, ratings: list[tuple[str, str, int]]):
    records = [xml_rating(*each) for each in ratings]
    result = imported(write_xml(tmp_path / "a.xml", *records), mapping=sample_mapping(tmp_path))
    rows = result.scores
    found = list(zip(rows["teacher_id"], rows["item"], rows["value"], strict=True))
    assert found == [(person, TITLES[title], score) for person, title, score in ratings]
