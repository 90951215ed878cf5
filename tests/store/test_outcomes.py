from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_rows import NOW, School, add_teacher, make_school, stored

from service.store.actors import Actor
from service.store.choices import record_choice
from service.store.cycles import end_cycle, start_cycle
from service.store.database import Database
from service.store.errors import NotAllowedError
from service.store.outcomes import OutcomeCell, cycle_change, share_seen, tenant_outcomes
from service.store.practice import FollowUpView, add_follow_up

AFTER = NOW + timedelta(days=14)
DAY = date(2026, 11, 3)
PARTICIPATION = "engagement-participation"


def look(phase, seen: int, looked_for: int) -> FollowUpView:
    return FollowUpView("f", "o", phase, DAY, seen, looked_for, None)


def practise(session, teacher: Actor, before: int | None, after: int | None, skill_id: str = "cold-calling") -> None:
    """An ended cycle with looks of ten look-fors each."""
    made = stored(session, teacher)
    choice = record_choice(session, teacher, made.case_id, made.ranking_id, skill_id, "chosen", now=NOW)
    cycle = start_cycle(session, teacher, made.case_id, choice, DAY, now=NOW)
    for phase, seen in (("baseline", before), ("follow_up", after)):
        if seen is not None:
            add_follow_up(session, teacher, cycle, phase, DAY, seen, 10, now=NOW)
    end_cycle(session, teacher, cycle, "finished", DAY)


def teachers(session, school: School, number: int) -> list[Actor]:
    return [add_teacher(session, school, f"T{i}") for i in range(number)]


def test_a_share_has_wilsons_interval():
    # Newcombe 1998, Statistics in Medicine 17: 857-872, table I, method 3: 81 of 263, 15 of 148, 0 of 20.
    for seen, looked_for, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        share = share_seen(seen, looked_for)
        assert (round(share.low, 4), round(share.high, 4)) == (low, high)


def test_the_change_of_a_cycle_has_newcombes_interval():
    # Newcombe 1998, Statistics in Medicine 17: 873-890, table II, method 10: 56 of 70 against 48 of 80.
    change = cycle_change([look("baseline", 48, 80), look("follow_up", 56, 70)])
    assert change is not None
    assert (round(change.difference, 4), round(change.low, 4), round(change.high, 4)) == (0.2, 0.0524, 0.3339)
    # The same table: 10 of 10 against 0 of 10.
    change = cycle_change([look("baseline", 0, 10), look("follow_up", 10, 10)])
    assert change is not None
    assert (change.difference, round(change.low, 4), change.high) == (1.0, 0.6075, 1.0)


def test_looks_of_one_phase_are_taken_together_and_without_both_phases_there_is_no_change():
    looks = [look("baseline", 1, 4), look("baseline", 2, 4), look("follow_up", 3, 4)]
    change = cycle_change(looks)
    assert change is not None
    assert (change.before.seen, change.before.looked_for, change.after.share) == (3, 8, 0.75)
    assert change.difference == 0.375
    for phase in ("baseline", "follow_up"):
        assert cycle_change([each for each in looks if each.phase == phase]) is None
    assert cycle_change([]) is None


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.tuples(*[st.integers(1, 60)] * 2), st.tuples(*[st.floats(0, 1)] * 2))
def test_an_interval_holds_its_difference_and_turns_over_with_it(looked_for, parts):
    (m, n), (a, b) = looked_for, (round(part * n) for part, n in zip(parts, looked_for, strict=True))
    one = cycle_change([look("baseline", a, m), look("follow_up", b, n)])
    other = cycle_change([look("baseline", b, n), look("follow_up", a, m)])
    assert one is not None
    assert other is not None
    assert -1 <= one.low <= one.difference <= one.high <= 1
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert 0 <= one.before.low <= one.before.share <= one.before.high <= 1


def test_ten_teachers_have_means_and_students_interval_and_nine_have_none(database: Database, school: School) -> None:
    with database.write() as session:
        group = teachers(session, school, 10)
        for number, teacher in enumerate(group[:9]):
            practise(session, teacher, 2, 4 if number < 5 else 6)
        nine = tenant_outcomes(session, school.administrator, AFTER)
        practise(session, group[9], 2, 6)
        ten = tenant_outcomes(session, school.operator, AFTER)
    assert nine.all_teachers == nine.by_domain[PARTICIPATION] == OutcomeCell(None)
    # Five rise by 0.2 and five by 0.4: mean 0.3, sd sqrt(10 * 0.01 / 9), t(0.975, 9) = 2.2622.
    half = 2.2622 * sqrt(0.1 / 9) / sqrt(10)
    expected = OutcomeCell(10, 0.2, 0.5, 0.3, round(0.3 - half, 2), round(0.3 + half, 2))
    assert ten.all_teachers == ten.by_domain[PARTICIPATION] == expected
    assert {cell for domain, cell in ten.by_domain.items() if domain != PARTICIPATION} == {OutcomeCell(0)}


def test_a_teacher_counts_once_whatever_they_practised(database: Database, school: School) -> None:
    with database.write() as session:
        group = teachers(session, school, 10)
        for teacher in group:
            practise(session, teacher, 0, 10)
        for _ in range(3):
            practise(session, group[0], 5, 5)
        cell = tenant_outcomes(session, school.administrator, AFTER).all_teachers
    # Nine of 0 and 1, one of the mean of (0, .5, .5, .5) and (1, .5, .5, .5).
    assert (cell.teachers, cell.before, cell.after, cell.change) == (10, 0.04, 0.96, 0.93)
    assert cell.high == 1.0


def test_only_ended_cycles_with_both_looks_count_and_only_those_up_to_monday(database, school: School) -> None:
    with database.write() as session:
        for teacher in teachers(session, school, 10):
            practise(session, teacher, 2, None)
            practise(session, teacher, None, 9)
            practise(session, teacher, 2, 5)
            made = stored(session, teacher)
            choice = record_choice(
                session, teacher, made.case_id, made.ranking_id, "cold-calling", "chosen", now=NOW
            )  # fmt: skip
            cycle = start_cycle(session, teacher, made.case_id, choice, DAY, now=NOW)
            for phase, seen in (("baseline", 10), ("follow_up", 0)):
                add_follow_up(session, teacher, cycle, phase, DAY, seen, 10, now=NOW)
        monday = datetime(2026, 11, 9, tzinfo=UTC)
        before = tenant_outcomes(session, school.administrator, monday - timedelta(seconds=1))
        after = tenant_outcomes(session, school.administrator, monday)
    assert (before.until, before.all_teachers) == (NOW.replace(hour=0), OutcomeCell(0))
    assert (after.until, after.all_teachers.teachers, after.all_teachers.change) == (monday, 10, 0.3)


def test_a_domain_beside_which_the_sum_would_tell_of_few_teachers_is_hidden(database, school: School) -> None:
    with database.write() as session:
        group = teachers(session, school, 12)
        for teacher in group[:11]:
            practise(session, teacher, 2, 5)
        # Eleven in one domain, eleven in the other: each leaves one teacher of the sum.
        for teacher in group[1:]:
            practise(session, teacher, 2, 5, "exit-tickets")
        told = tenant_outcomes(session, school.administrator, AFTER)
    assert told.all_teachers.teachers == 12
    hidden = {domain for domain, cell in told.by_domain.items() if cell.teachers is None}
    assert len(hidden) == 2
    assert PARTICIPATION in hidden


def test_outcomes_are_for_administrators_of_the_tenant(database: Database, school: School) -> None:
    app = Actor(school.tenant_id, "app", "sis", scopes=frozenset({"admin"}))
    with database.write() as session:
        south = make_school(session, "South")
        for teacher in teachers(session, school, 10):
            practise(session, teacher, 2, 5)
        assert tenant_outcomes(session, south.administrator, AFTER).all_teachers == OutcomeCell(0)
        for nobody in (school.teacher, school.coach, app):
            with pytest.raises(NotAllowedError):
                tenant_outcomes(session, nobody, AFTER)
