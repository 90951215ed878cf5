from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recommender.catalogue.instrument import Instrument, Norm, Scale
from recommender.errors import GrowthError, ScoreError


def instrument(**changes: Any) -> Instrument:
    return Instrument.model_validate(
        {
            "id": "walk-2026",
            "title": "Walkthrough",
            "scale": {"labels": {"Not Using": 0, "Beginning": 1, "Applying": 3}},
            "missing": ["N/A", "Not Demonstrated"],
            "items": [
                {"code": "a", "label": "Routines", "family": "routines"},
                {"code": "b", "label": "Disruptions", "direction": -1},
                {"code": "c", "label": "Seen", "scale": {"labels": {"Yes": 1, "No": 0}}},
            ],
        }
        | changes
    )


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        instrument(**changes)
    return str(caught.value)


# Reading a score


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("Applying", 3.0),
        ("  not   USING ", 0.0),
        (2, 2.0),
        (2.5, 2.5),
        ("2.5", 2.5),
        (" 3 ", 3.0),
        (".5", 0.5),
        ("1e0", 1.0),
        (np.float64(1.25), 1.25),
        (np.int64(3), 3.0),
    ],
)
def test_a_label_a_number_and_a_number_as_text_are_read_and_fractions_are_kept(raw: Any, value: float):
    assert instrument().score("a", raw) == value


@pytest.mark.parametrize("raw", ["", "   ", None, "N/A", "n/a", " not  demonstrated "])
def test_blank_and_labels_that_mean_not_scored_are_no_score(raw: Any):
    assert instrument().score("a", raw) is None


def test_a_reversed_item_keeps_its_own_number_because_the_estimator_turns_it():
    rubric = instrument()
    assert rubric.score("b", "Applying") == 3.0
    assert rubric.by_code["b"].direction == -1


def test_an_item_with_its_own_scale_does_not_know_the_labels_of_the_instrument():
    rubric = instrument()
    assert (rubric.score("c", "yes"), rubric.scale_of("c").max) == (1.0, 1)
    with pytest.raises(ScoreError, match="wanted 0 to 1, or Yes, No"):
        rubric.score("c", "Applying")


@pytest.mark.parametrize(
    "raw",
    [
        "Proficient",
        4,
        -0.5,
        "3.01",
        math.nan,
        math.inf,
        "nan",
        "inf",
        "2,5",
        "1_0",
        "٣",
        "0x1",
        True,
        "1e999",
        b"2",
        [2],
    ],
)
def test_an_unknown_label_and_a_number_that_is_not_on_the_scale_are_refused(raw: Any):
    with pytest.raises(ScoreError) as caught:
        instrument().score("a", raw)
    assert caught.value.where == "walk-2026 a"
    assert caught.value.wanted == "0 to 3, or Not Using, Beginning, Applying"


def test_an_unknown_item_is_refused_whatever_its_score():
    with pytest.raises(ScoreError, match="found '3b'; wanted an item of walk-2026"):
        instrument().score("3b", None)
    with pytest.raises(ScoreError):
        instrument().scale_of("3b")


def test_a_comment_in_the_score_column_is_not_repeated_in_the_error():
    comment = "Jordan cried again when I asked about the homework"
    for code, raw in (("a", comment), (comment, 2)):
        with pytest.raises(GrowthError) as caught:
            instrument().score(code, raw)
        assert "Jordan" not in str(caught.value)
        assert "a text of 50 characters" in str(caught.value)


def test_a_label_that_looks_like_a_number_is_the_label():
    rubric = instrument(scale={"min": 0, "max": 4, "labels": {"1": 4, "4": 1}})
    assert rubric.score("a", "1") == 4.0
    assert rubric.score("a", 1) == 1.0


@given(st.one_of(st.text(max_size=40), st.floats(), st.integers(-(10**400), 10**400), st.booleans(), st.none()))
def test_whatever_is_in_a_cell_is_no_score_or_on_the_scale_or_refused(raw: Any):
    try:
        value = instrument().score("a", raw)
    except ScoreError:
        return
    assert value is None or 0 <= value <= 3


@given(st.floats(0, 3))
def test_a_number_on_the_scale_comes_back_unchanged_as_number_and_as_text(value: float):
    assert instrument().score("a", value) == value
    assert instrument().score("a", repr(value)) == value


# What a scale, a norm and an instrument must be


def test_labels_alone_make_the_scale_and_may_stand_beside_it():
    assert instrument().scale == Scale(min=0, max=3, labels={"Not Using": 0, "Beginning": 1, "Applying": 3})
    beside = instrument(scale={"min": 0, "max": 4}, labels={"Top": 4})
    assert beside.scale == Scale(min=0, max=4, labels={"Top": 4})
    alone = instrument(scale={}, labels={"No": 1, "Yes": 2})
    assert alone.scale == Scale(min=1, max=2, labels={"No": 1, "Yes": 2})


@pytest.mark.parametrize(
    ("scale", "reason"),
    [
        ({"min": 4, "max": 1}, "min must be below its max"),
        ({"min": 1, "max": 1}, "min must be below its max"),
        ({"labels": {"Only": 2}}, "min must be below its max"),
        ({"min": 1, "max": 4, "labels": {"Top": 5}}, "'Top' stands for 5, outside 1 to 4"),
        ({"labels": {"Low": 1, " low": 2}}, "stands for two values"),
        ({"min": 1, "max": 4, "step": 0}, "greater than 0"),
        ({"min": 1, "max": math.inf}, "finite"),
        ({"max": 4}, "Field required"),
        ({"min": "1", "max": 4}, "valid number"),
        ({"min": 1, "max": 4, "points": 4}, "Extra inputs"),
    ],
)
def test_a_scale_that_cannot_be_one_is_refused(scale: dict[str, Any], reason: str):
    assert reason in refusal(scale=scale)


@pytest.mark.parametrize(
    ("norm", "reason"),
    [
        ({"mean": 2.0}, "both mean and sd"),
        ({}, "either shares, or mean and sd"),
        ({"mean": 2.0, "sd": 0.5, "shares": {1: 0.5, 2: 0.5}}, "either shares, or mean and sd"),
        ({"mean": 2.0, "sd": 0}, "greater than 0"),
        ({"shares": {1: 0.5, 2: 0.4}}, "shares sum to 0.9"),
        ({"shares": {1: 1.2, 2: -0.2}}, "less than or equal to 1"),
    ],
)
def test_a_norm_that_cannot_be_one_is_refused(norm: dict[str, Any], reason: str):
    with pytest.raises(ValidationError, match=reason):
        Norm.model_validate({**norm, "source": "measured, n = 40"})


def test_rounded_shares_may_miss_one_by_two_hundredths():
    assert Norm(shares={1: 0.16, 2: 0.47, 3: 0.31, 4: 0.05}, source="measured, n = 40").shares is not None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"items": []}, "at least 1 item"),
        ({"items": [{"code": "a", "label": "A"}, {"code": "a", "label": "B"}]}, "'a' is there twice"),
        ({"scale": None}, "'a' has no scale"),
        ({"items": [{"code": " a", "label": "A"}]}, "pattern"),
        ({"items": [{"code": "a", "label": "A", "direction": 0}]}, "Input should be 1 or -1"),
        ({"items": [{"code": "a", "label": "A", "per": "b"}]}, "only an item of level count"),
        ({"items": [{"code": "a", "label": "A", "level": "count", "per": "b"}]}, "counted per 'b', which is no other"),
        ({"items": [{"code": "a", "label": "A", "level": "count", "per": "a"}]}, "counted per 'a', which is no other"),
        (
            {"items": [{"code": "a", "label": "A", "norm": {"mean": 9, "sd": 1, "source": "measured"}}]},
            "norm of 'a' leaves its scale 0 to 3",
        ),
        ({"crosswalk": {"z": {"wait-time": 0.5}}}, "crosswalk: 'z' is no item"),
        ({"crosswalk": {"a": {"wait-time": 0.7, "cold-calling": 0.4}}}, "the weights of 'a' sum to 1.1, more than 1"),
        ({"crosswalk": {"a": {"wait-time": 0}}}, "greater than 0"),
        ({"unmapped": {"z": "a reason"}}, "unmapped: 'z' is no item"),
        ({"unmapped": {"a": "a reason"}, "crosswalk": {"a": {"wait-time": 0.5}}}, "'a' has skills in the crosswalk"),
        ({"labels": {"Low": 1}}, "labels stand once"),
        ({"id": "my rubric"}, "pattern"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_an_instrument_that_contradicts_itself_is_refused(changes: dict[str, Any], reason: str):
    assert reason in refusal(**changes)


def test_weights_that_sum_to_exactly_one_are_kept():
    weights = {"wait-time": 0.1, "cold-calling": 0.2, "talk-moves": 0.7}
    assert instrument(crosswalk={"a": weights}).crosswalk["a"] == weights
