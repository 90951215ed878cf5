from __future__ import annotations

from datetime import date, timedelta

import pytest
from store_rows import NOW, School, add_teacher, make_school, stored

from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.caseload import SharedFocus, caseload
from service.store.choices import record_choice
from service.store.cycles import end_cycle, start_cycle
from service.store.database import Database
from service.store.errors import NotAllowedError
from service.store.links import end_link
from service.store.people import create_person
from service.store.practice import add_check_in, add_follow_up
from service.store.shares import revoke_case, revoke_cycle, share_case, share_cycle

FIRST = date(2026, 11, 3)


def line_of(session, school: School, **when):
    (line,) = caseload(session, school.coach, **when).items
    return line


def begin(session, teacher: Actor) -> tuple[str, str]:
    made = stored(session, teacher)
    choice = record_choice(session, teacher, made.case_id, made.ranking_id, "cold-calling", "chosen", now=NOW)
    return made.case_id, start_cycle(session, teacher, made.case_id, choice, FIRST, now=NOW)


def test_teachers_are_by_name_and_the_list_goes_on_where_it_ended(database: Database, school: School) -> None:
    with database.write() as session:
        for name in ("Zoe", "Al", "Mo", "Al"):
            add_teacher(session, school, name)
        seen, after = [], None
        while True:
            page = caseload(session, school.coach, after, 2)
            seen += page.items
            if (after := page.next) is None:
                break
        with pytest.raises(CaseError, match="cursor"):
            caseload(session, school.coach, after="0" * 26)
    assert [line.teacher_name for line in seen] == ["Al", "Al", "Mo", "North teacher", "Zoe"]
    assert len({line.teacher_id for line in seen}) == 5
    assert {line.linked_at for line in seen} == {NOW}


def test_nothing_that_is_not_shared_is_in_it(database: Database, school: School) -> None:
    with database.write() as session:
        bare = line_of(session, school)
        case_id, cycle_id = begin(session, school.teacher)
        stored(session, school.teacher)
        add_check_in(session, school.teacher, cycle_id, FIRST, 1, now=NOW)
        assert line_of(session, school) == bare
        share_case(session, school.teacher, case_id, school.coach.id, NOW)
        share_cycle(session, school.teacher, cycle_id, school.coach.id, NOW)
        assert line_of(session, school).focus is not None
        revoke_cycle(session, school.teacher, cycle_id, school.coach.id)
        revoke_case(session, school.teacher, case_id, school.coach.id)
        assert line_of(session, school) == bare
    assert (bare.last_activity_on, bare.open_case_ids, bare.focus) == (None, (), None)


def test_a_shared_case_is_open_until_a_choice_and_says_when_it_last_changed(database, school: School) -> None:
    with database.write() as session:
        made, later = stored(session, school.teacher), stored(session, school.teacher, now=NOW + timedelta(hours=1))
        for case in (made, later):
            share_case(session, school.teacher, case.case_id, school.coach.id, NOW + timedelta(days=2))
        line = line_of(session, school)
        assert line.open_case_ids == (later.case_id, made.case_id)
        assert line.last_activity_on == date(2026, 11, 4)
        ask = (session, school.teacher, later.case_id, later.ranking_id)
        record_choice(*ask, "cold-calling", "chosen", now=NOW + timedelta(days=5))
        line = line_of(session, school)
    assert (line.open_case_ids, line.last_activity_on) == ((made.case_id,), date(2026, 11, 7))


def test_a_shared_cycle_shows_its_skill_its_week_and_the_last_check_in(database: Database, school: School) -> None:
    with database.write() as session:
        _, cycle_id = begin(session, school.teacher)
        share_cycle(session, school.teacher, cycle_id, school.coach.id, NOW)
        assert line_of(session, school, now=NOW).focus == SharedFocus(cycle_id, "cold-calling", FIRST, 1, 6, None)
        add_check_in(session, school.teacher, cycle_id, date(2026, 11, 10), 2, now=NOW + timedelta(days=9))
        add_check_in(session, school.teacher, cycle_id, date(2026, 11, 5), 1, now=NOW + timedelta(days=10))
        line = line_of(session, school, now=NOW + timedelta(days=8))
        assert (line.focus.week, line.focus.last_check_in_on) == (2, date(2026, 11, 10))
        assert line.last_activity_on == date(2026, 11, 12)
        # The seventh day is in the first week, the eighth in the second; no week is the last.
        weeks = [line_of(session, school, now=NOW + timedelta(days=day)).focus.week for day in (7, 8, 100)]
        assert weeks == [1, 2, 15]
        add_follow_up(session, school.coach, cycle_id, "baseline", FIRST, 1, 4, now=NOW + timedelta(days=20))
        assert line_of(session, school).last_activity_on == date(2026, 11, 22)
        end_cycle(session, school.teacher, cycle_id, "stopped", FIRST)
        assert line_of(session, school).focus is None


def test_it_is_a_coachs_own_teachers_and_no_longer_than_they_are_linked(database: Database, school: School) -> None:
    with database.write() as session:
        south = make_school(session, "South")
        _, cycle_id = begin(session, school.teacher)
        share_cycle(session, school.teacher, cycle_id, school.coach.id, NOW)
        second = create_person(session, school.operator, "Second coach", ["coach"])
        other = Actor(school.tenant_id, "person", second, roles=frozenset({"coach"}))
        assert caseload(session, other).items == []
        assert [line.teacher_name for line in caseload(session, south.coach).items] == ["South teacher"]
        with pytest.raises(CaseError):
            caseload(session, south.coach, after=school.link_id)
        for nobody in (school.teacher, school.administrator, school.operator):
            with pytest.raises(NotAllowedError):
                caseload(session, nobody)
        end_link(session, school.teacher, school.link_id)
        assert caseload(session, school.coach).items == []
