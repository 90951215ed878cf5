import copy
import json

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from score_rubrics import INSTRUMENTS, TODAY

from recommender.errors import DataFileError, GrowthError
from recommender.exchange.grow_json import (
    ARCHIVED,
    OLDER_COPIES,
    OTHER_MEASUREMENTS,
    OTHER_RUBRICS,
    PRIVATE,
    UNKNOWN_KIND,
    UNPUBLISHED,
    read,
)
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.score_schema import check_score_table
from recommender.observations import scores as table

bounded = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KEY = Pseudonyms(b"a key of sixteen")
MAP = {
    "instrument": "own-1",
    "measurements": {"m-2a": "2a", "Asks and listens": "3b", "m-overall": None},
    "labels": {"Got it": 4, "Did not see": None},
    "observation_types": {"type-1": "informal", "type-2": "formal"},
}
MEASUREMENTS = [
    {"_id": "m-q", "name": "Asks and  listens", "scaleMin": 1, "scaleMax": 4, "measurementOptions": []},
    {"_id": "m-t", "name": "3c: Tasks", "scaleMin": 0, "scaleMax": 100, "measurementOptions": []},
    {"_id": "m-x", "name": "Board", "scaleMax": 4},
]
OBSERVATION = {
    "_id": "obs-1",
    "observedAt": "2026-10-02T14:30:00.000Z",
    "isPublished": True,
    "isPrivate": False,
    "archivedAt": None,
    "lastModified": "2026-10-03T00:00:00.000Z",
    "rubric": {"_id": "r-1", "name": "Walkthrough"},
    "observer": {"_id": "u-7", "email": "sam.reed@school.org", "name": "Sam Reed"},
    "teacher": {"_id": "u-1", "email": "ana.lopez@school.org", "name": "Ana Lopez"},
    "teachingAssignment": {"school": "s-3", "grade": "7"},
    "observationType": "type-1",
    "score": 2.67,
    "listTwoColumnA": ["Warm <b>welcome</b> &amp; calm start", None],
    "listTwoColumnB": ["Ana called on three hands; write to ana.lopez@school.org"],
    "sharedNotes1": "<p>Next: wait time</p>",
    "privateNotes1": "SECRET-1",
    "magicNotes": [
        {"column": "a", "shared": True, "text": "12 of 14 questions, same 3"},
        {"column": "a", "shared": False, "text": "SECRET-2"},
        {"column": "a", "text": "SECRET-3"},
    ],
    "observationScores": [
        {"measurement": "m-2a", "valueScore": 2, "valueText": None, "textBoxes": [{"key": "k", "value": "SECRET-4"}]},
        {"measurement": "m-q", "valueScore": 3, "valueText": "Meets"},
        {"measurement": "m-t", "valueScore": 87.5},
        {"measurement": "m-overall", "valueScore": 3},
        None,
    ],
}


def observation(**changes):
    return copy.deepcopy(OBSERVATION) | changes


def scored(number, text=None, measurement="m-q"):
    return observation(observationScores=[{"measurement": measurement, "valueScore": number, "valueText": text}])


def imported_from(tmp_path, *observations, content=None, files=None, pseudonyms=None, **changes):
    files = {"observations.json": list(observations)} if files is None else files
    files = {"measurements.json": MEASUREMENTS} | files
    for name, value in files.items():
        (tmp_path / name).write_text(json.dumps(value))
    if content is not None:
        (tmp_path / "observations.json").write_bytes(content)
    document = {name: value for name, value in (MAP | changes).items() if value is not None}
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(document))
    return read([tmp_path / name for name in files], INSTRUMENTS, tmp_path / "map.yaml", pseudonyms, TODAY)


def items(imported):
    return list(imported.scores[[table.ITEM, table.VALUE]].itertuples(index=False, name=None))


def rejected(imported):
    return [(reject.line, reject.field, reject.found) for reject in imported.rejects]


def test_one_score_a_component_found_by_id_by_name_or_by_the_names_leading_code(tmp_path):
    imported = imported_from(tmp_path, observation())
    assert items(imported) == [("2a", 2), ("3b", 3), ("3c", 87.5)]
    assert imported.rejects == []
    row = imported.scores.to_dict("records")[0]
    assert (row["visit"], row["teacher_id"], row["observer"], row["school"]) == ("obs-1", "u-1", "u-7", "s-3")
    assert (row["observed_on"], row["observation_type"]) == (pd.Timestamp(2026, 10, 2), "informal")
    assert imported.counts == {"rows": 1, "not scored": 0, OTHER_MEASUREMENTS: 1}
    check_score_table(imported.scores, "test")


def test_glows_grows_and_shared_notes_are_the_note_without_markup_and_names(tmp_path):
    note = imported_from(tmp_path, observation()).scores[table.NOTE][2]
    assert note.split("\n") == [
        "Glow: Warm welcome & calm start",
        "Grow: [name] called on three hands; write to [e-mail]",
        "Next: wait time",
        "12 of 14 questions, same 3",
    ]


def test_private_notes_text_boxes_names_and_addresses_of_people_go_nowhere(tmp_path):
    imported = imported_from(tmp_path, observation())
    everything = imported.scores.to_csv() + repr(imported)
    assert not any(word in everything for word in ("SECRET", "Ana", "Lopez", "Reed", "@"))


def test_with_a_key_every_id_of_a_person_or_school_is_replaced(tmp_path):
    row = imported_from(tmp_path, observation(), pseudonyms=KEY).scores.to_dict("records")[0]
    assert row["teacher_id"] == KEY.of("teacher", "u-1")
    assert row["observer"] == KEY.of("observer", "u-7")
    assert row["school"] == KEY.of("school", "s-3")


def test_a_teacher_named_by_address_is_refused_and_the_address_not_repeated(tmp_path):
    imported = imported_from(tmp_path, observation(teacher="ana@school.org"))
    assert rejected(imported) == [(1, "teacher", "what looks like an e-mail address")]


def test_of_several_copies_the_last_modified_decides_whatever_the_order(tmp_path):
    newer = scored(4) | {"lastModified": "2026-10-05T00:00:00.000Z"}
    for copies in ([scored(1), newer], [newer, scored(1)]):
        imported = imported_from(tmp_path, *copies)
        assert items(imported) == [("3b", 4)]
        assert imported.counts[OLDER_COPIES] == 1
    gone = newer | {"archivedAt": "2026-10-05T00:00:00.000Z"}
    assert items(imported_from(tmp_path, scored(1), gone)) == []


def test_copies_in_two_files_are_one_observation(tmp_path):
    imported = imported_from(tmp_path, files={"a.json": [scored(1)], "b.json": [scored(1)]})
    assert (items(imported), imported.counts["rows"]) == ([("3b", 1)], 2)


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({"archivedAt": "2026-10-05T00:00:00.000Z"}, ARCHIVED),
        ({"isPublished": False}, UNPUBLISHED),
        ({"isPublished": None}, UNPUBLISHED),
        ({"isPrivate": True}, PRIVATE),
    ],
)
def test_archived_unpublished_and_private_observations_are_left_out_and_counted(tmp_path, change, count):
    imported = imported_from(tmp_path, observation(**change), observation(_id="obs-2"))
    assert imported.counts[count] == 1
    assert imported.scores[table.VISIT].unique().tolist() == ["obs-2"]


@pytest.mark.parametrize(
    ("number", "text", "value"),
    [
        (3, None, 3),
        (3, "Meets", 3),
        (3, "some words", 3),
        (2, "got IT", 4),
        (None, "Got it", 4),
        (None, None, None),
        (None, "Meets", None),
        (0, "Did not see", None),
        (0, "N/A", None),
        (2.5, "", 2.5),
    ],
)
def test_the_number_counts_unless_the_map_knows_the_label_or_it_means_not_scored(tmp_path, number, text, value):
    imported = imported_from(tmp_path, scored(number, text))
    assert items(imported) == ([] if value is None else [("3b", value)])
    assert (imported.counts["not scored"], imported.rejects) == (int(value is None), [])


@pytest.mark.parametrize(
    ("number", "text", "found"),
    [
        (2, "Meets", "a number and a label that disagree"),
        (5, None, "a number outside the scale"),
        (True, None, "a value of type bool"),
        ("3", None, "a value of type str"),
        ([3], None, "a value of type list"),
        (float("nan"), None, "a number that is not finite"),
        (10**400, None, "a number that is not finite"),
    ],
)
def test_a_score_that_cannot_be_trusted_is_refused(tmp_path, number, text, found):
    imported = imported_from(tmp_path, observation(), scored(number, text) | {"_id": "obs-2"})
    assert rejected(imported) == [(2, "observationScores.valueScore", found)]
    assert len(imported.scores) == 3


def test_a_measurement_nobody_named_is_refused_and_one_mapped_to_nothing_left_out(tmp_path):
    imported = imported_from(tmp_path, scored(3, measurement="m-x"), scored(3, measurement=7) | {"_id": "2"})
    found = "a measurement that the map does not name"
    assert rejected(imported) == [(n, "observationScores.measurement", found) for n in (1, 2)]
    assert imported_from(tmp_path, scored(3, measurement="m-overall")).counts[OTHER_MEASUREMENTS] == 1


def test_each_rubric_has_its_instrument_and_one_mapped_to_nothing_is_left_out(tmp_path):
    others = [observation(_id=name, rubric={"_id": name, "name": name}) for name in ("r-2", "r-3")]
    imported = imported_from(
        tmp_path, observation(), *others, instrument=None, rubrics={"walkthrough": "own-1", "r-2": None}
    )
    assert len(imported.scores) == 3
    assert imported.counts[OTHER_RUBRICS] == 1
    assert rejected(imported) == [(3, "rubric", "a rubric that the map does not name")]


def test_types_come_from_the_map_or_name_themselves_and_unknown_ones_are_refused_or_counted(tmp_path):
    kinds = ["type-2", "Peer visit", {"name": "Walkthrough"}, "5f1e", None]
    observations = [observation(_id=f"o{n}", observationType=kind) for n, kind in enumerate(kinds)]
    imported = imported_from(tmp_path, *observations)
    assert imported.scores[table.OBSERVATION_TYPE].tolist()[::3] == ["formal", "peer", "walkthrough", ""]
    assert rejected(imported) == [(4, "observationType", "another word")]
    unmapped = imported_from(tmp_path, *observations, observation_types=None)
    assert (unmapped.counts[UNKNOWN_KIND], unmapped.rejects) == (3, [])


def test_an_observation_of_oneself_is_marked_as_such(tmp_path):
    imported = imported_from(tmp_path, observation(observer={"_id": "u-1"}))
    assert imported.scores[table.OBSERVER_ROLE].unique().tolist() == ["self"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"_id": None}, "_id"),
        ({"_id": 7}, "_id"),
        ({"teacher": None}, "teacher"),
        ({"teacher": {"_id": 7}}, "teacher"),
        ({"observedAt": None}, "observedAt"),
        ({"observedAt": "yesterday"}, "observedAt"),
        ({"observedAt": "2999-01-01T00:00:00Z"}, "observedAt"),
        ({"observedAt": 1759415400000}, "observedAt"),
    ],
)
def test_an_observation_without_what_it_needs_is_one_reject(tmp_path, change, field):
    imported = imported_from(tmp_path, observation(**change), observation(_id="obs-2"))
    assert [(reject.line, reject.field) for reject in imported.rejects] == [(1, field)]
    assert len(imported.scores) == 3


def test_pages_single_objects_and_json_lines_are_read_alike(tmp_path):
    expected = items(imported_from(tmp_path, observation()))
    text = json.dumps(observation())
    for content in (f'\ufeff{{"count": 1, "data": [{text}]}}', text, f"{text}\n\n{json.dumps(MEASUREMENTS[0])}\n"):
        assert items(imported_from(tmp_path, content=content.encode())) == expected
    imported = imported_from(tmp_path, content=f'{text}\n{{"broken\n7\n'.encode())
    assert items(imported) == expected
    assert [reject.line for reject in imported.rejects] == [2, 3]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff\xfe", b"[" * 100_000, b'[{"scaleMax": 4}]'])
def test_a_file_without_an_observation_is_refused(tmp_path, content):
    with pytest.raises(DataFileError):
        imported_from(tmp_path, content=content)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"instrument": None}, "no instrument"),
        ({"instrument": "own-9"}, "own-9"),
        ({"measurements": {"m-q": "9z"}}, "9z"),
        ({"labels": {"Good": "high"}}, "labels"),
        ({"observation_types": {"a": "evaluation"}}, "observation_types"),
    ],
)
def test_a_map_that_cannot_be_right_is_refused(tmp_path, changes, said):
    with pytest.raises(DataFileError, match=said):
        imported_from(tmp_path, observation(), **changes)


def test_with_several_files_a_reject_says_which(tmp_path):
    imported = imported_from(tmp_path, files={"a.json": [scored(3)], "b.json": [scored(9) | {"_id": "2"}]})
    assert [(reject.line, reject.field) for reject in imported.rejects] == [(1, "b.json: observationScores.valueScore")]


numbers = st.none() | st.integers(-1, 6) | st.floats(0, 5) | st.booleans() | st.just("3")


@bounded
@given(st.lists(numbers, min_size=1, max_size=8))
def test_every_imported_value_is_its_valuescore(tmp_path, marks):
    scores = [{"measurement": "m-q", "valueScore": mark} for mark in marks]
    imported = imported_from(tmp_path, observation(observationScores=scores))
    good = [mark for mark in marks if not isinstance(mark, (bool, str)) and mark is not None and 1 <= mark <= 4]
    assert [value for _, value in items(imported)] == good
    assert imported.counts["not scored"] == marks.count(None)
    assert len(imported.rejects) == len(marks) - len(good) - marks.count(None)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["m-2a", "obs-1", "\ud800", "Ana B"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*OBSERVATION, "name"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@bounded
@given(st.dictionaries(st.sampled_from(list(OBSERVATION)), values, max_size=6))
def test_an_observation_of_any_shape_is_scores_and_rejects(tmp_path, changes):
    try:
        imported = imported_from(tmp_path, observation(**changes), observation(_id="obs-2"))
    except GrowthError:
        return
    check_score_table(imported.scores, "test")
    assert imported.scores[table.VISIT].eq("obs-2").sum() in (0, 3)


@bounded
@given(st.lists(st.tuples(st.binary(max_size=6), st.integers(0, 2_000)), max_size=4))
def test_damaged_files_are_a_table_or_a_plain_refusal(tmp_path, damages):
    content = bytearray(json.dumps([OBSERVATION]).encode())
    for piece, place in damages:
        content[place % len(content) : place % len(content) + len(piece)] = piece
    try:
        imported = imported_from(tmp_path, content=bytes(content))
    except GrowthError:
        return
    check_score_table(imported.scores, "test")
