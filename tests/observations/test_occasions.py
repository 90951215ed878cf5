from __future__ import annotations

import numpy as np
import pytest
from need_rows import instruments, rubric, table, visit

from recommender.observations.occasions import OccasionTable
from recommender.observations.ratings import Ratings, observed_ratings


def occasion_table(*visits, own=None) -> tuple[Ratings, OccasionTable]:
    ratings = observed_ratings(table(*visits), own or instruments())
    return ratings, OccasionTable(ratings, np.arange(len(ratings)))


def test_occasions_stand_in_the_order_of_their_dates() -> None:
    ratings, occasions = occasion_table(
        visit("t", "1", "late", "2026-05-01"),
        visit("t", "2", "early", "2025-05-01"),
        visit("t", "3", "mid", "2026-01-01"),
    )
    (group,) = occasions.groups()
    cells = occasions.cells(group, group.members)
    assert group.size == 4
    assert cells.fill(ratings.value)[0, 0].tolist() == [2.0, 3.0, 1.0, 0.0]
    assert cells.ages(ratings.day)[0] == pytest.approx([365 / 365.25, 120 / 365.25, 0.0, 0.0])


def test_two_raters_of_one_lesson_are_two_occasions_of_one_lesson() -> None:
    ratings, occasions = occasion_table(visit("t", "12", observer="a"), visit("t", "34", observer="b"))
    (group,) = occasions.groups()
    cells = occasions.cells(group, group.members)
    lesson, rater = cells.occasions(ratings.lesson)[0], cells.occasions(ratings.rater)[0]
    assert lesson[0] == lesson[1] and rater[0] != rater[1]
    assert cells.fill(ratings.value)[0, :2].tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_padding_is_no_lesson_and_no_rater_and_holds_zeros() -> None:
    ratings, occasions = occasion_table(*(visit("t", "2", f"v{i}", f"2026-03-0{i}") for i in (1, 2, 3)))
    (group,) = occasions.groups()
    cells = occasions.cells(group, group.members)
    lesson = cells.occasions(ratings.lesson)[0]
    assert group.size == 4 and len(set(lesson.tolist())) == 4 and lesson[3] < 0
    assert cells.fill(np.ones(len(ratings)))[0].sum() == 3


def test_teachers_are_grouped_by_their_instruments_and_padded_numbers_of_occasions() -> None:
    own = instruments(rubric(), rubric("other"))
    _, occasions = occasion_table(
        visit("a", "1"),
        visit("b", "1"),
        visit("c", "1", "v1"), visit("c", "1", "v2"),
        visit("d", "1", instrument="other"),
        visit("e", "1"), visit("e", "2", instrument="other"),
        own=own,
    )  # fmt: skip
    groups = list(occasions.groups())
    found = {tuple(occasions.ratings.teachers[occasions.teachers[m]] for m in g.members): g for g in groups}
    assert {members: (len(g.items), g.size) for members, g in found.items()} == {
        ("a", "b"): (5, 1), ("c",): (5, 2), ("d",): (5, 1), ("e",): (10, 1)
    }  # fmt: skip


def test_cells_of_some_of_a_groups_teachers_hold_their_ratings_only() -> None:
    ratings, occasions = occasion_table(visit("a", "12"), visit("b", "34"), visit("c", "21"))
    (group,) = occasions.groups()
    cells = occasions.cells(group, group.members[1:])
    assert [ratings.teachers[teacher] for teacher in cells.teachers] == ["b", "c"]
    assert cells.fill(ratings.value)[:, :2, 0].tolist() == [[3.0, 4.0], [2.0, 1.0]]


def test_a_table_without_ratings_has_no_groups() -> None:
    _, occasions = occasion_table(visit("t", {"A": None}))
    assert list(occasions.groups()) == []
