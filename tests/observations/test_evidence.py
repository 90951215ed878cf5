from __future__ import annotations

import numpy as np
import pytest
from need_rows import instruments, table, visit

from recommender.observations.evidence import (
    count_seen,
    count_seen_in_all,
    evidence_grade,
    grades,
    in_order,
    one_rater_schools,
)
from recommender.observations.ratings import observed_ratings


@pytest.mark.parametrize(
    ("lessons", "observers", "grade"),
    [(4, 2, "A"), (9, 3, "A"), (4, 1, "B"), (3, 3, "B"), (2, 1, "B"), (1, 2, "C"), (1, 1, "C"), (0, 0, "D")],
)
def test_the_grade_is_that_of_the_research_notes(lessons, observers, grade) -> None:
    assert evidence_grade(lessons, observers) == grade
    assert grades(np.array([lessons]), np.array([observers])).tolist() == [grade]


def test_lessons_and_observers_are_counted_per_item_and_in_all() -> None:
    ratings = observed_ratings(
        table(
            visit("t", "1", "v1", observer="a"), visit("t", "1", "v1", observer="b"),
            visit("t", "12", "v2", observer="a"), visit("u", "1", "v1", observer="a"),
        ),
        instruments(),
    )  # fmt: skip
    seen, in_all = count_seen(ratings), count_seen_in_all(ratings)
    assert seen.lessons[:, :3].tolist() == [[2, 1, 0], [1, 0, 0]]
    assert seen.observers[:, :3].tolist() == [[2, 1, 0], [1, 0, 0]]
    assert (in_all.lessons.tolist(), in_all.observers.tolist()) == ([2, 1], [2, 1])


def flagged(*visits) -> dict[str, bool]:
    ratings = observed_ratings(table(*visits), instruments())
    return dict(zip(ratings.teachers, one_rater_schools(ratings, ratings.school).tolist(), strict=True))


def test_a_school_scored_by_one_observer_is_found() -> None:
    found = flagged(
        visit("a", "1", school="s", observer="o"), visit("b", "1", school="s", observer="o"),
        visit("c", "1", school="r", observer="o"), visit("d", "1", school="r", observer="p"),
    )  # fmt: skip
    assert found == {"a": True, "b": True, "c": False, "d": False}


def test_a_school_of_one_teacher_or_none_named_or_nobody_known_confounds_nothing() -> None:
    assert flagged(visit("a", "1", school="s"), visit("b", "1"), visit("c", "1")) == dict.fromkeys("abc", False)
    unknown = {"school": "s", "observer": "UNK"}
    assert flagged(visit("a", "1", **unknown), visit("b", "1", **unknown)) == dict.fromkeys("ab", False)


def test_one_school_name_in_two_tenants_is_two_schools() -> None:
    found = flagged(
        visit("a", "1", tenant="n", school="s"), visit("b", "1", tenant="n", school="s"),
        visit("c", "1", tenant="m", school="s", observer="p"),
    )  # fmt: skip
    assert found == {"a": True, "b": True, "c": False}


def test_notices_come_once_and_in_a_fixed_order() -> None:
    assert in_order(["thin_norms", "flat_profile", "thin_norms"]) == ("flat_profile", "thin_norms")
