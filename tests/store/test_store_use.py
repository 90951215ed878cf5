from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from store_rows import NOW, School, add_teacher, make_school, stored

from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.alerts import raise_alert
from service.store.database import Database
from service.store.deletion import delete_person
from service.store.errors import NotAllowedError
from service.store.events import record
from service.store.links import create_link, end_link
from service.store.people import create_person, mark_left
from service.store.use import administrative_events, use_by_week

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)


def test_ten_people_of_a_week_are_a_number_nine_are_none_and_one_persons_ten_cases_are_one(database, school) -> None:
    with database.write() as session:
        group = [add_teacher(session, school, f"T{i}") for i in range(10)]
        for teacher in group[:9]:
            stored(session, teacher, now=NOW)
        for _ in range(10):
            stored(session, group[0], now=NOW)
        (week,) = use_by_week(session, school.administrator, 1, MONDAY)
        assert (week.begins_on, week.people["case.created"], week.people["review.made"]) == (date(2026, 11, 2), None, 0)
        stored(session, group[9], now=MONDAY - timedelta(seconds=1))
        # From Monday on it is another week, which is not told yet.
        stored(session, group[9], now=MONDAY)
        weeks = use_by_week(session, school.operator, 2, MONDAY + timedelta(days=6))
    assert [week.begins_on for week in weeks] == [date(2026, 11, 2), date(2026, 10, 26)]
    assert [week.people["case.created"] for week in weeks] == [10, 0]


def test_alerts_are_not_even_counted(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        for number in range(10):
            teacher = add_teacher(session, lite_school, f"T{number}")
            raise_alert(session, teacher, teacher.id, now=NOW)
        (week,) = use_by_week(session, lite_school.administrator, 1, MONDAY)
    assert not any(action.startswith("alert") for action in week.people)


def test_administration_reads_who_did_what_to_whom_latest_first_and_nothing_of_coaching(database, school) -> None:
    with database.write() as session:
        stored(session, school.teacher)
        record(session, school.teacher, "sign_in.begun", "s1", person_id=school.teacher.id, now=NOW + timedelta(1))
        record(session, school.administrator, "person.exported", "x", person_id=school.administrator.id, now=NOW)
        new = create_person(session, school.administrator, "New", ["teacher"], now=NOW + timedelta(2))
        link_id = create_link(session, school.administrator, school.coach.id, new, NOW + timedelta(3))
        end_link(session, school.teacher, school.link_id, NOW + timedelta(3))
        raise_alert(session, school.teacher, school.teacher.id, now=NOW + timedelta(4))
        mark_left(session, school.operator, new, NOW + timedelta(5))
        events = administrative_events(session, school.administrator, limit=3).items
        everything = administrative_events(session, school.operator, limit=200).items
    assert [(e.at, e.actor_name, e.action, e.person_name) for e in events] == [
        (NOW + timedelta(5), None, "person.left", "New"),
        (NOW + timedelta(3), "North administrator", "link.created", "New"),
        (NOW + timedelta(2), "North administrator", "person.created", "New"),
    ]
    assert (events[1].subject_id, events[1].actor_kind, events[1].person_id) == (link_id, "person", new)
    assert {e.action for e in everything} == {
        "tenant.created", "person.created", "link.created", "person.left"}  # fmt: skip


def test_the_events_go_on_where_they_ended_even_within_one_moment(database: Database, school: School) -> None:
    with database.write() as session:
        whole = administrative_events(session, school.administrator).items
        seen, after = [], None
        while True:
            page = administrative_events(session, school.administrator, after, 2)
            seen += page.items
            if (after := page.next) is None:
                break
    assert seen == whole
    assert len(seen) == 5


def test_somebody_deleted_is_named_nowhere(database: Database, school: School) -> None:
    with database.write() as session:
        delete_person(session, school.operator, school.teacher.id, NOW + timedelta(1))
        event = administrative_events(session, school.administrator).items[0]
    assert (event.action, event.person_id, event.person_name) == ("person.deleted", None, None)


def test_use_is_for_administrators_of_the_tenant(database: Database, school: School) -> None:
    app = Actor(school.tenant_id, "app", "sis", scopes=frozenset({"admin"}))
    with database.write() as session:
        south = make_school(session, "South")
        for number in range(10):
            stored(session, add_teacher(session, school, f"T{number}"), now=NOW)
        assert use_by_week(session, south.administrator, 1, MONDAY)[0].people["case.created"] == 0
        assert "North" not in str(administrative_events(session, south.administrator).items)
        for nobody in (school.teacher, school.coach, app):
            with pytest.raises(NotAllowedError):
                use_by_week(session, nobody)
            with pytest.raises(NotAllowedError):
                administrative_events(session, nobody)
        for weeks in (0, 105):
            with pytest.raises(CaseError, match="weeks"):
                use_by_week(session, school.administrator, weeks)
