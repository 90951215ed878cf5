"""A case's observations as a score table, joined with a file's, and the notes that are read."""

from __future__ import annotations

import math

import numpy as np
import pytest
from observed_cases import (
    CATALOGUE,
    DANIELSON,
    LESSON_ITEMS,
    MARKER,
    N,
    case_of,
    lesson,
    lessons,
    needs_of,
    observation,
    score_rows,
    skills,
)

from recommender.cases import parse_case
from recommender.catalogue.instruments import load_instruments
from recommender.errors import CaseError
from recommender.observations.norms import Norms
from recommender.observations.scores import UNKNOWN_OBSERVER
from recommender.observations.teacher_needs import NeedReader
from recommender.ranking.observed import (
    MAX_NOTES,
    Observed,
    ReadNote,
    case_scores,
    item_label,
    newest_notes,
    read_needs,
    together,
)

INSTRUMENTS = load_instruments()
READER = NeedReader(INSTRUMENTS, CATALOGUE, Norms())
NOTE = ReadNote([], np.zeros((0, N)), np.zeros(N))


def scores(*observations, **fields):
    return case_scores(case_of(list(observations), **fields), INSTRUMENTS)


# Values


@pytest.mark.parametrize(
    ("value", "number"),
    [(2, 2.0), (2.5, 2.5), ("Basic", 2.0), ("basic", 2.0), ("  DISTINGUISHED ", 4.0)],
)
def test_a_number_or_a_level_label_in_any_case_is_the_score(value, number):
    assert scores(observation("3b", value))["value"].tolist() == [number]


@pytest.mark.parametrize("value", ["3", " ", "Good"])
def test_a_text_that_is_no_level_label_is_refused(value):
    with pytest.raises(CaseError, match="a number or one of Unsatisfactory"):
        scores(observation("3b", value))


@pytest.mark.parametrize("value", ["N/A", "n/a", "Not Observed"])
def test_a_label_that_means_not_scored_is_no_score(value):
    assert scores(observation("3b", value)).empty
    assert scores(observation("3b", value), observation("3c", 2))["item"].tolist() == ["3c"]


def test_an_item_that_is_not_scored_keeps_its_note_and_gives_no_need():
    table = scores(observation("3b", "N/A", note="No time for questions."))
    assert math.isnan(table["value"].item())
    assert newest_notes(table) == ["No time for questions."]
    assert read_needs(table, READER) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"instrument": MARKER}, "instrument"),
        ({"item": MARKER}, "item"),
        ({"value": MARKER}, "value"),
        ({"value": 987_654}, "value"),
        ({"value": 0.5}, "value"),
    ],
)
def test_what_no_instrument_knows_is_refused_with_its_field_and_is_not_repeated(changes, field):
    note = f"the {MARKER} note"
    wrong = observation("3b", 2, note=note) | changes
    with pytest.raises(CaseError) as caught:
        scores(observation("3c", 2), wrong)
    assert caught.value.where == f"observations.1.{field}"
    assert MARKER not in str(caught.value)
    assert "987" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_no_number_is_refused_when_the_case_is_parsed(value):
    with pytest.raises(CaseError, match=r"observations\.0\.value"):
        parse_case({"case_id": "c", "observations": [observation("3b", value)]})


# Visits


def test_without_a_visit_the_scores_of_one_day_by_one_observer_are_one_visit():
    no_visit = {"visit": None}
    table = scores(
        observation("3b", 2, **no_visit),
        observation("3c", 3, **no_visit),
        observation("3b", 2, **no_visit, observer="o2"),
        observation("3b", 2, **no_visit, day="2026-03-03"),
    )
    assert table["visit"].nunique() == 3
    assert table["visit"][0] == table["visit"][1]


def test_a_visit_that_is_named_is_not_the_unnamed_one_of_the_same_day():
    assert scores(observation("3b", 2), observation("3c", 2, visit=None))["visit"].nunique() == 2


def test_an_observer_nobody_names_is_unknown():
    table = scores(observation("3b", 2, observer=None, visit=None), observation("3c", 2, observer=None, visit=None))
    assert set(table["observer"]) == {UNKNOWN_OBSERVER}
    assert table["visit"].nunique() == 1


def test_scores_are_the_cases_teachers_or_the_cases_own():
    assert scores(observation("3b", 2), teacher_id="t9")["teacher_id"].tolist() == ["t9"]
    assert scores(observation("3b", 2))["teacher_id"].tolist() == ["c"]


# Joined


def test_without_joined_scores_there_are_the_cases_own():
    case = case_of([observation("3b", 2)])
    own = case_scores(case, INSTRUMENTS)
    assert together(case, own, None) is own
    assert together(case, own, score_rows(observation("3b", 2)).iloc[:0]) is own


def test_own_and_joined_scores_are_one_teachers():
    case = case_of(lesson({"3b": 2}, visit="v2", day="2026-03-09"), teacher_id="t1")
    joined = score_rows(*lesson({"3b": 3, "3c": 4}), tenant="north")
    both = together(case, case_scores(case, INSTRUMENTS), joined)
    assert set(both["teacher_id"]) == {"t1"}
    assert set(both["tenant"]) == {"north"}
    assert sorted(both["value"]) == [2, 3, 4]


def test_a_score_that_stands_in_both_counts_once_and_its_note_is_kept():
    seen = lesson({"3b": 2, "3c": 4})
    case = case_of([each | {"note": f"Beside {each['item']}."} for each in seen], teacher_id="t1")
    both = together(case, case_scores(case, INSTRUMENTS), score_rows(*seen))
    assert both["value"].dropna().tolist() == [2, 4]
    assert set(newest_notes(both)) == {"Beside 3b.", "Beside 3c."}
    again, once = (read_needs(table, READER) for table in (both, score_rows(*seen)))
    np.testing.assert_array_equal(again.need, once.need)
    np.testing.assert_array_equal(again.covariance, once.covariance)


def test_two_scores_of_one_item_in_a_file_are_averaged_whether_or_not_the_case_has_its_own():
    twice = score_rows(*lesson({"3b": 1, "3c": 3}), observation("3b", 3))
    case = case_of(lesson({"3b": 1}), teacher_id="t1")
    both = together(case, case_scores(case, INSTRUMENTS), twice)
    np.testing.assert_array_equal(read_needs(both, READER).need, read_needs(twice, READER).need)


@pytest.mark.parametrize("change", [{"visit": "v2"}, {"day": "2026-03-03"}, {"observer": "o2"}, {"segment": 1}])
def test_a_score_of_another_visit_day_observer_or_segment_is_another_one(change):
    case = case_of([observation("3b", 2, **change)], teacher_id="t1")
    both = together(case, case_scores(case, INSTRUMENTS), score_rows(observation("3b", 2)))
    assert both["value"].tolist() == [2, 2]


# Notes


def test_the_newest_different_notes_are_read_and_no_more_than_eight():
    noted = [observation("3b", 2, visit=f"v{i}", day=f"2026-03-{i + 1:02d}", note=f"Note {i}.") for i in range(12)]
    assert newest_notes(scores(*noted)) == [f"Note {i}." for i in range(11, 11 - MAX_NOTES, -1)]
    assert MAX_NOTES == 8


def test_a_note_beside_several_items_or_at_several_visits_counts_once():
    rows = [*lesson({"3b": 2, "3c": 2}, note="Same."), *lesson({"3b": 2}, visit="v2", day="2026-03-09", note=" Same. ")]
    assert newest_notes(scores(*rows, observation("3d", 2, note="  "))) == ["Same."]


def test_notes_of_one_day_stand_in_the_order_they_were_given_in():
    assert newest_notes(scores(*(observation("3b", 2, segment=i, note=f"Note {i}.") for i in range(5)))) == [
        f"Note {i}." for i in range(5)
    ]


def test_no_scores_have_no_notes_and_no_needs():
    assert newest_notes(scores()) == []
    assert read_needs(scores(), READER) is None


# What counts


def test_one_item_flat_scores_and_unmapped_items_give_no_order():
    mapped = np.stack([skills(cold_calling=1.0), skills(wait_time=1.0)])
    assert Observed(needs_of([0.5, -0.5], mapped), []).has_order
    assert not Observed(needs_of([0.0], mapped[:1]), []).has_order
    assert not Observed(needs_of([0.0, 0.0], mapped, notices=("flat_profile",)), []).has_order
    assert not Observed(needs_of([0.5, -0.5], np.zeros((2, N))), []).has_order
    assert not Observed(None, []).has_order


def test_a_note_counts_without_any_order():
    assert Observed(None, [NOTE]).counts
    assert not Observed(None, []).counts
    assert Observed(needs_of([0.5, -0.5], np.ones((2, N)) / 2), []).counts


@pytest.mark.parametrize(
    ("visits", "observers", "grade"), [(1, 1, "C"), (2, 1, "B"), (3, 2, "B"), (4, 1, "B"), (4, 2, "A"), (6, 3, "A")]
)
def test_the_evidence_grade_goes_by_visits_and_observers(visits, observers, grade):
    table = scores(*lessons({"3b": 2, "3c": 3}, visits, observers))
    assert read_needs(table, READER).grade == grade


# Names


def test_an_item_is_called_by_our_label_without_its_code():
    assert item_label(INSTRUMENTS, (DANIELSON, "3b")) == "Questions and discussion"
    assert not any(item_label(INSTRUMENTS, (DANIELSON, code)).startswith(code) for code in LESSON_ITEMS)
