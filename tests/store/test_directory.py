from __future__ import annotations

import pytest
from store_rows import NOW, School, add_teacher, make_school

from recommender.errors import CaseError
from service.store.database import Database
from service.store.directory import find_pairing, pairings_of, people_as, people_by_name
from service.store.errors import NotAllowedError
from service.store.events import events_about
from service.store.links import end_link
from service.store.people import change_contact, change_retention, create_person, get_tenant, mark_left


def test_people_come_by_name_in_parts_with_their_roles_and_whether_they_left(
    database: Database, school: School
) -> None:
    with database.write() as session:
        create_person(session, school.operator, "Abe", ["teacher", "coach"], now=NOW)
        gone = create_person(session, school.operator, "Abe", ["teacher"], now=NOW)
        mark_left(session, school.operator, gone)
        make_school(session, "South")
    with database.read() as session:
        first = people_by_name(session, school.administrator, limit=3)
        second = people_by_name(session, school.administrator, after=first.next, limit=3)
    people = [*first.items, *second.items]
    assert [person.name for person in people] == ["Abe", "Abe", "North administrator", "North coach", "North teacher"]
    assert [person.roles for person in people[:2]] == [("coach", "teacher"), ("teacher",)]
    assert [person.has_left for person in people] == [False, True, False, False, False]
    assert second.next is None


def test_a_cursor_of_another_tenant_is_no_cursor(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        south = make_school(session, "South")
        with pytest.raises(CaseError):
            people_by_name(session, lite_school.administrator, after=south.teacher.id)


def test_people_to_choose_from_are_those_who_are_here_in_the_role(database: Database, school: School) -> None:
    with database.write() as session:
        add_teacher(session, school, "Bea")
        mark_left(session, school.operator, add_teacher(session, school, "Abe").id)
    with database.read() as session:
        assert [one.name for one in people_as(session, school.administrator, "teacher")] == ["Bea", "North teacher"]


def test_pairings_name_both_and_end_with_the_link(database: Database, school: School) -> None:
    with database.write() as session:
        add_teacher(session, school, "Bea")
        pairs = pairings_of(session, school.administrator, school.coach.id)
        assert [(pair.coach.name, pair.teacher.name) for pair in pairs] == [
            ("North coach", "Bea"),
            ("North coach", "North teacher"),
        ]
        assert [pair.link_id for pair in pairings_of(session, school.administrator, school.teacher.id)] == [
            school.link_id
        ]
        south = make_school(session, "South")
        assert find_pairing(session, south.administrator, school.link_id) is None
        end_link(session, school.administrator, school.link_id)
        assert find_pairing(session, school.administrator, school.link_id) is None


def test_the_directory_is_for_administrators(lite: Database, lite_school: School) -> None:
    with lite.read() as session:
        for actor in (lite_school.teacher, lite_school.coach):
            for refused in (
                lambda actor=actor: people_by_name(session, actor),
                lambda actor=actor: people_as(session, actor, "teacher"),
                lambda actor=actor: pairings_of(session, actor, actor.id),
                lambda actor=actor: find_pairing(session, actor, lite_school.link_id),
                lambda actor=actor: change_contact(session, actor, "Me"),
                lambda actor=actor: change_retention(session, actor, 1),
            ):
                with pytest.raises(NotAllowedError):
                    refused()


def test_contact_and_retention_are_changed_with_one_event_each_and_without_the_words(
    database: Database, school: School
) -> None:
    with database.write() as session:
        for _ in range(2):
            change_contact(session, school.administrator, " Ms.  Duty ")
            change_retention(session, school.administrator, 6)
        tenant = get_tenant(session, school.administrator)
        assert (tenant.safeguarding_contact, tenant.retention_months) == ("Ms. Duty", 6)
        events = events_about(session, school.administrator, school.administrator.id)
        # Made in the same millisecond, they may come in either order.
        changes = sorted((e for e in events if e.action.startswith("tenant.")), key=lambda event: event.action)
        assert [event.action for event in changes] == ["tenant.contact_changed", "tenant.retention_changed"]
        assert [dict(event.facts) for event in changes] == [{}, {"months": 6}]
        change_contact(session, school.administrator, " ")
        change_retention(session, school.administrator, None)
        tenant = get_tenant(session, school.administrator)
        assert (tenant.safeguarding_contact, tenant.retention_months) == (None, None)


@pytest.mark.parametrize("contact", ["x", "x" * 301, "Ms.\x00Duty"])
def test_a_contact_that_cannot_be_shown_is_refused_and_not_quoted(
    lite: Database, lite_school: School, contact: str
) -> None:
    with lite.write() as session, pytest.raises(CaseError) as refused:
        change_contact(session, lite_school.administrator, contact)
    assert contact not in str(refused.value) or contact == "x"


@pytest.mark.parametrize("months", [0, 121, -3])
def test_a_time_out_of_range_is_refused(lite: Database, lite_school: School, months: int) -> None:
    with lite.write() as session, pytest.raises(CaseError):
        change_retention(session, lite_school.administrator, months)
