import numpy as np
import pytest
from scipy.stats import norm
from score_rows import rows, rubric, table

from recommender.observations import scores as columns
from recommender.training.holdout import (
    ONE_VISIT,
    SAME_OBSERVERS,
    UNKNOWN_OBSERVER,
    held_back_target,
    hold_back,
)
from recommender.training.observation_baselines import rankers

FLAT = (2, 2, 2, 2)


def held_visits(*visits):
    return sorted(hold_back(table(*visits)).held[columns.VISIT].unique())


def left_out(*visits):
    return hold_back(table(*visits)).left_out


def study(seed=0, teachers=24):
    """Two visits of every teacher, the second by other observers than the first."""
    rng = np.random.default_rng(seed)
    visits = []
    for i in range(teachers):
        first, second = rng.permutation(4)[:2]
        visits.append(rows(f"t{i:02d}", rng.integers(1, 5, 4), "v1", "2026-03-02", f"o{first}"))
        visits.append(rows(f"t{i:02d}", rng.integers(1, 5, 4), "v2", "2026-04-02", f"o{second}"))
    return table(*visits)


def test_the_latest_visit_by_other_observers_is_held_back():
    early, late = rows("t", FLAT, "z", "2026-03-02", "o1"), rows("t", FLAT, "a", "2026-04-02", "o2")
    held_back = hold_back(table(late, early))
    assert held_back.held[columns.VISIT].unique().tolist() == ["a"]
    assert held_back.kept[columns.VISIT].unique().tolist() == ["z"]
    assert (held_back.teachers, held_back.left_out) == (1, {})


def test_two_visits_of_one_day_go_by_their_ids():
    assert held_visits(rows("t", FLAT, "v2", observer="o1"), rows("t", FLAT, "v1", observer="o2")) == ["v2"]


def test_a_visit_stands_on_its_last_day():
    long = rows("t", FLAT, "v1", "2026-03-02", "o1") + rows("t", {"A": 2}, "v1", "2026-05-02", "o1")
    assert held_visits(long, rows("t", FLAT, "v2", "2026-04-02", "o2")) == ["v1"]


def test_a_visit_that_shares_an_observer_with_another_is_kept():
    visits = [
        rows("t", FLAT, "v1", "2026-03-02", "o1"),
        rows("t", FLAT, "v2", "2026-04-02", "o2"),
        rows("t", FLAT, "v3", "2026-05-02", "o3") + rows("t", FLAT, "v3", "2026-05-02", "o1"),
    ]
    assert held_visits(*visits) == ["v2"]


def test_teachers_without_such_a_visit_are_left_out_and_counted_by_reason():
    reasons = left_out(
        rows("once", FLAT),
        rows("same", FLAT, "v1", observer="o1"), rows("same", FLAT, "v2", observer="o1"),
        rows("unknown", FLAT, "v1", observer="UNK"), rows("unknown", FLAT, "v2", observer="o2"),
        rows("fine", FLAT, "v1", observer="o1"), rows("fine", FLAT, "v2", observer="o2"),
    )  # fmt: skip
    assert reasons == {ONE_VISIT: 1, UNKNOWN_OBSERVER: 1, SAME_OBSERVERS: 1}


def test_everything_of_teachers_left_out_is_kept_for_estimating():
    scores = table(rows("once", FLAT), rows("fine", FLAT, "v1", observer="o1"), rows("fine", FLAT, "v2", observer="o2"))
    held_back = hold_back(scores)
    assert len(held_back.kept) + len(held_back.held) == len(scores)
    assert set(held_back.kept[columns.TEACHER]) == {"once", "fine"}


def test_a_self_rating_is_no_visit_by_another_observer():
    own = rows("t", FLAT, "v2", "2026-04-02", "t", **{columns.OBSERVER_ROLE: "self"})
    assert left_out(rows("t", FLAT, "v1"), own) == {ONE_VISIT: 1}


def test_rows_of_a_held_back_visit_that_nobody_observed_are_hidden_too():
    visit = rows("t", FLAT, "v2", "2026-04-02", "o2")
    machine = rows("t", FLAT, "v2", "2026-04-02", "m", **{columns.OBSERVATION_TYPE: "automated"})
    held_back = hold_back(table(rows("t", FLAT, "v1"), visit, machine))
    assert held_back.kept[columns.VISIT].unique().tolist() == ["v1"]


def test_one_visit_id_of_two_teachers_is_two_visits():
    scores = table(
        rows("t", FLAT, "v1", "2026-03-02", "o1"), rows("t", FLAT, "v2", "2026-04-02", "o2"),
        rows("u", FLAT, "v2", "2026-03-02", "o2"), rows("u", FLAT, "v3", "2026-04-02", "o2"),
    )  # fmt: skip
    assert set(hold_back(scores).held[columns.TEACHER]) == {"t"}


def test_a_teacher_id_of_two_tenants_is_two_teachers():
    scores = table(
        rows("t", FLAT, "v1", "2026-03-02", "o1", "x"), rows("t", FLAT, "v2", "2026-04-02", "o2", "x"),
        rows("t", FLAT, "v1", "2026-03-02", "o1", "y"),
        rows("u", FLAT, "v1", "2026-03-02", "o1", "y"),
    )  # fmt: skip
    held_back = hold_back(scores)
    assert set(held_back.held[columns.TEACHER]) == {"x/t"}
    assert set(held_back.kept[columns.TEACHER]) == {"x/t", "y/t", "u"}
    assert held_back.left_out == {ONE_VISIT: 2}


@pytest.mark.parametrize("name", [*rankers({})])
def test_changing_what_is_held_back_changes_no_rankers_answer(name):
    scores = study()
    changed = scores.copy()
    hidden = changed[columns.VISIT] == "v2"
    changed.loc[hidden, columns.VALUE] = 5 - changed.loc[hidden, columns.VALUE]
    before, after = hold_back(scores), hold_back(changed)
    rank = rankers({"t00": ["engagement-participation"]})[name]
    assert rank(before.kept, rubric()).need.tobytes() == rank(after.kept, rubric()).need.tobytes()
    first, second = (held_back_target(part.held, rubric(), adjusted=False).need for part in (before, after))
    assert not np.array_equal(first, second)


def test_the_target_is_own_normed_within_tenant_and_turns_reversed_items():
    held = table(
        rows("t1", (2, 3, 4, 1)), rows("t2", (1, 3, 3, 2)), rows("t3", (3, 3, 2, 4)),
        rows("u1", (1, 1, 1, 4), tenant="x"), rows("u2", (1, 1, 2, 3), tenant="x"),
    )  # fmt: skip
    target = held_back_target(held, rubric(), adjusted=False)
    third, half = norm.ppf(1 / 6), norm.ppf(1 / 4)
    expected = [
        [0, 0, third, third], [-third, 0, 0, 0], [third, 0, -third, -third], [0, 0, -half, -half], [0, 0, half, half],
    ]  # fmt: skip
    assert target.need == pytest.approx(np.array(expected), abs=1e-12)


def test_the_observers_of_a_held_back_visit_are_averaged():
    held = table(
        rows("t1", {"A": 1}, observer="o1") + rows("t1", {"A": 4}, observer="o2"),
        rows("t2", {"A": 2}),
        rows("t3", {"A": 3}),
    )
    need = held_back_target(held, rubric(), adjusted=False).need[:, 0]
    assert need == pytest.approx([0, -norm.ppf(1 / 6), norm.ppf(1 / 6)], abs=1e-12)


def test_the_adjusted_target_takes_off_what_the_raters_other_teachers_show():
    # Strict gives 1 and lenient 3 to all but two teachers, who got a 2 from the one and from the other.
    strict = [rows(f"s{i}", {"A": 1 + (i == 0)}, observer="strict") for i in range(7)]
    lenient = [rows(f"l{i}", {"A": 3 - (i == 0)}, observer="lenient") for i in range(7)]
    held = table(*strict, *lenient)
    plain = held_back_target(held, rubric(), adjusted=False)
    adjusted = held_back_target(held, rubric(), adjusted=True)
    praised, blamed = plain.teachers.index("s0"), plain.teachers.index("l0")
    assert plain.need[praised, 0] == plain.need[blamed, 0]
    # Of fourteen the one stands highest and the other lowest once the raters are taken off.
    assert adjusted.need[[praised, blamed], 0] == pytest.approx([norm.ppf(0.5 / 14), -norm.ppf(0.5 / 14)])


def test_the_target_needs_the_held_back_visits_only():
    scores = study()
    held_back = hold_back(scores)
    alone = held_back_target(held_back.held.reset_index(drop=True), rubric(), adjusted=True)
    again = held_back_target(scores[scores[columns.VISIT] == "v2"], rubric(), adjusted=True)
    assert alone.need.tobytes() == again.need.tobytes()
