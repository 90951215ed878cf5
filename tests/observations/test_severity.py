from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from need_rows import components

from recommender.observations.severity import RaterTotals, Severity, rater_totals, severity

PARTS = components(teacher=0.2, lesson=0.1, rater=0.3, residual=0.4)


def applied(rater, item, teacher, z, *, noise=0.0, known=True, own=True, parts=PARTS) -> Severity:
    """Severities of ratings, each taken off with the teacher's own scores left out."""
    rater, item, teacher = (np.array(codes, dtype=np.int64) for codes in (rater, item, teacher))
    z = np.array(z, dtype=float)
    totals = rater_totals(rater, item, teacher, z, int(rater.max()) + 1, int(item.max()) + 1)
    known = np.full(len(z), known) if isinstance(known, bool) else np.array(known)
    return severity(totals, parts, rater, item, np.full(len(z), noise), known, (teacher, z) if own else None)


def test_totals_count_scores_sums_and_teachers() -> None:
    totals = rater_totals(
        np.array([0, 0, 0, 1]), np.array([0, 0, 1, 0]), np.array([0, 0, 2, 2]), np.array([0.5, 1.0, -2.0, 0.25]), 2, 2
    )
    assert totals.n.tolist() == [[2, 1], [1, 0]]
    assert totals.total.tolist() == [[1.5, -2.0], [0.25, 0.0]]
    assert totals.teachers.tolist() == [[1, 1], [1, 0]]


def test_the_offset_is_the_formula_by_hand() -> None:
    # The rater gave teachers 1 to 6 one score each, sum 3.0; teacher 0 is the one corrected.
    found = applied([0] * 7, [0] * 7, range(7), [9.0, 0.0, 1.0, 0.5, 0.5, 0.25, 0.75], noise=0.1)
    error = 0.2 / 6 + (0.1 + 0.4 + 0.1) / 6
    shrink = 0.3 / (0.3 + error)
    assert found.offset[0] == pytest.approx(shrink * 3.0 / 6)
    assert found.remaining[0] == pytest.approx(1 - shrink)


def test_many_scores_of_few_teachers_say_less_than_of_many() -> None:
    few = applied([0] * 7, [0] * 7, [0, 1, 1, 1, 2, 2, 2], [0, 1, 1, 1, 1, 1, 1])
    many = applied([0] * 7, [0] * 7, range(7), [0, 1, 1, 1, 1, 1, 1])
    assert few.offset[0] == pytest.approx(0.3 / (0.3 + 0.2 / 2 + 0.5 / 6))
    assert many.offset[0] == pytest.approx(0.3 / (0.3 + 0.2 / 6 + 0.5 / 6))


def test_fewer_than_five_scores_of_others_take_nothing_off() -> None:
    five_in_all = applied([0] * 5, [0] * 5, range(5), [1.0] * 5)
    assert five_in_all.offset.tolist() == [0.0] * 5 and five_in_all.remaining.tolist() == [1.0] * 5
    six_in_all = applied([0] * 6, [0] * 6, range(6), [1.0] * 6)
    assert (six_in_all.offset > 0).all()
    many_of_one = applied([0] * 20, [0] * 20, [0] * 16 + [1, 2, 3, 4], [1.0] * 20)
    assert many_of_one.offset[:16].tolist() == [0.0] * 16 and (many_of_one.offset[16:] > 0).all()


def test_without_own_scores_given_five_scores_are_enough() -> None:
    found = applied([0] * 5, [0] * 5, range(5), [1.0] * 5, own=False)
    assert found.offset == pytest.approx([0.3 / (0.3 + 0.2 / 5 + 0.5 / 5)] * 5)


def test_an_unknown_observer_is_never_corrected() -> None:
    found = applied([0] * 9, [0] * 9, range(9), [2.0] * 9, known=[False] * 9)
    assert found.offset.tolist() == [0.0] * 9 and found.remaining.tolist() == [1.0] * 9


def test_severity_on_one_item_is_not_carried_to_another_or_to_another_rater() -> None:
    rater, item = [0] * 8 + [0, 1], [0] * 8 + [1, 0]
    found = applied(rater, item, [*range(8), 8, 8], [1.0] * 10)
    assert found.offset[8:].tolist() == [0.0, 0.0] and (found.offset[:8] > 0).all()


def test_an_unseen_cell_of_fixed_totals_gives_nothing() -> None:
    zeros = np.zeros((1, 1))
    first = np.zeros(1, dtype=np.int64)
    found = severity(RaterTotals(zeros, zeros, zeros), PARTS, first, first, np.zeros(1), np.array([True]))
    assert found.offset.tolist() == [0.0] and found.remaining.tolist() == [1.0]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_teachers_own_scores_never_correct_themselves(data) -> None:
    n = data.draw(st.integers(8, 30))
    codes = st.lists(st.integers(0, 5), min_size=n, max_size=n)
    rater, item = ([code % 2 for code in data.draw(codes)] for _ in range(2))
    teacher = data.draw(codes)
    z = data.draw(st.lists(st.floats(-3, 3), min_size=n, max_size=n))
    changed = [5.0 - value if who == 0 else value for who, value in zip(teacher, z, strict=True)]
    of_teacher = np.array(teacher) == 0
    before, after = applied(rater, item, teacher, z), applied(rater, item, teacher, changed)
    assert after.offset[of_teacher] == pytest.approx(before.offset[of_teacher], abs=1e-9)
    assert (after.remaining == before.remaining).all()
    assert ((before.remaining > 0) & (before.remaining <= 1)).all()
