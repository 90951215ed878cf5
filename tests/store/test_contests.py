from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from store_rows import NOW, School, a_case, a_ranking, add_teacher, make_school, stored

from recommender.errors import CaseError
from service.store.actors import Actor, person_actor
from service.store.cases import store_case
from service.store.contests import answer_contest, contests_of, open_contests, raise_contest
from service.store.database import Database
from service.store.deletion import delete_case, delete_person
from service.store.errors import ConflictError, NotAllowedError, NotFoundError
from service.store.events import events_about
from service.store.export import export_person
from service.store.people import create_person
from service.store.retention import run_retention
from service.store.reviews import SkillChange, record_review
from service.store.shares import revoke_case, share_case
from service.store.tables.schema import METADATA

WHY = "Marcus said it, and I do this already"


def contest(session, teacher: Actor, made, *, why: str = WHY, now=NOW, **what) -> str:
    about = {"about": "suggestion", "about_id": made.ranking_id, "skill_id": "cold-calling"} | what
    return raise_contest(session, teacher, made.case_id, why=why, now=now, **about)


def test_a_teacher_contests_a_suggestion_and_an_administrator_answers(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        contest_id = contest(session, school.teacher, made)
        line = open_contests(session, school.administrator).items[0]
        answer_contest(session, school.administrator, contest_id, "You are right, Marcus too", NOW + timedelta(1))
        assert open_contests(session, school.administrator).items == []
        view = contests_of(session, school.teacher, made.case_id)[0]
        events = events_about(session, school.teacher, school.teacher.id)[-2:]
    assert (line.teacher_name, line.about) == ("North teacher", "suggestion")
    assert line.skill_name == "Cold calling (warm and equitable)"
    assert line.why == "[name] said it, and I do this already"
    assert line.case_id is None
    assert "three hands" not in str(line)
    assert (view.state, view.about_id, view.skill_id) == ("answered", made.ranking_id, "cold-calling")
    assert (view.answer, view.answered_by_name) == ("You are right, [name] too", "North administrator")
    assert (view.raised_at, view.answered_at) == (NOW, NOW + timedelta(1))
    assert [event.action for event in events] == ["contest.raised", "contest.answered"]
    assert events[0].facts == {"case": made.case_id, "about": "suggestion", "skill": "cold-calling"}


def test_a_review_is_contested_and_the_coach_who_made_it_answers(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        share_case(session, school.teacher, made.case_id, school.coach.id, NOW)
        change = [SkillChange("wait-time", "remove", None, "Not yet")]
        review_id = record_review(session, school.coach, made.case_id, made.ranking_id, change, now=NOW)
        contest_id = contest(
            session, school.teacher, made, about="review", about_id=review_id, skill_id="wait-time"
        )  # fmt: skip
        line = open_contests(session, school.coach).items[0]
        assert (line.id, line.case_id, line.about) == (contest_id, made.case_id, "review")
        answer_contest(session, school.coach, contest_id, "Let us look at it together")
        assert contests_of(session, school.coach, made.case_id) == contests_of(session, school.teacher, made.case_id)


def test_a_coach_sees_and_answers_contests_only_of_cases_that_are_shared(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        contest_id = contest(session, school.teacher, made)
        for _ in "ab":
            assert open_contests(session, school.coach).items == []
            with pytest.raises(NotFoundError):
                contests_of(session, school.coach, made.case_id)
            with pytest.raises(NotFoundError):
                answer_contest(session, school.coach, contest_id, "No")
            share_case(session, school.teacher, made.case_id, school.coach.id)
            assert [line.id for line in open_contests(session, school.coach).items] == [contest_id]
            revoke_case(session, school.teacher, made.case_id, school.coach.id)


def test_only_the_teacher_of_the_case_contests_and_never_answers_themselves(database, school: School) -> None:
    app = Actor(school.tenant_id, "app", "sis", scopes=frozenset({"write", "admin"}))
    with database.write() as session:
        other = add_teacher(session, school, "Al")
        made = stored(session, school.teacher)
        share_case(session, school.teacher, made.case_id, school.coach.id)
        for nobody in (other, school.coach, school.administrator, school.operator, app):
            with pytest.raises((NotFoundError, NotAllowedError)):
                contest(session, nobody, made)
        sent = store_case(session, app, a_case(), a_ranking(), now=NOW)
        with pytest.raises(NotAllowedError, match="an app"):
            contest(session, app, sent)
        contest_id = contest(session, school.teacher, made)
        for nobody in (other, school.teacher, school.operator, app):
            with pytest.raises((NotFoundError, NotAllowedError)):
                answer_contest(session, nobody, contest_id, "Fine")
        for nobody in (other, school.operator, app):
            with pytest.raises(NotAllowedError):
                open_contests(session, nobody)
        both = person_actor(
            session,
            school.tenant_id,
            create_person(session, school.operator, "Both", ["teacher", "coach", "administrator"]),
        )
        own_id = contest(session, both, stored(session, both))
        assert [line.id for line in open_contests(session, both).items] == [contest_id]
        with pytest.raises(NotAllowedError):
            answer_contest(session, both, own_id, "I agree with myself")


def test_another_tenant_neither_sees_nor_answers(database: Database, school: School) -> None:
    with database.write() as session:
        south = make_school(session, "South")
        contest_id = contest(session, school.teacher, stored(session, school.teacher))
        assert open_contests(session, south.administrator).items == []
        for stranger in (south.administrator, south.coach, south.teacher):
            with pytest.raises(NotFoundError):
                answer_contest(session, stranger, contest_id, "Fine")


def test_what_does_not_fit_is_refused(database: Database, school: School) -> None:
    with database.write() as session:
        made, other = stored(session, school.teacher), stored(session, school.teacher)
        for what, problem in (
            ({"why": "  "}, "no why"),
            ({"why": "x" * 4_001}, "4001 characters"),
            ({"skill_id": "exit-tickets"}, "not in what is contested"),
            ({"about": "teacher"}, "something else"),
        ):
            with pytest.raises(CaseError, match=problem):
                contest(session, school.teacher, made, **what)
        for what in ({"about_id": other.ranking_id}, {"about": "review"}):
            with pytest.raises(NotFoundError):
                contest(session, school.teacher, made, **what)
        contest_id = contest(session, school.teacher, made, skill_id=None)
        with pytest.raises(CaseError, match="no answer"):
            answer_contest(session, school.administrator, contest_id, "\n")
        answer_contest(session, school.administrator, contest_id, "Yes")
        with pytest.raises(ConflictError, match="answered"):
            answer_contest(session, school.administrator, contest_id, "No")
        assert [c.answer for c in contests_of(session, school.teacher, made.case_id)] == ["Yes"]


def test_a_contest_sent_twice_is_one_contest(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        made = stored(session, lite_school.teacher)
        ids = {contest(session, lite_school.teacher, made, idempotency_key="k") for _ in "ab"}
        assert len(ids) == len(contests_of(session, lite_school.teacher, made.case_id)) == 1


def test_the_longest_waiting_comes_first_and_the_list_goes_on_where_it_ended(database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        ids = [contest(session, school.teacher, made, now=NOW - timedelta(hours=hour)) for hour in range(5)]
    seen, after = [], None
    with database.read() as session:
        while True:
            page = open_contests(session, school.administrator, after=after, limit=2)
            seen += [line.id for line in page.items]
            if (after := page.next) is None:
                break
    assert seen == ids[::-1]


def test_the_words_go_with_the_texts_of_the_case_and_all_of_it_with_the_case(database, school: School) -> None:
    later = NOW + timedelta(days=400)
    with database.write() as session:
        made = stored(session, school.teacher)
        contest_id = contest(session, school.teacher, made)
        answer_contest(session, school.administrator, contest_id, "Yes", NOW)
    assert run_retention(database, 12, later)[0].texts == 4
    with database.write() as session:
        view = contests_of(session, school.teacher, made.case_id)[0]
        assert (view.why, view.answer, view.state) == (None, None, "answered")
        contest(session, school.teacher, made, now=later + timedelta(1))
    # A word that comes after the case's texts are gone has its own twelve months.
    assert run_retention(database, 12, later + timedelta(days=300))[0].texts == 0
    assert run_retention(database, 12, later + timedelta(days=400))[0].texts == 1
    with database.write() as session:
        delete_case(session, school.teacher, made.case_id)
        for table in METADATA.sorted_tables:
            if table.name != "events":
                assert made.case_id not in str(session.execute(select(table)).all()), table.name


def test_a_deleted_administrator_leaves_the_answer_and_the_export_holds_it(database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        contest_id = contest(session, school.teacher, made)
        answer_contest(session, school.administrator, contest_id, "Yes", NOW)
        of_administrator = export_person(session, school.operator, school.administrator.id)
        delete_person(session, school.operator, school.administrator.id)
        exported = export_person(session, school.teacher, school.teacher.id)["cases"][0]["contests"][0]
    assert of_administrator["contests_answered"] == [{"id": contest_id, "answered_at": NOW.isoformat()}]
    assert "[name] said it" not in str(of_administrator)
    assert (exported["answer"], exported["answered_by_name"]) == ("Yes", None)
    assert exported["why"] == "[name] said it, and I do this already"
