from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from store_rows import NOW, School, add_teacher, make_school, stored

from service.store.cases import asked_again, get_case
from service.store.choices import choices_of, record_choice
from service.store.cycles import end_cycle, start_cycle
from service.store.database import Database
from service.store.deletion import delete_case, delete_person
from service.store.errors import NotAllowedError, NotFoundError
from service.store.events import events_about
from service.store.export import export_person
from service.store.observations import scores_of_tenant, store_scores
from service.store.people import get_person
from service.store.practice import add_check_in, check_ins_of
from service.store.retention import Expired, months_before, run_retention
from service.store.reviews import SkillChange, record_review, reviews_of
from service.store.shares import share_case, share_cycle
from service.store.tables.cases import Case, RankingShown
from service.store.tables.events import Event, IdempotencyKey
from service.store.tables.people import Tenant
from service.store.tables.schema import METADATA
from service.store.tables.texts import StoredText

SCORE = {
    "teacher_id": "t-teacher", "visit": "v1", "observed_on": pd.Timestamp("2026-10-02"), "observer": "o1",
    "instrument": "danielson-2022", "item": "3b", "value": 2.0, "note": "14 questions",
}  # fmt: skip


def texts(session) -> int:
    return session.scalar(select(func.count()).select_from(StoredText))


def fill(session, school: School, teacher=None):
    """A case with a text in every place that has one; (case, cycle)."""
    teacher = teacher or school.teacher
    made = stored(session, teacher)
    share_case(session, teacher, made.case_id, school.coach.id, NOW)
    why = [SkillChange("wait-time", "remove", None, "Not yet")]
    record_review(session, school.coach, made.case_id, made.ranking_id, why, now=NOW)
    ask = (session, teacher, made.case_id, made.ranking_id)
    record_choice(*ask, "wait-time", "declined", why="No time", now=NOW, idempotency_key="k1")
    choice = record_choice(*ask, "cold-calling", "chosen", now=NOW)
    cycle = start_cycle(session, teacher, made.case_id, choice, date(2026, 11, 3), weeks=4, now=NOW)
    share_cycle(session, teacher, cycle, school.coach.id, NOW)
    add_check_in(session, school.coach, cycle, date(2026, 11, 9), 1, note="Better", now=NOW)
    return made, cycle


def test_texts_go_a_year_after_the_end_of_the_cycle_and_the_decisions_stay(database: Database, school: School) -> None:
    with database.write() as session:
        made, cycle = fill(session, school)
        end_cycle(session, school.teacher, cycle, "finished", date(2026, 12, 1))
        assert texts(session) == 5
    assert run_retention(database, 12, datetime(2027, 12, 1, 23, tzinfo=UTC)) == [Expired(school.tenant_id, 0, 0)]
    assert run_retention(database, 12, datetime(2027, 12, 2, tzinfo=UTC)) == [Expired(school.tenant_id, 1, 5)]
    assert run_retention(database, 12, datetime(2027, 12, 3, tzinfo=UTC)) == [Expired(school.tenant_id, 0, 0)]
    with database.read() as session:
        assert texts(session) == 0
        view = get_case(session, school.teacher, made.case_id)
        assert (view.struggle, view.texts_deleted_at) == (None, datetime(2027, 12, 2, tzinfo=UTC))
        assert view.rankings[0].ranking.suggestions[0].reasons[1].text == "[deleted]"
        assert view.rankings[0].ranking.input_hash == ""
        assert [(c.decision, c.why) for c in choices_of(session, school.teacher, made.case_id)] == [
            ("declined", None), ("chosen", None)]  # fmt: skip
        assert reviews_of(session, school.teacher, made.case_id)[0].changes[0].why == ""
        assert check_ins_of(session, school.teacher, cycle)[0].note is None
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
        assert asked_again(view).struggle == ""
        assert export_person(session, school.teacher, school.teacher.id)["cases"][0]["struggle"] is None


def test_an_open_cycle_keeps_its_texts_until_a_year_after_its_planned_end(database: Database, school: School) -> None:
    with database.write() as session:
        fill(session, school)
    assert run_retention(database, 12, datetime(2027, 12, 1, tzinfo=UTC))[0].cases == 0
    assert run_retention(database, 12, datetime(2027, 12, 2, tzinfo=UTC))[0].cases == 1


def test_without_a_cycle_the_last_change_counts_and_a_tenant_may_have_its_own_months(database, school: School) -> None:
    with database.write() as session:
        short = make_school(session, "South")
        session.execute(update(Tenant).where(Tenant.id == short.tenant_id).values(retention_months=1))
        stored(session, school.teacher)
        stored(session, short.teacher)
        store_scores(session, short.operator, pd.DataFrame([SCORE]), NOW)
    expired = {e.tenant_id: (e.cases, e.texts) for e in run_retention(database, 12, NOW + timedelta(days=40))}
    assert expired == {school.tenant_id: (0, 0), short.tenant_id: (1, 3)}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 120))
def test_months_before_is_the_same_day_or_the_last_of_its_month(day, months):
    earlier = months_before(day, months)
    assert (day.year - earlier.year) * 12 + day.month - earlier.month == months
    assert earlier.day == day.day or (earlier.day < day.day and (earlier + timedelta(days=1)).day == 1)


def test_deleting_a_case_leaves_a_tombstone_and_nothing_else(database: Database, school: School) -> None:
    with database.write() as session:
        made, _ = fill(session, school)
        with pytest.raises(NotAllowedError):
            delete_case(session, school.coach, made.case_id)
        delete_case(session, school.teacher, made.case_id)
    with database.read() as session:
        for table in METADATA.sorted_tables:
            if table.name != "events":
                assert made.case_id not in str(session.execute(select(table)).all()), table.name
        assert texts(session) == 0
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
        last = events_about(session, school.teacher, school.teacher.id)[-1]
        assert (last.action, last.subject_id, last.facts) == ("case.deleted", made.case_id, {})
        with pytest.raises(NotFoundError):
            get_case(session, school.teacher, made.case_id)


def test_deleting_a_teacher_takes_all_that_is_theirs_and_nothing_of_others(database: Database, school: School) -> None:
    with database.write() as session:
        other = add_teacher(session, school, "Al")
        fill(session, school)
        kept, _ = fill(session, school, other)
        others = pd.DataFrame([SCORE, SCORE | {"teacher_id": "t-other"}])
        store_scores(session, school.operator, others)
        for nobody in (school.coach, school.administrator, other):
            with pytest.raises(NotFoundError):
                delete_person(session, nobody, school.teacher.id)
        delete_person(session, school.teacher, school.teacher.id)
    with database.read() as session:
        for table in METADATA.sorted_tables:
            if table.name != "events":
                rows = str(session.execute(select(table)).all())
                assert school.teacher.id not in rows, table.name
                assert "North teacher" not in rows
                assert "t-teacher" not in rows
        assert len(scores_of_tenant(session, school.operator)) == 1
        assert get_case(session, other, kept.case_id).struggle
        assert texts(session) == 6
        assert session.scalar(select(func.count()).select_from(Event).where(Event.action == "person.deleted")) == 1


def test_deleting_a_coach_leaves_teachers_what_the_coach_said_without_a_name(database, school: School) -> None:
    with database.write() as session:
        made, cycle = fill(session, school)
        delete_person(session, school.operator, school.coach.id)
        review = reviews_of(session, school.teacher, made.case_id)[0]
        assert (review.coach_id, review.changes[0].why) == (None, "Not yet")
        assert check_ins_of(session, school.teacher, cycle)[0].person_id is None
        with pytest.raises(NotFoundError):
            get_person(session, school.operator, school.coach.id)


def test_the_export_holds_all_of_a_person_and_is_for_them_alone(database: Database, school: School) -> None:
    with database.write() as session:
        made, _ = fill(session, school)
        store_scores(session, school.operator, pd.DataFrame([SCORE]))
        for nobody in (school.coach, school.administrator):
            with pytest.raises(NotFoundError):
                export_person(session, nobody, school.teacher.id)
        document = export_person(session, school.teacher, school.teacher.id, NOW)
        of_coach = export_person(session, school.operator, school.coach.id, NOW)
    assert document["exported_at"] == NOW.isoformat()
    assert [case["id"] for case in document["cases"]] == [made.case_id]
    assert document["cases"][0]["rankings"][0]["suggestions"][0]["skill_id"] == "cold-calling"
    assert document["cases"][0]["shares"][0]["coach_id"] == school.coach.id
    assert document["cycles"][0]["check_ins"][0]["note"] == "Better"
    assert document["scores"][0]["note"] == "14 questions"
    assert "review.made" in {event["action"] for event in document["events"]}
    assert [review["case_id"] for review in of_coach["reviews_made"]] == [made.case_id]
    assert "Same three hands" not in str(of_coach)


def test_an_expired_input_hash_is_gone_from_the_table(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        stored(session, lite_school.teacher)
    run_retention(lite, 1, NOW + timedelta(days=60))
    with lite.read() as session:
        assert session.scalar(select(RankingShown.input_hash)) is None
        assert session.scalar(select(Case.texts_deleted_at)) is not None
