"""What is decided in a coach's queue: its own list, its own index."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event
from store_rows import NOW, School, a_ranking, add_teacher, stored

from recommender.errors import CaseError
from service.store.cases import add_ranking
from service.store.choices import record_choice
from service.store.database import Database, StoreSession
from service.store.links import end_link
from service.store.queue import coach_queue, place_of, queue_entry
from service.store.shares import revoke_case, share_case


def decide(session: StoreSession, school: School, day: int, teacher=None, decision: str = "chosen") -> str:
    """A case of a teacher, shared, and decided on a day after ``NOW``."""
    teacher = teacher or school.teacher
    made = stored(session, teacher)
    share_case(session, teacher, made.case_id, school.coach.id, NOW)
    record_choice(
        session, teacher, made.case_id, made.ranking_id, "cold-calling", decision, now=NOW + timedelta(days=day)
    )
    return made.case_id


def places(session: StoreSession, school: School, state=None, **fields) -> list[tuple[datetime, str]]:
    return [(e.queued_at, e.case_id) for e in coach_queue(session, school.coach, state=state, **fields).items]


def test_decided_cases_are_listed_alone_latest_first_across_teachers_whoever_looked_at_them(database, school) -> None:
    with database.write() as session:
        other = add_teacher(session, school, "Zoe")
        expected = [
            (NOW + timedelta(days=day), decide(session, school, day, teacher))
            for day, teacher in ((2, None), (5, other), (1, other), (4, None))
        ]
        put_aside = decide(session, school, 3, decision="declined")
        assert places(session, school, "done") == sorted(expected, reverse=True)
        assert [case_id for _, case_id in places(session, school)] == [put_aside]
        for state in ("new", "changed", "waiting"):
            assert not {case_id for _, case_id in expected} & {case_id for _, case_id in places(session, school, state)}


def test_the_decided_go_on_where_they_ended_also_within_one_moment_of_time(database, school) -> None:
    with database.write() as session:
        expected = [(NOW + timedelta(days=day // 3), decide(session, school, day // 3)) for day in range(7)]
    seen, after = [], None
    with database.read() as session:
        while True:
            page = coach_queue(session, school.coach, state="done", after=after, limit=2)
            seen += [(entry.queued_at, entry.case_id) for entry in page.items]
            if (after := page.next) is None:
                break
        with pytest.raises(CaseError):
            coach_queue(session, school.coach, state="done", after="nowhere")
    assert seen == sorted(expected, reverse=True)


def test_a_decided_case_stays_decided_through_a_new_list_and_opens_again_when_the_teacher_puts_it_aside(
    database, school
) -> None:
    with database.write() as session:
        case_id = decide(session, school, 1)
        entry = queue_entry(session, school.coach, case_id)
        assert (entry.state, entry.queued_at) == ("done", NOW + timedelta(days=1))
        ranking = add_ranking(session, school.teacher, case_id, a_ranking(), now=NOW + timedelta(days=2))
        record_choice(
            session, school.teacher, case_id, ranking, "wait-time", "declined", now=NOW + timedelta(days=3)
        )  # fmt: skip
        assert places(session, school, "done") == []
        assert places(session, school, "changed") == [(NOW + timedelta(days=3), case_id)]


def test_what_is_no_longer_shared_is_in_no_list_and_has_no_place(database, school) -> None:
    with database.write() as session:
        revoked, unlinked = decide(session, school, 1), decide(session, school, 2)
        revoke_case(session, school.teacher, revoked, school.coach.id)
        assert [case_id for _, case_id in places(session, school, "done")] == [unlinked]
        assert queue_entry(session, school.coach, revoked) is None
        end_link(session, school.coach, school.link_id)
        assert places(session, school, "done") == []
        assert queue_entry(session, school.coach, unlinked) is None


def test_the_embedded_database_finds_the_latest_decided_in_their_index_and_sorts_nothing(lite, lite_school) -> None:
    """Without an index of their own it reads all that was ever shared with the coach."""
    with lite.write() as session:
        for day in range(3):
            decide(session, lite_school, day)
    plans = [plan(lite, lite_school, after) for after in (None, first_place(lite, lite_school))]
    for steps in plans:
        assert "ix_case_shares_done" in steps[0]
        assert not [step for step in steps if "TEMP B-TREE" in step or "SCAN" in step]
    assert "(queued_at,case_id)<(?,?)" in plans[1][0]


def first_place(database: Database, school: School) -> str:
    with database.read() as session:
        return place_of(coach_queue(session, school.coach, state="done").items[0])


def plan(database: Database, school: School, after: str | None) -> list[str]:
    """The steps in which the list of decided cases is read."""
    asked = []

    def note(connection, cursor, statement, parameters, *rest) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    with database.read() as session:
        coach_queue(session, school.coach, state="done", after=after)
    event.remove(database.engine, "before_cursor_execute", note)
    statement, parameters = asked[-1]
    with database.engine.connect() as connection:
        return [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
