from __future__ import annotations

import pytest
from sqlalchemy import delete, text, update
from store_rows import NOW, School, stored

from service.store.database import Database
from service.store.errors import StoreError
from service.store.events import events_about, latest_events_about, record
from service.store.links import end_link
from service.store.tables.events import Event


@pytest.mark.parametrize("change", [update(Event).values(action="x"), delete(Event)])
def test_the_database_refuses_to_change_or_delete_an_event(database: Database, school: School, change) -> None:
    with pytest.raises(StoreError), database.write() as session:
        session.execute(change)
    with database.read() as session:
        assert events_about(session, school.operator, school.teacher.id)


def test_postgresql_refuses_to_empty_the_table_too(request: pytest.FixtureRequest, database, school: School) -> None:
    statement = "TRUNCATE events" if database.engine.dialect.name == "postgresql" else "DELETE FROM events"
    with pytest.raises(StoreError), database.write() as session:
        session.execute(text(statement))


def test_events_say_who_did_what_in_order_and_go_on_where_they_ended(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        events = events_about(session, school.teacher, school.teacher.id)
        assert [event.action for event in events] == ["person.created", "link.created", "case.created"]
        assert events[-1].facts == {"ranking": made.ranking_id, "status": "ranked", "model": "2026.11"}
        assert (events[-1].at, events[-1].actor_id) == (NOW, school.teacher.id)
        assert events_about(session, school.teacher, school.teacher.id, after=events[0].id) == events[1:]
        assert events_about(session, school.coach, school.teacher.id) == []


def test_the_latest_events_are_the_last_of_all_newest_first(database: Database, school: School) -> None:
    with database.write() as session:
        stored(session, school.teacher)
        # Of what a person does, some concerns them, some another, and some of what concerns them another does.
        end_link(session, school.coach, school.link_id, NOW)
        record(session, school.operator, "person.exported", school.coach.id, person_id=school.coach.id, now=NOW)
        session.flush()
        for who in (school.teacher, school.coach):
            every = events_about(session, who, who.id)
            assert latest_events_about(session, who, who.id) == every[::-1]
            assert latest_events_about(session, who, who.id, limit=2) == every[:-3:-1]
        assert {"link.ended", "person.exported"} <= {event.action for event in every}
        assert latest_events_about(session, school.coach, school.teacher.id) == []


@pytest.mark.parametrize("fact", ["two words", "a\nb", "x" * 81, "é", "Marcus, then"])
def test_a_fact_that_could_be_a_text_is_refused_and_not_quoted(lite: Database, lite_school: School, fact: str) -> None:
    with pytest.raises(StoreError, match="text among facts") as caught, lite.write() as session:
        record(session, lite_school.operator, "case.created", "1", said=fact)
    assert fact not in str(caught.value)
