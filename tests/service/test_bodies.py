from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.bodies import parse_json, read_case
from service.problems import Problem

BAD_JSON = {
    "nothing": b"",
    "half an object": b'{"case_id": "a"',
    "two values": b"{} {}",
    "a trailing comma": b'{"a": 1,}',
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "a name twice": b'{"a": 1, "a": 1}',
    "a name twice, deep": b'{"b": [{"a": 1, "a": 1}]}',
    "a lone high surrogate": b'{"a": "\\ud83d"}',
    "a lone low surrogate as a name": b'{"\\uDE00": 1}',
    "too deep": b"[" * 100_000,
    "a number of 5,000 digits": b"9" * 5_000,
}


@pytest.mark.parametrize("content", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_json_that_is_not_well_formed_is_refused(content):
    with pytest.raises(Problem) as caught:
        parse_json(content)
    assert caught.value.name == "malformed-json"


def test_an_escaped_pair_of_surrogates_is_one_character():
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_a_whole_number_is_one_however_it_is_written():
    assert [type(n) for n in parse_json(b"[3, 3.0, 30e-1, 3.5]")] == [int, int, int, float]
    assert read_case(parse_json(b'{"case_id": "a", "top": 3.0, "context": {"mix": 1.0}}')).top == 3


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_whatever_python_writes_is_read_back(value):
    assert parse_json(json.dumps(value).encode()) == value


def errors_of(value):
    with pytest.raises(Problem) as caught:
        read_case(value)
    assert caught.value.name == "invalid-case"
    return {error.field: error.wanted for error in caught.value.errors}


def test_every_bad_field_is_named_with_what_is_wanted():
    observation = {"instrument": "x", "item": "1", "value": [], "observed_on": "2026-13-01"}
    errors = errors_of({"case_id": "", "top": 0, "observations": [observation]})
    assert errors == {
        "case_id": "string should have at least 1 character",
        "top": "greater than or equal to 1",
        "observations.0.value": "a valid number, or a valid string",
        "observations.0.observed_on": "month must be in 1..12",
    }


def test_a_missing_field_is_named():
    assert errors_of({}) == {"case_id": "a value"}


def test_an_unknown_field_is_refused_without_its_name():
    assert errors_of({"case_id": "a", "my whole struggle": 1}) == {"the whole case": "only the documented fields"}
    errors = errors_of({"case_id": "a", "context": {"my whole struggle": 1}})
    assert errors == {"context": "only the documented fields"}


@pytest.mark.parametrize("value", [None, [], "text", 1, True])
def test_what_is_not_an_object_is_no_case(value):
    assert errors_of(value) == {"the whole case": "a JSON object"}


@pytest.mark.parametrize(
    "fields", [{"top": "3"}, {"top": 3.0}, {"top": True}, {"struggle": 1}, {"context": {"fit_minutes": 1}}]
)
def test_no_type_is_converted_silently(fields):
    assert errors_of({"case_id": "a", **fields})


def test_a_number_too_large_for_a_float_is_refused():
    observation = {"instrument": "x", "item": "1", "value": 10**400, "observed_on": "2026-10-01"}
    assert "observations.0.value" in errors_of({"case_id": "a", "observations": [observation]})


def test_a_case_with_two_thousand_mistakes_is_answered_with_twenty():
    assert len(errors_of({"case_id": "a", "observations": [1] * 2_000})) == 20
