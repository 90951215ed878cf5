from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from service.store.suppression import MIN_CELL, suppress, suppress_sum

bounded = settings(max_examples=200, deadline=None, derandomize=True)
CELLS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30), max_size=8)


def test_a_small_group_is_hidden_and_with_it_the_smallest_of_the_others():
    assert suppress({"a": 3, "b": 40, "c": 12, "d": 0}) == {"a": None, "b": 40, "c": None, "d": 0}


def test_small_groups_that_hide_each_other_take_no_other_with_them():
    assert suppress({"a": 9, "b": 8, "c": 12}) == {"a": None, "b": None, "c": 12}
    assert suppress({"a": 3, "b": 2, "c": 12}) == {"a": None, "b": None, "c": None}


def test_large_groups_and_groups_of_nobody_are_shown():
    assert suppress({"a": 10, "b": 0}) == {"a": 10, "b": 0}
    assert (suppress_sum(9), suppress_sum(10), suppress_sum(0)) == (None, 10, 0)


@bounded
@given(CELLS)
def test_no_shown_group_is_small_and_what_is_hidden_cannot_be_worked_out_of_the_sum(cells):
    shown = suppress(cells)
    assert shown.keys() == cells.keys()
    for group, count in shown.items():
        assert count is None or (count == cells[group] and (count == 0 or count >= MIN_CELL))
    hidden = [cells[group] for group, count in shown.items() if count is None]
    left = [count for count in shown.values() if count]
    if hidden and left:
        assert len(hidden) >= 2
        assert sum(hidden) >= MIN_CELL


@bounded
@given(CELLS)
def test_no_group_is_hidden_where_all_are_large(cells):
    if all(count == 0 or count >= MIN_CELL for count in cells.values()):
        assert suppress(cells) == cells
