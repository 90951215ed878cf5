import copy
import hashlib
import json
import traceback
from contextlib import suppress
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.cases import (
    INTENDED_USE,
    MAX_OBSERVATIONS,
    MAX_STRUGGLE_CHARACTERS,
    Case,
    Ranking,
    Reason,
    Suggestion,
    parse_case,
)
from recommender.catalogue.loader import load_catalogue
from recommender.errors import CaseError

bounded = settings(max_examples=80, deadline=None, derandomize=True)

MARKER = "xylophone-7f3c"
FULL_CASE = {
    "case_id": "c1",
    "teacher_id": "t-204",
    "struggle": f"Same three hands every time I ask anything {MARKER}",
    "observations": [
        {
            "instrument": "danielson-2022",
            "item": "3b",
            "value": 2,
            "observed_on": "2026-10-02",
            "observer": "o17",
            "visit": "v1",
            "segment": 0,
            "note": "14 questions, 12 answered by the same 3",
        }
    ],
    "context": {
        "grade_band": "middle",
        "subject": "science",
        "career_stage": "early",
        "minutes_per_week": 30,
        "interests": ["questioning-discourse"],
        "mix": 0.5,
        "fit_minutes": False,
    },
    "declined": ["cold-calling"],
    "top": 3,
}


def changed(**fields: object) -> dict[str, object]:
    """The full case with some fields changed; a name may be a path such as ``context__mix``."""
    content = copy.deepcopy(FULL_CASE)
    for path, value in fields.items():
        *parents, last = path.split("__")
        inner: object = content
        for name in parents:
            inner = inner[int(name) if name.isdigit() else name]  # type: ignore[index]
        inner[last] = value  # type: ignore[index]
    return content


def refusal(content: bytes | str | dict) -> CaseError:
    with pytest.raises(CaseError) as caught:
        parse_case(content, where="line 7")
    error = caught.value
    assert error.where == "line 7"
    told = "".join(traceback.format_exception(error)) + repr(error) + error.found + error.wanted + error.way_out
    assert MARKER not in told
    return error


def refused_field(content: bytes | str | dict) -> str:
    return refusal(content).found.partition(" in ")[2]


# What is accepted


def test_the_example_of_the_contract_is_parsed():
    case = parse_case(FULL_CASE)
    assert case.observations[0].observed_on == date(2026, 10, 2)
    assert case.observations[0].value == 2
    assert case.context.subject == "science"
    assert case.declined == ["cold-calling"]


def test_json_text_json_bytes_and_a_mapping_are_the_same_case():
    as_text = json.dumps(FULL_CASE)
    assert parse_case(as_text) == parse_case(as_text.encode()) == parse_case(FULL_CASE)


def test_only_the_case_id_is_required():
    case = parse_case({"case_id": "c1"})
    assert (case.struggle, case.observations, case.declined, case.top, case.teacher_id) == ("", [], [], 3, None)
    context = case.context
    assert (context.grade_band, context.subject, context.career_stage) == ("unknown", "unknown", "unknown")
    assert (context.minutes_per_week, context.interests, context.mix, context.fit_minutes) == (None, [], 0.5, False)


def test_a_case_survives_its_own_json():
    case = parse_case(FULL_CASE)
    assert parse_case(case.model_dump_json()) == case


@pytest.mark.parametrize("value", [2, 2.5, -1, 0, "Basic", "2"])
def test_a_value_is_a_number_or_a_level_label(value):
    assert parse_case(changed(observations__0__value=value)).observations[0].value == value


@pytest.mark.parametrize(
    "fields",
    [
        {"top": 1},
        {"top": 115},
        {"context__mix": 0},
        {"context__mix": 1},
        {"context__minutes_per_week": 1},
        {"context__minutes_per_week": 2_000},
        {"context__minutes_per_week": None},
        {"observations__0__segment": 1_000},
        {"case_id": "x" * 200},
        {"struggle": "x" * MAX_STRUGGLE_CHARACTERS},
        {"struggle": "\U0001f600" * MAX_STRUGGLE_CHARACTERS},
        {"struggle": "a line\r\nanother\tand a tab"},
        {"context__interests": list(load_catalogue().domains)},
        {"declined": list(load_catalogue().ids)},
    ],
)
def test_what_lies_on_a_bound_is_accepted(fields):
    parse_case(changed(**fields))
    parse_case(json.dumps(changed(**fields)))


def test_all_115_skills_may_be_declined_and_no_more():
    ids = list(load_catalogue().ids)
    assert len(ids) == 115
    assert len(parse_case(changed(declined=ids)).declined) == 115
    assert refused_field(changed(declined=[*ids, ids[0]])) == "declined"


def test_as_many_observations_as_the_limit_are_accepted_and_no_more():
    one = FULL_CASE["observations"][0]
    assert len(parse_case(changed(observations=[one] * MAX_OBSERVATIONS)).observations) == MAX_OBSERVATIONS
    assert refused_field(changed(observations=[one] * (MAX_OBSERVATIONS + 1))) == "observations"


def test_a_case_cannot_be_changed_behind_the_edge():
    case = parse_case(FULL_CASE)
    with pytest.raises(ValueError, match="frozen"):
        case.top = 5


# What is refused, by field and without a word of the struggle

REFUSED = [
    ("colour", "red", "colour"),
    ("context__mood", "red", "context.mood"),
    ("observations__0__rating", 3, "observations.0.rating"),
    ("case_id", 5, "case_id"),
    ("case_id", None, "case_id"),
    ("case_id", "", "case_id"),
    ("case_id", "x" * 201, "case_id"),
    ("case_id", "a\x00", "case_id"),
    ("teacher_id", 204, "teacher_id"),
    ("teacher_id", "", "teacher_id"),
    ("struggle", None, "struggle"),
    ("struggle", [MARKER], "struggle"),
    ("struggle", {MARKER: MARKER}, "struggle"),
    ("struggle", MARKER + "\x00", "struggle"),
    ("struggle", MARKER + "\x1b[31m", "struggle"),
    ("struggle", MARKER + "\x85", "struggle"),
    ("struggle", MARKER + "x" * (MAX_STRUGGLE_CHARACTERS - len(MARKER) + 1), "struggle"),
    ("observations", {}, "observations"),
    ("observations", [MARKER], "observations.0"),
    ("observations__0__value", float("nan"), "observations.0.value"),
    ("observations__0__value", float("inf"), "observations.0.value"),
    ("observations__0__value", True, "observations.0.value"),
    ("observations__0__value", None, "observations.0.value"),
    ("observations__0__value", [2], "observations.0.value"),
    ("observations__0__value", "", "observations.0.value"),
    ("observations__0__value", MARKER * 8, "observations.0.value"),
    ("observations__0__value", "Basic\x00", "observations.0.value"),
    ("observations__0__item", "", "observations.0.item"),
    ("observations__0__segment", -1, "observations.0.segment"),
    ("observations__0__segment", 1_001, "observations.0.segment"),
    ("observations__0__segment", True, "observations.0.segment"),
    ("observations__0__segment", 1.0, "observations.0.segment"),
    ("observations__0__note", MARKER + "x" * MAX_STRUGGLE_CHARACTERS, "observations.0.note"),
    ("observations__0__observed_on", "2026-13-01", "observations.0.observed_on"),
    ("observations__0__observed_on", "2026-02-30", "observations.0.observed_on"),
    ("observations__0__observed_on", "2026-2-3", "observations.0.observed_on"),
    ("observations__0__observed_on", "20260203", "observations.0.observed_on"),
    ("observations__0__observed_on", "2026-02-03T10:00:00", "observations.0.observed_on"),
    ("observations__0__observed_on", "02/03/2026", "observations.0.observed_on"),
    ("observations__0__observed_on", MARKER, "observations.0.observed_on"),
    ("observations__0__observed_on", 1_770_000_000, "observations.0.observed_on"),
    ("context", [], "context"),
    ("context", MARKER, "context"),
    ("context__grade_band", "Middle", "context.grade_band"),
    ("context__grade_band", MARKER, "context.grade_band"),
    ("context__career_stage", "novice", "context.career_stage"),
    ("context__subject", 5, "context.subject"),
    ("context__subject", True, "context.subject"),
    ("context__subject", ["science"], "context.subject"),
    ("context__subject", MARKER * 9, "context.subject"),
    ("context__minutes_per_week", 0, "context.minutes_per_week"),
    ("context__minutes_per_week", 2_001, "context.minutes_per_week"),
    ("context__minutes_per_week", "30", "context.minutes_per_week"),
    ("context__minutes_per_week", 30.0, "context.minutes_per_week"),
    ("context__minutes_per_week", True, "context.minutes_per_week"),
    ("context__interests", "questioning-discourse", "context.interests"),
    ("context__interests", ["questioning-discourse", MARKER], "context.interests.1"),
    ("context__interests", ["questioning-discourse"] * 13, "context.interests"),
    ("context__mix", -0.01, "context.mix"),
    ("context__mix", 1.01, "context.mix"),
    ("context__mix", float("nan"), "context.mix"),
    ("context__mix", float("-inf"), "context.mix"),
    ("context__mix", "0.5", "context.mix"),
    ("context__mix", True, "context.mix"),
    ("context__mix", 10**400, "context.mix"),
    ("context__fit_minutes", 1, "context.fit_minutes"),
    ("context__fit_minutes", "true", "context.fit_minutes"),
    ("declined", "cold-calling", "declined"),
    ("declined", ["cold-calling", MARKER], "declined.1"),
    ("declined", ["Cold-Calling"], "declined.0"),
    ("declined", [3], "declined.0"),
    ("top", 0, "top"),
    ("top", 116, "top"),
    ("top", -3, "top"),
    ("top", 3.0, "top"),
    ("top", "3", "top"),
    ("top", True, "top"),
    ("top", None, "top"),
    ("top", float("inf"), "top"),
]


@pytest.mark.parametrize(("path", "value", "field"), REFUSED)
def test_what_no_field_may_hold_is_refused_by_name(path, value, field):
    content = changed(**{path: value})
    assert refused_field(content) == field
    assert refused_field(json.dumps(content)) == field


@pytest.mark.parametrize("field", ["case_id", "struggle", "teacher_id"])
def test_a_lone_surrogate_in_a_mapping_is_refused_by_field(field):
    assert refused_field(changed(**{field: MARKER + "\ud800"})) == field


@pytest.mark.parametrize("half", ["\\ud800", "\\uDFFF", "\ud800"])
def test_a_lone_surrogate_in_json_is_refused_escaped_and_raw(half):
    refusal('{"case_id":"c1","struggle":"' + MARKER + half + '"}')


def test_an_escaped_pair_of_surrogates_is_one_character():
    assert parse_case('{"case_id":"c1","struggle":"\\ud83d\\ude00"}').struggle == "\U0001f600"


def test_bytes_are_no_struggle_and_a_moment_is_no_date():
    assert refused_field(changed(struggle=MARKER.encode())) == "struggle"
    assert refused_field(changed(observations__0__observed_on=datetime(2026, 1, 1))) == "observations.0.observed_on"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"' + MARKER.encode() + b'"',
        b"\xff",
        b'{"case_id":"c1","struggle":"' + MARKER.encode(),
        b'{"case_id":"c1","struggle":"' + MARKER.encode() + b'\\q"}',
        b'{"case_id":"c1","top":1' + b"0" * 5_000 + b"}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_object_is_refused_as_a_whole(content):
    assert refused_field(content) == "the whole case"


def test_a_missing_case_id_is_said_to_be_missing():
    error = refusal({"struggle": MARKER})
    assert (error.found, error.wanted) == ("nothing in case_id", "field required")


def test_a_refused_value_is_named_by_its_type():
    assert refusal(changed(top="3")).found == "a value of type str in top"


@pytest.mark.parametrize(("path", "limit"), [("struggle", "4000"), ("observations__0__note", "4000")])
def test_a_text_that_is_too_long_is_told_its_limit_in_characters(path, limit):
    wanted = refusal(changed(**{path: MARKER * 400})).wanted
    assert limit in wanted
    assert "character" in wanted


def test_a_struggle_given_as_the_name_of_a_field_is_not_quoted():
    refusal({"case_id": "c1", f"They never listen {MARKER}": "1"})
    refusal({"case_id": "c1", "context": {f"They never listen {MARKER}": "1"}})
    refusal(json.dumps({"case_id": "c1", MARKER: 1}))


def test_a_date_in_digits_of_another_script_is_not_quoted():
    error = refusal(changed(observations__0__observed_on="２０２６-１０-０２"))
    assert "２０２６" not in str(error)
    assert "YYYY-MM-DD" in error.wanted


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FULL_CASE, "mix"]), inner),
    max_leaves=12,
)


@bounded
@given(json_values)
def test_whatever_is_sent_is_a_case_or_refused(value):
    content = {"case_id": "c1", **value} if isinstance(value, dict) else {"case_id": "c1", "context": value}
    for sent in (content, json.dumps(content), json.dumps(value)):
        with suppress(CaseError):
            assert isinstance(parse_case(sent), Case)


@bounded
@given(st.binary(max_size=200) | st.text(st.characters(), max_size=200))
def test_whatever_bytes_are_sent_are_a_case_or_refused(content):
    with pytest.raises(CaseError):
        parse_case(content)


# Subjects


@pytest.mark.parametrize(
    ("told", "folded"),
    [
        ("AP Biology", "science"),
        ("8th grade Math", "mathematics"),
        ("science", "science"),
        ("Underwater basket weaving", "other"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_subject_in_the_teachers_words_reaches_the_case_folded(told, folded):
    assert parse_case(changed(context__subject=told)).context.subject == folded
    assert parse_case(json.dumps(changed(context__subject=told))).context.subject == folded


# The input hash


def test_the_input_hash_is_the_sha256_of_the_canonical_json():
    canonical = (
        '{"context":{"career_stage":"unknown","fit_minutes":false,"grade_band":"unknown","interests":[],'
        '"minutes_per_week":null,"mix":0.5,"subject":"unknown"},"declined":[],"observations":[],"struggle":"Déjà vu"}'
    )
    expected = "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
    assert parse_case({"case_id": "c1", "struggle": "Déjà vu"}).input_hash() == expected


@pytest.mark.parametrize(
    "fields", [{"case_id": "other"}, {"teacher_id": "other"}, {"teacher_id": None}, {"top": 1}, {"top": 115}]
)
def test_who_asks_and_for_how_many_does_not_change_the_input_hash(fields):
    assert parse_case(changed(**fields)).input_hash() == parse_case(FULL_CASE).input_hash()


def test_the_order_of_keys_does_not_change_the_input_hash():
    def backwards(value: object) -> object:
        if isinstance(value, dict):
            return {key: backwards(value[key]) for key in reversed(value)}
        return [backwards(inner) for inner in value] if isinstance(value, list) else value

    assert parse_case(backwards(FULL_CASE)).input_hash() == parse_case(FULL_CASE).input_hash()


def test_what_is_read_the_same_hashes_the_same():
    reference = parse_case(FULL_CASE).input_hash()
    assert parse_case(changed(context__subject="Biology")).input_hash() == reference
    assert parse_case(changed(observations__0__value=2.0)).input_hash() == reference
    without_defaults = changed()
    del without_defaults["context"]["mix"], without_defaults["context"]["fit_minutes"]
    assert parse_case(without_defaults).input_hash() == reference


@pytest.mark.parametrize(
    "fields",
    [
        {"struggle": "Same three hands"},
        {"observations": []},
        {"observations": FULL_CASE["observations"] * 2},
        {"observations__0__instrument": "danielson-2013"},
        {"observations__0__item": "3c"},
        {"observations__0__value": 3},
        {"observations__0__value": "2"},
        {"observations__0__observed_on": "2026-10-03"},
        {"observations__0__observer": None},
        {"observations__0__visit": "v2"},
        {"observations__0__segment": 1},
        {"observations__0__note": None},
        {"context__grade_band": "high"},
        {"context__subject": "art"},
        {"context__career_stage": "mid"},
        {"context__minutes_per_week": 31},
        {"context__interests": []},
        {"context__mix": 0.51},
        {"context__fit_minutes": True},
        {"declined": []},
        {"declined": ["wait-time"]},
    ],
)
def test_everything_else_changes_the_input_hash(fields):
    assert parse_case(changed(**fields)).input_hash() != parse_case(FULL_CASE).input_hash()


# The ranking


def ranking(*effects: float) -> Ranking:
    reasons = [Reason(source="struggle", text="Same three hands", effect=effect) for effect in effects]
    one = Suggestion(
        rank=1,
        skill_id="cold-calling",
        name="Cold calling",
        probability=2 / 3,
        confidence="strong",
        score=sum(effects),
        reasons=reasons,
    )
    return Ranking(
        case_id="c1",
        status="ranked",
        suggestions=[one],
        model_version="v1",
        catalogue_version="abc",
        input_hash=parse_case(FULL_CASE).input_hash(),
    )


def test_the_json_of_a_ranking_has_the_fields_of_the_contract():
    line = ranking(0.5).to_json()
    assert "\n" not in line
    document = json.loads(line)
    assert set(document) == {
        "ranking_id", "case_id", "status", "message", "ask_next", "notices", "evidence_grade", "suggestions",
        "intended_use", "model_version", "catalogue_version", "input_hash",
    }  # fmt: skip
    assert document["intended_use"] == INTENDED_USE
    assert document["ranking_id"] is None
    (one,) = document["suggestions"]
    assert set(one) == {"rank", "skill_id", "name", "probability", "confidence", "score", "reasons"}
    assert set(one["reasons"][0]) == {"source", "text", "effect", "instrument", "item"}


def test_effects_are_printed_to_four_decimals_and_stay_exact_in_memory():
    answer = ranking(1 / 3, -2 / 7)
    one = answer.suggestions[0]
    assert [reason.effect for reason in one.reasons] == [1 / 3, -2 / 7]
    assert one.score == 1 / 3 - 2 / 7
    assert answer.model_dump()["suggestions"][0]["reasons"][0]["effect"] == 1 / 3
    printed = json.loads(answer.to_json())["suggestions"][0]
    assert [reason["effect"] for reason in printed["reasons"]] == [0.3333, -0.2857]
    assert (printed["score"], printed["probability"]) == (0.0476, 0.6667)


def test_an_effect_that_rounds_to_nothing_is_printed_without_a_sign():
    assert '"effect":0.0,' in ranking(-0.00001).to_json()


def test_a_ranking_survives_its_own_json():
    line = ranking(1 / 3, -0.5).to_json()
    assert Ranking.model_validate_json(line).to_json() == line


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        (Reason, {"source": "guess", "text": "x", "effect": 0.1}),
        (Reason, {"source": "prior", "text": "x", "effect": float("nan")}),
        (Reason, {"source": "prior", "text": "x", "effect": 0.1, "weight": 2}),
    ],
)
def test_a_reason_without_a_finite_effect_or_a_known_source_is_refused(part, fields):
    with pytest.raises(ValueError):
        part.model_validate(fields)


# JSON Schema


def test_the_schema_of_a_case_states_the_contract():
    schema = Case.model_json_schema()
    assert schema["required"] == ["case_id"]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(FULL_CASE)
    assert schema["properties"]["struggle"]["maxLength"] == 4_000
    assert (schema["properties"]["top"]["minimum"], schema["properties"]["top"]["maximum"]) == (1, 115)
    assert schema["properties"]["declined"]["maxItems"] == 115
    for part in ("Context", "Observation"):
        assert schema["$defs"][part]["additionalProperties"] is False
    assert set(schema["$defs"]["Context"]["properties"]) == set(FULL_CASE["context"])
    assert set(schema["$defs"]["Observation"]["properties"]) == set(FULL_CASE["observations"][0])
    assert schema["$defs"]["Observation"]["properties"]["observed_on"]["format"] == "date"


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_the_schema_of_a_ranking_states_the_contract(mode):
    schema = Ranking.model_json_schema(mode=mode)
    assert set(schema["properties"]) == set(json.loads(ranking(0.5).to_json()))
    assert schema["properties"]["status"]["enum"] == ["ranked", "not_enough", "out_of_scope", "safeguarding"]
    assert schema["$defs"]["Suggestion"]["properties"]["probability"]["type"] == "number"
    assert schema["$defs"]["Reason"]["properties"]["effect"]["type"] == "number"
