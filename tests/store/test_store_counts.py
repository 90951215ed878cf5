from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from store_rows import NOW, School, add_teacher, stored

from service.store.actors import Actor
from service.store.choices import record_choice
from service.store.counts import last_monday, tenant_counts
from service.store.cycles import end_cycle, start_cycle
from service.store.database import Database
from service.store.errors import NotAllowedError
from service.store.practice import add_follow_up

AFTER = NOW + timedelta(days=14)


def practise(session, teacher: Actor, skill_id: str, before: int, after: int) -> None:
    made = stored(session, teacher)
    choice = record_choice(session, teacher, made.case_id, made.ranking_id, skill_id, "chosen", now=NOW)
    cycle = start_cycle(session, teacher, made.case_id, choice, date(2026, 11, 2), now=NOW)
    add_follow_up(session, teacher, cycle, "baseline", date(2026, 11, 2), before, 10, now=NOW)
    add_follow_up(session, teacher, cycle, "follow_up", date(2026, 11, 3), after, 10, now=NOW)
    end_cycle(session, teacher, cycle, "finished", date(2026, 11, 3))


def test_ten_teachers_are_a_number_and_nine_are_none(database: Database, school: School) -> None:
    with database.write() as session:
        for number in range(9):
            practise(session, add_teacher(session, school, f"T{number}"), "cold-calling", 2, 5)
        nine = tenant_counts(session, school.administrator, AFTER)
        practise(session, add_teacher(session, school, "T9"), "cold-calling", 2, 5)
        # A second case of the same teacher makes them no second teacher.
        stored(session, school.teacher)
        stored(session, school.teacher)
        ten = tenant_counts(session, school.administrator, AFTER)
    assert nine.teachers_with_a_case is None
    assert nine.by_outcome["more seen after"] is None
    assert ten.teachers_with_a_case == 11
    assert ten.by_outcome == {"more seen after": 10, "as much seen": 0, "less seen after": 0}
    assert ten.by_cycle_state == {"open": 0, "finished": 10, "stopped": 0}
    assert ten.by_decision == {"chosen": 10, "declined": 0}
    assert {domain: count for domain, count in ten.by_focus_domain.items() if count} == {"engagement-participation": 10}
    assert ten.by_status["ranked"] == 11


def test_what_happened_since_monday_is_not_counted_yet(database: Database, school: School) -> None:
    with database.write() as session:
        for number in range(10):
            stored(session, add_teacher(session, school, f"T{number}"), now=NOW + timedelta(hours=number))
        assert tenant_counts(session, school.operator, NOW + timedelta(days=6)).teachers_with_a_case == 0
        assert tenant_counts(session, school.operator, NOW + timedelta(days=7)).teachers_with_a_case == 10


def test_the_week_begins_on_monday_at_midnight_utc():
    assert last_monday(datetime(2026, 11, 8, 23, 59, tzinfo=UTC)) == datetime(2026, 11, 2, tzinfo=UTC)
    assert last_monday(datetime(2026, 11, 9, tzinfo=UTC)) == datetime(2026, 11, 9, tzinfo=UTC)


@pytest.mark.parametrize("who", ["teacher", "coach"])
def test_counts_are_for_administrators(lite: Database, lite_school: School, who: str) -> None:
    with lite.read() as session, pytest.raises(NotAllowedError):
        tenant_counts(session, getattr(lite_school, who))
