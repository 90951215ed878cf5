from __future__ import annotations

import csv
import math
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.catalogue.families import load_families
from recommender.catalogue.instrument import Instrument
from recommender.catalogue.instruments import (
    CROSSWALK_COLUMNS,
    CROSSWALKS_FOLDER,
    INSTRUMENTS_FOLDER,
    load_instruments,
    read_crosswalk,
)
from recommender.catalogue.loader import load_catalogue
from recommender.errors import DataFileError

SHIPPED = load_instruments()
EVERY = pytest.mark.parametrize("instrument", SHIPPED.values(), ids=list(SHIPPED))
OWN: dict[str, Any] = {
    "id": "our-walk",
    "title": "Our walkthrough",
    "scale": {"min": 1, "max": 4, "step": 1},
    "items": [{"code": "a", "label": "Entry"}, {"code": "b", "label": "Talk", "family": "our own"}],
}


def write(folder: Path, document: Any, name: str = "own.yaml") -> Path:
    file = folder / name
    file.write_text(document if isinstance(document, str) else yaml.safe_dump(document), encoding="utf-8")
    return file


def refusal(file: Path) -> DataFileError | None:
    try:
        load_instruments([file])
    except DataFileError as error:
        return error
    return None


# The shipped files


def test_the_rubrics_the_project_promises_are_there():
    assert set(SHIPPED) >= {
        *("danielson-2013", "danielson-2022", "class-k3", "class-ue", "class-s", "teach-primary-v1", "teach-primary-2"),
        *("marzano-focused-2017", "niet-team", "ttess", "marshall", "tntp-core-2014", "tntp-core-blended-2016"),
        *("mqi-4pt", "plato", "utop", "gti-2018", "talkmoves", "talk-analytics", "nc-nces", "ed-fi-sample"),
    }


def test_every_crosswalk_file_belongs_to_a_rubric():
    assert {file.stem for file in CROSSWALKS_FOLDER.iterdir()} <= {file.stem for file in INSTRUMENTS_FOLDER.iterdir()}


@EVERY
def test_every_observed_item_has_skills_or_a_reason_for_none(instrument: Instrument):
    mapped = SHIPPED.crosswalk(instrument.id)
    for item in instrument.items:
        assert (item.code in mapped) != (item.code in instrument.unmapped), item.code
        if item.code in instrument.unmapped:
            assert item.derived or not item.observable, item.code


@EVERY
def test_an_observed_item_speaks_about_3_to_14_skills_with_weights_of_at_most_1(instrument: Instrument):
    for code, skills in SHIPPED.crosswalk(instrument.id).items():
        assert math.fsum(entry.weight for entry in skills.values()) <= 1 + 1e-9
        assert 1 <= len(skills) <= 14
        assert not instrument.by_code[code].observable or len(skills) >= 3
        assert all(skill in load_catalogue() and entry.provenance for skill, entry in skills.items())
        assert instrument.crosswalk[code] == {skill: entry.weight for skill, entry in skills.items()}


@EVERY
def test_families_are_on_the_list_and_only_denominators_and_context_have_none(instrument: Instrument):
    for item in instrument.items:
        assert item.family in load_families() if item.family else not item.observable or item.derived


@EVERY
def test_a_rubric_says_its_licence_its_source_and_what_is_not_verified(instrument: Instrument):
    assert instrument.licence is not None
    assert instrument.source and instrument.provenance
    shippable = {"teach-primary-2", "talk-analytics", "ed-fi-sample"}
    assert instrument.licence.text_may_ship == (instrument.id in shippable)


def test_every_skill_is_reached_by_an_item_of_danielson_2022():
    reached = {skill for skills in SHIPPED.crosswalk("danielson-2022").values() for skill in skills}
    assert reached == set(load_catalogue().ids)


@pytest.mark.parametrize("edition", ["danielson-2013", "danielson-2022"])
def test_a_danielson_item_names_only_skills_whose_own_code_it_is_or_says_it_is_a_judgement(edition: str):
    catalogue = load_catalogue()
    for code, skills in SHIPPED.crosswalk(edition).items():
        for skill, entry in skills.items():
            own = code in catalogue[skill].crosswalk.danielson
            assert own == entry.provenance.startswith("skill crosswalk code danielson"), (code, skill)
            assert own or entry.confidence == "low"


def test_a_family_judgement_is_never_of_high_confidence():
    for instrument_id in SHIPPED:
        for skills in SHIPPED.crosswalk(instrument_id).values():
            assert not any(e.confidence == "high" and e.provenance.startswith("family") for e in skills.values())


def test_duties_carry_no_skills():
    for edition in ("danielson-2013", "danielson-2022"):
        assert set(SHIPPED[edition].unmapped) == {"4a", "4e", "4f"}
    assert set(SHIPPED["ttess"].unmapped) == {"4.1", "4.2", "4.3", "4.4"}


def test_the_paired_class_dimensions_of_two_versions_carry_the_same_skills():
    assert SHIPPED["class-s"].crosswalk["RAP"] == SHIPPED["class-k3"].crosswalk["RSP"]
    assert SHIPPED["class-ue"].crosswalk["RSP"] == SHIPPED["class-k3"].crosswalk["RSP"]
    shared = {"higher-order-questions", "probing-follow-ups", "comparing-solution-strategies", "rich-task-launch"}
    assert shared <= set(SHIPPED["class-k3"].crosswalk["CD"]) & set(SHIPPED["class-s"].crosswalk["AI"])
    assert "talk-moves" in SHIPPED["class-k3"].crosswalk["LM"] and "talk-moves" in SHIPPED["class-s"].crosswalk["ID"]


@pytest.mark.parametrize(
    ("instrument_id", "reversed_items"),
    [
        ("class-k3", {"NC"}),
        ("class-s", {"NC"}),
        ("class-ue", {"NC"}),
        ("mqi-4pt", {"12", "13", "14", "15"}),
        ("talk-analytics", {"teacher_talk_percent"}),
        ("danielson-2022", set()),
    ],
)
def test_the_reversed_items_are_the_known_ones(instrument_id: str, reversed_items: set[str]):
    assert {item.code for item in SHIPPED[instrument_id].items if item.direction == -1} == reversed_items


@pytest.mark.parametrize(
    ("instrument_id", "item", "raw", "value"),
    [
        ("danielson-2022", "3b", "basic", 2.0),
        ("ttess", "2.5", "Accomplished", 4.0),
        ("marzano-focused-2017", "4", "Not Using", 0.0),
        ("marshall", "B-c", "Improvement Necessary", 2.0),
        ("mqi-4pt", "2", "Mid", 2.0),
        ("mqi-4pt", "1", "Yes", 1.0),
        ("teach-primary-v1", "1.1", "M", 2.0),
        ("teach-primary-v1", "0.2.1", "Y", 1.0),
        ("teach-primary-v1", "1.3", "N/A", None),
        ("teach-primary-2", "1.4b", "H", 3.0),
        ("nc-nces", "4e", "Developing", 1.0),
        ("nc-nces", "4e", "Not Demonstrated", None),
        ("gti-2018", "DC2QT", 2.5, 2.5),
        ("gti-2018", "DC2QT", "9999", None),
        ("class-s", "QF", 3.25, 3.25),
        ("talkmoves", "press_reasoning", 4, 4.0),
        ("talk-analytics", "wait_time_seconds", 1.4, 1.4),
        ("ed-fi-sample", "speech", "Effective", 74.5),
    ],
)
def test_the_level_labels_of_the_rubrics_are_read(instrument_id: str, item: str, raw: Any, value: float | None):
    assert SHIPPED[instrument_id].score(item, raw) == value


def test_the_numbers_of_items_are_those_of_the_published_lists():
    sizes = {instrument_id: len(instrument.items) for instrument_id, instrument in SHIPPED.items()}
    assert {key: sizes[key] for key in ("danielson-2013", "danielson-2022", "ttess", "niet-team")} == {
        "danielson-2013": 22,
        "danielson-2022": 22,
        "ttess": 16,
        "niet-team": 19,
    }
    assert (sizes["marzano-focused-2017"], sizes["marshall"], sizes["utop"], sizes["plato"]) == (23, 60, 26, 13)
    assert (sizes["class-k3"], sizes["class-ue"], sizes["class-s"], sizes["mqi-4pt"]) == (10, 12, 12, 21)
    components = [item for item in SHIPPED["gti-2018"].items if item.level == "component"]
    assert len(components) == 18 and all(item.norm for item in components)


def test_figures_of_the_reference_study_are_the_norms():
    by_code = SHIPPED["gti-2018"].by_code
    assert by_code["DC2QT"].norm and by_code["DC2QT"].norm.shares == {1: 0.16, 2: 0.47, 3: 0.31, 4: 0.05}
    assert by_code["CM3DS"].norm and by_code["CM3DS"].norm.shares and by_code["CM3DS"].norm.shares[4] == 0.92
    assert by_code["CE1DS"].norm and (by_code["CE1DS"].norm.mean, by_code["CE1DS"].norm.sd) == (1.69, 0.57)
    feedback = SHIPPED["teach-primary-v1"].by_code["5"].norm
    assert feedback and feedback.mean == pytest.approx((2.10 + 1.59) / 2)


def test_holistic_scores_are_marked_to_be_dropped():
    assert {item.code for item in SHIPPED["gti-2018"].items if item.derived} == {
        f"{domain}0OV" for domain in ("CM", "SE", "DC", "QS", "CE", "AR")
    }
    assert {item.code for item in SHIPPED["mqi-4pt"].items if item.derived} == {"8", "11", "15", "21"}


def test_the_version_is_12_hex_digits_and_the_same_beside_a_users_file(tmp_path):
    assert len(SHIPPED.version) == 12 and int(SHIPPED.version, 16) >= 0
    assert load_instruments([write(tmp_path, OWN)]).version == SHIPPED.version


# A user's own rubric


def test_a_rubric_of_id_title_scale_and_items_is_enough(tmp_path):
    instruments = load_instruments([write(tmp_path, OWN)])
    assert list(instruments)[-1] == "our-walk" and len(instruments) == len(SHIPPED) + 1
    own = instruments["our-walk"]
    assert (own.score("a", 2.5), own.by_code["b"].family, own.unit) == (2.5, "our own", "lesson")
    assert instruments.crosswalk("our-walk") == {}
    assert "our-walk" not in load_instruments()


def test_a_crosswalk_inside_the_file_is_read_with_medium_confidence(tmp_path):
    instruments = load_instruments([write(tmp_path, OWN | {"crosswalk": {"a": {"entry-routine": 0.5}}})])
    entry = instruments.crosswalk("our-walk")["a"]["entry-routine"]
    assert (entry.weight, entry.confidence, entry.provenance) == (0.5, "medium", "the instrument's own file")


def test_a_file_that_was_edited_is_read_again(tmp_path):
    file = write(tmp_path, OWN)
    assert load_instruments([file])["our-walk"].title == "Our walkthrough"
    write(tmp_path, OWN | {"title": "Our other walkthrough"})
    os.utime(file, ns=(1, 1))
    assert load_instruments([file])["our-walk"].title == "Our other walkthrough"


def test_an_own_file_with_a_shipped_id_takes_its_place_with_its_own_items_and_crosswalk(tmp_path):
    replaced = load_instruments([write(tmp_path, OWN | {"id": "ttess"})])
    assert replaced["ttess"].title == OWN["title"]
    assert set(replaced.crosswalk("ttess")) == set(OWN.get("crosswalk", {}))
    assert load_instruments()["ttess"].title != OWN["title"]


def test_one_id_twice_is_refused(tmp_path):
    with pytest.raises(DataFileError, match=r"other\.yaml: id: found 'our-walk' twice"):
        load_instruments([write(tmp_path, OWN), write(tmp_path, OWN, "other.yaml")])


BROKEN = [
    ({"items": [{"code": 1.1, "label": "Entry"}]}, "own.yaml: items: 1.1: code", "Put it in quotes"),
    ({"items": [{"code": "a"}]}, "own.yaml: items: a: label", "found nothing; wanted field required"),
    ({"items": [{"code": "a", "label": "A", "level": "row"}]}, "own.yaml: items: a: level", "found 'row'"),
    ({"items": [{"code": "a", "label": "A", "weight": 2}]}, "own.yaml: items: a: weight", "extra inputs"),
    ({"items": {"a": "Entry"}}, "own.yaml: items", "found a dict"),
    ({"title": 7}, "own.yaml: title", "found 7"),
    ({"scale": {"min": 4, "max": 1}}, "own.yaml: scale", "min must be below its max"),
    ({"scale": {"labels": {True: 1, False: 0}}}, "own.yaml: scale: labels: False", "Put it in quotes"),
    ({"scale": {"labels": {"Low": "one"}}}, "own.yaml: scale: labels: Low", "found 'one'"),
    ({"crosswalk": {"a": {"entry-routine": 1.5}}}, "own.yaml: crosswalk: a: entry-routine", "less than or equal to 1"),
    ({"crosswalk": {"a": {"entry-rutine": 0.5}}}, "own.yaml: crosswalk: a", "Did you mean entry-routine?"),
    ({"crosswalk": {"c": {"entry-routine": 0.5}}}, "own.yaml", "crosswalk: 'c' is no item"),
    ({"missing": "N/A"}, "own.yaml: missing", "found 'N/A'"),
    ({"unit": "month"}, "own.yaml: unit", "found 'month'"),
]


@pytest.mark.parametrize(("changes", "where", "reason"), BROKEN)
def test_a_broken_rubric_is_refused_with_file_item_and_field(
    tmp_path, changes: dict[str, Any], where: str, reason: str
):
    with pytest.raises(DataFileError) as caught:
        load_instruments([write(tmp_path, OWN | changes)])
    assert caught.value.where == where
    assert reason in str(caught.value)


def test_a_rubric_that_gives_an_items_crosswalk_twice_is_refused_with_the_line(tmp_path):
    text = yaml.safe_dump(OWN) + "crosswalk:\n  a: {entry-routine: 0.5}\n  a: {wait-time: 0.5}\n"
    with pytest.raises(DataFileError, match="line 15: found 'a' twice"):
        load_instruments([write(tmp_path, text)])


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(field=st.sampled_from([*OWN, "crosswalk", "labels", "missing", "unmapped", "licence"]), value=ANYTHING)
def test_whatever_stands_in_a_field_is_understood_or_refused_by_name(tmp_path, field: str, value: Any):
    file = write(tmp_path, OWN | {field: value})
    refused = refusal(file)
    assert refused is None or refused.where.startswith("own.yaml")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60), st.integers(0, 60))
def test_bytes_in_the_middle_of_a_file_never_end_in_anything_but_a_refusal(tmp_path, noise: bytes, place: int):
    content = yaml.safe_dump(OWN).encode()
    file = tmp_path / "own.yaml"
    file.write_bytes(content[:place] + noise + content[place:])
    refused = refusal(file)
    assert refused is None or "own.yaml" in refused.where


# A crosswalk file


def crosswalk_file(*rows: str, header: str = ",".join(CROSSWALK_COLUMNS)) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def test_a_crosswalk_row_is_read():
    crosswalk = read_crosswalk(crosswalk_file('2c,entry-routine,0.25,high,"skill, code 2c"'), "x.csv")
    entry = crosswalk["2c"]["entry-routine"]
    assert (entry.weight, entry.confidence, entry.provenance) == (0.25, "high", "skill, code 2c")


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("2c,entry-rutine,0.25,high,p", "x.csv: line 2: skill_id"),
        ("2c,entry-routine,0,high,p", "x.csv: line 2: weight"),
        ("2c,entry-routine,1.01,high,p", "x.csv: line 2: weight"),
        ("2c,entry-routine,nan,high,p", "x.csv: line 2: weight"),
        ("2c,entry-routine,much,high,p", "x.csv: line 2: weight"),
        ("2c,entry-routine,0.2,sure,p", "x.csv: line 2: confidence"),
        ("2c,entry-routine,0.2", "x.csv: line 2"),
    ],
)
def test_a_broken_crosswalk_row_is_refused_with_line_and_column(row: str, where: str):
    with pytest.raises(DataFileError) as caught:
        read_crosswalk(crosswalk_file(row), "x.csv")
    assert caught.value.where == where


def test_a_pair_given_twice_and_another_header_are_refused():
    row = "2c,entry-routine,0.2,high,p"
    with pytest.raises(DataFileError, match="line 3: found 2c and entry-routine twice"):
        read_crosswalk(crosswalk_file(row, row), "x.csv")
    with pytest.raises(DataFileError, match="line 1"):
        read_crosswalk(crosswalk_file(row, header="item,skill,weight"), "x.csv")


def test_the_shipped_crosswalks_are_plain_csv_with_the_named_columns():
    for file in CROSSWALKS_FOLDER.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as stream:
            assert tuple(next(csv.reader(stream))) == CROSSWALK_COLUMNS
