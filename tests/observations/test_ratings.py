from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from need_rows import CODES, RUBRIC, instruments, plain_items, rubric, table, visit

from recommender.errors import DataFileError
from recommender.observations.ratings import Ratings, observed_ratings

COUNTED = rubric(
    "talk",
    items=[
        {"code": "sentences", "label": "Sentences", "level": "count", "scale": {"min": 0, "max": 9999}},
        {"code": "asks", "label": "Asks", "level": "count", "per": "sentences", "scale": {"min": 0, "max": 9999}},
        {"code": "clear", "label": "Clear"},
    ],
)


def by_item(ratings: Ratings) -> dict[str, float]:
    """Item code -> directed value of a table with one rating an item."""
    codes = [ratings.items[item][1] for item in ratings.item]
    assert len(set(codes)) == len(codes)
    return dict(zip(codes, ratings.value.tolist(), strict=True))


def test_a_reversed_item_is_turned_and_keeps_its_raw_score() -> None:
    ratings = observed_ratings(table(visit("t", "1234")), instruments())
    assert by_item(ratings) == {"A": 1.0, "B": 2.0, "C": 3.0, "D": 1.0}
    assert ratings.raw.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_derived_items_are_dropped_and_every_other_item_keeps_its_place() -> None:
    ratings = observed_ratings(table(visit("t", {"E": 2, "O": 4, "A": 3})), instruments())
    assert ratings.items == tuple((RUBRIC, code) for code in CODES)
    assert by_item(ratings) == {"A": 3.0, "E": 2.0}


def test_segments_of_one_observer_are_averaged_and_those_of_two_are_not() -> None:
    scores = table(
        visit("t", "1", segment=1),
        visit("t", "4", segment=2),
        visit("t", "4", segment=3),
        visit("t", "2", observer="p"),
    )
    ratings = observed_ratings(scores, instruments())
    assert ratings.value.tolist() == [3.0, 2.0]
    assert len(set(ratings.lesson.tolist())) == 1 and [name for _, name in ratings.raters] == ["o1", "p"]


def test_a_lesson_is_as_old_as_its_last_segment() -> None:
    scores = table(visit("t", "1", segment=1, day="2026-03-03"), visit("t", "4", segment=2, day="2026-03-01"))
    (day,) = observed_ratings(scores, instruments()).day
    assert np.datetime64("1970-01-01") + day == np.datetime64("2026-03-03")


@pytest.mark.parametrize(
    "unseen",
    [{"observation_type": "self"}, {"observation_type": "automated"}, {"observer_role": "self"},
     {"observer_role": "model"}],
)  # fmt: skip
def test_what_the_teacher_or_a_machine_scored_is_no_rating(unseen) -> None:
    ratings = observed_ratings(table(visit("t", "1"), visit("t", "4", visit="v2", **unseen)), instruments())
    assert ratings.value.tolist() == [1.0] and ratings.teachers == ("t",)


def test_a_row_without_a_number_is_missing_and_not_a_low_score() -> None:
    assert by_item(observed_ratings(table(visit("t", {"A": None, "B": 2})), instruments())) == {"B": 2.0}


def test_one_visit_name_of_two_teachers_is_two_lessons() -> None:
    ratings = observed_ratings(table(visit("t", "1"), visit("u", "1")), instruments())
    assert len(set(ratings.lesson.tolist())) == 2


def test_one_visit_scored_with_two_instruments_is_one_lesson() -> None:
    own = instruments(rubric(), rubric("other"))
    ratings = observed_ratings(table(visit("t", "1"), visit("t", "2", instrument="other")), own)
    assert len(set(ratings.lesson.tolist())) == 1
    assert [name for name, _ in ratings.items] == [RUBRIC] * 5 + ["other"] * 5


def test_teachers_and_observers_that_two_tenants_name_alike_are_different_people() -> None:
    scores = table(visit("t", "1", tenant="north"), visit("t", "4", tenant="south"), visit("u", "2", tenant="south"))
    ratings = observed_ratings(scores, instruments())
    assert ratings.teachers == ("north/t", "south/t", "u")
    assert ratings.raters == (("north", "o1"), ("south", "o1"))
    assert len(set(ratings.lesson.tolist())) == 3


def test_a_teacher_whose_name_looks_like_a_tenants_teacher_stays_another_person() -> None:
    scores = table(visit("t", "1", tenant="a"), visit("t", "2", tenant="b"), visit("a/t", "3", tenant="c"))
    ratings = observed_ratings(scores, instruments())
    assert len(set(ratings.teacher.tolist())) == 3 == len(set(ratings.lesson.tolist()))


def test_an_unknown_observer_is_known_to_be_unknown() -> None:
    ratings = observed_ratings(table(visit("t", "1", observer="UNK"), visit("t", "1", visit="v2")), instruments())
    observers = [ratings.raters[rater][1] for rater in ratings.rater]
    assert dict(zip(observers, ratings.known_rater().tolist(), strict=True)) == {"UNK": False, "o1": True}


def test_schools_of_two_tenants_are_two_and_none_named_is_none() -> None:
    scores = table(
        visit("t", "1", tenant="a", school="s"), visit("u", "1", tenant="b", school="s"), visit("v", "1", tenant="b")
    )
    ratings = observed_ratings(scores, instruments())
    school = dict(zip((ratings.teachers[t] for t in ratings.teacher), ratings.school.tolist(), strict=True))
    assert school["v"] == -1 and -1 not in (school["t"], school["u"]) and school["t"] != school["u"]


def test_an_instrument_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(DataFileError, match=r"'other'.*--instrument"):
        observed_ratings(table(visit("t", "1", instrument="other")), instruments())


def test_a_count_is_divided_by_its_denominator_over_all_segments() -> None:
    scores = table(
        visit("t", {"asks": 2, "sentences": 10, "clear": 3}, instrument="talk", segment=1),
        visit("t", {"asks": 4, "sentences": 40, "clear": 4}, instrument="talk", segment=2),
    )
    ratings = observed_ratings(scores, instruments(COUNTED))
    assert ratings.items == (("talk", "asks"), ("talk", "clear"))
    assert by_item(ratings) == {"asks": pytest.approx(6 / 50), "clear": 3.5}
    assert ratings.exposure.tolist() == [50.0, 0.0]


@pytest.mark.parametrize("scored", [{"asks": 2, "clear": 3}, {"asks": 2, "sentences": 0, "clear": 3}])
def test_a_count_without_a_denominator_is_left_out(scored) -> None:
    assert by_item(observed_ratings(table(visit("t", scored, instrument="talk")), instruments(COUNTED))) == {"clear": 3}


def test_another_observers_denominator_is_not_borrowed() -> None:
    scores = table(
        visit("t", {"asks": 2}, instrument="talk"), visit("t", {"sentences": 9}, instrument="talk", observer="p")
    )
    assert len(observed_ratings(scores, instruments(COUNTED))) == 0


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_order_of_a_files_rows_changes_no_bit(data) -> None:
    own = instruments(rubric("wide", items=plain_items(3)))
    rows = [
        row
        for teacher in "tu"
        for name in ("v1", "v2")
        for observer in ("o", "p")
        for segment in (1, 2, 3)
        for row in visit(
            teacher,
            {f"I{i}": data.draw(st.floats(1, 4)) for i in range(2)},
            name, observer=observer, segment=segment, instrument="wide",
        )
    ]  # fmt: skip
    first = observed_ratings(table(rows), own)
    again = observed_ratings(table(data.draw(st.permutations(rows))), own)
    for field in ("teacher", "lesson", "rater", "item", "day", "value", "raw"):
        assert getattr(first, field).tobytes() == getattr(again, field).tobytes()
