from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from store_rows import NOW, School, a_ranking, add_teacher, make_school, stored

from recommender.errors import CaseError
from service.store.actors import Actor, person_actor
from service.store.cases import add_ranking, get_case, list_cases
from service.store.choices import choices_of, record_choice
from service.store.cycles import end_cycle, get_cycle, list_cycles, start_cycle
from service.store.database import Database
from service.store.errors import ConflictError, NotAllowedError, NotFoundError
from service.store.export import export_person
from service.store.links import create_link, end_link
from service.store.people import create_person
from service.store.practice import add_check_in, add_follow_up, check_ins_of, follow_ups_of
from service.store.queue import coach_queue
from service.store.reviews import SkillChange, record_review, reviews_of
from service.store.shares import revoke_case, revoke_cycle, share_case, share_cycle, shared_with
from service.store.tables.cycles import Cycle

TRY_FIRST = [
    SkillChange("wait-time", "move", 1, "You asked for time, Marcus needs it"),
    SkillChange("cold-calling", "keep"),
]


def begin_cycle(session, school: School, made) -> str:
    choice = record_choice(
        session, school.teacher, made.case_id, made.ranking_id, "cold-calling", "chosen", now=NOW
    )  # fmt: skip
    return start_cycle(session, school.teacher, made.case_id, choice, date(2026, 11, 3), now=NOW)


def test_a_coach_sees_a_case_only_while_it_is_shared_and_they_are_linked(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)

        def seen() -> bool:
            return [line.id for line in list_cases(session, school.coach).items] == [made.case_id]

        assert not seen()
        share_case(session, school.teacher, made.case_id, school.coach.id, NOW)
        assert seen()
        assert shared_with(session, school.teacher, made.case_id) == [school.coach.id]
        revoke_case(session, school.teacher, made.case_id, school.coach.id)
        assert not seen()
        share_case(session, school.teacher, made.case_id, school.coach.id)
        assert seen()
        end_link(session, school.coach, school.link_id)
        assert not seen()
        with pytest.raises(NotFoundError):
            get_case(session, school.coach, made.case_id)
        # A new link opens nothing by itself.
        create_link(session, school.operator, school.coach.id, school.teacher.id)
        assert not seen()
        share_case(session, school.teacher, made.case_id, school.coach.id)
        assert seen()


def test_sharing_one_case_with_one_coach_shows_no_other_case_and_no_other_coach(database, school: School) -> None:
    with database.write() as session:
        made, other = stored(session, school.teacher), stored(session, school.teacher)
        second = create_person(session, school.operator, "Second coach", ["coach"])
        create_link(session, school.operator, second, school.teacher.id)
        share_case(session, school.teacher, made.case_id, school.coach.id)
        with pytest.raises(NotFoundError):
            get_case(session, school.coach, other.case_id)
        with pytest.raises(NotFoundError):
            get_case(session, person_actor(session, school.tenant_id, second), made.case_id)


def test_only_the_teacher_shares_and_only_with_a_coach_of_theirs(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        stranger = create_person(session, school.operator, "Stranger", ["coach"])
        with pytest.raises(NotFoundError):
            share_case(session, school.teacher, made.case_id, stranger)
        for nobody in (school.coach, school.administrator, school.operator):
            with pytest.raises((NotFoundError, NotAllowedError)):
                share_case(session, nobody, made.case_id, school.coach.id)
        share_case(session, school.teacher, made.case_id, school.coach.id)
        with pytest.raises(NotAllowedError):
            revoke_case(session, school.coach, made.case_id, school.coach.id)


def test_a_cycle_is_shared_apart_from_its_case(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        cycle_id = begin_cycle(session, school, made)
        share_case(session, school.teacher, made.case_id, school.coach.id)
        with pytest.raises(NotFoundError):
            get_cycle(session, school.coach, cycle_id)
        share_cycle(session, school.teacher, cycle_id, school.coach.id)
        assert [cycle.id for cycle in list_cycles(session, school.coach).items] == [cycle_id]
        revoke_cycle(session, school.teacher, cycle_id, school.coach.id)
        with pytest.raises(NotFoundError):
            add_check_in(session, school.coach, cycle_id, date(2026, 11, 9), 1)


def test_an_administrator_and_the_operator_read_no_case(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        for nobody in (school.administrator, school.operator):
            assert list_cases(session, nobody).items == []
            with pytest.raises(NotFoundError):
                get_case(session, nobody, made.case_id)


def test_what_a_coach_sees_of_a_teacher_is_all_in_the_teachers_export(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        share_case(session, school.teacher, made.case_id, school.coach.id, NOW)
        record_review(session, school.coach, made.case_id, made.ranking_id, TRY_FIRST, now=NOW)
        cycle_id = begin_cycle(session, school, made)
        share_cycle(session, school.teacher, cycle_id, school.coach.id, NOW)
        add_check_in(session, school.coach, cycle_id, date(2026, 11, 9), 2, note="Going well")
        add_follow_up(session, school.coach, cycle_id, "baseline", date(2026, 11, 4), 1, 4, note="Few hands")
        view = get_case(session, school.coach, made.case_id)
        seen = {
            "review": reviews_of(session, school.coach, made.case_id)[0].changes[0].why,
            "choice": choices_of(session, school.coach, made.case_id)[0].id,
            "check-in": check_ins_of(session, school.coach, cycle_id)[0].note,
            "follow-up": follow_ups_of(session, school.coach, cycle_id)[0].note,
            "struggle": view.struggle,
            "reason": view.rankings[0].ranking.suggestions[0].reasons[1].text,
        }
        exported = json.dumps(export_person(session, school.teacher, school.teacher.id))
        assert reviews_of(session, school.teacher, made.case_id) == reviews_of(session, school.coach, made.case_id)
    assert seen["review"] == "You asked for time, [name] needs it"
    for said in seen.values():
        assert json.dumps(said)[1:-1] in exported


def test_the_queue_says_new_changed_and_waiting_and_a_choice_takes_the_case_out(database, school: School) -> None:
    teacher, coach = school.teacher, school.coach

    def queue(session, state=None):
        return [(entry.state, entry.queued_at) for entry in coach_queue(session, coach, state=state).items]

    with database.write() as session:
        made = stored(session, teacher)
        assert queue(session) == []
        share_case(session, teacher, made.case_id, coach.id, NOW)
        assert queue(session) == [("new", NOW)]
        add_ranking(session, teacher, made.case_id, a_ranking(), now=NOW + timedelta(hours=1))
        assert queue(session) == [("new", NOW)]
        record_review(session, coach, made.case_id, made.ranking_id, TRY_FIRST, now=NOW + timedelta(hours=2))
        assert queue(session) == [("waiting", NOW + timedelta(hours=2))]
        record_choice(session, teacher, made.case_id, made.ranking_id, "wait-time", "declined", now=NOW + timedelta(3))
        assert queue(session) == queue(session, "changed") == [("changed", NOW + timedelta(3))]
        assert queue(session, "new") == []
        record_choice(session, teacher, made.case_id, made.ranking_id, "cold-calling", "chosen", now=NOW + timedelta(4))
        assert queue(session) == []
        record_choice(
            session, teacher, made.case_id, made.ranking_id, "cold-calling", "declined", now=NOW + timedelta(5)
        )
        assert queue(session) == [("changed", NOW + timedelta(5))]
        revoke_case(session, teacher, made.case_id, coach.id)
        assert queue(session) == []
        share_case(session, teacher, made.case_id, coach.id, NOW + timedelta(6))
        assert queue(session) == [("changed", NOW + timedelta(6))]


def test_the_queue_is_by_date_across_teachers_and_goes_on_where_it_ended(database, school: School) -> None:
    with database.write() as session:
        teachers = [add_teacher(session, school, name) for name in ("Zoe", "Al", "Mo")]
        expected = []
        for day in (2, 0, 1):
            for teacher in teachers:
                made = stored(session, teacher)
                share_case(session, teacher, made.case_id, school.coach.id, NOW + timedelta(days=day))
                expected.append((NOW + timedelta(days=day), made.case_id))
    seen, after = [], None
    with database.read() as session:
        while True:
            page = coach_queue(session, school.coach, after=after, limit=2)
            seen += [(entry.queued_at, entry.case_id) for entry in page.items]
            if (after := page.next) is None:
                break
        with pytest.raises(NotAllowedError):
            coach_queue(session, school.teacher)
    assert seen == sorted(expected)


def test_a_review_fits_the_list_and_every_change_has_a_why(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        share_case(session, school.teacher, made.case_id, school.coach.id)
        for changes, problem in (
            ([], "0 changes"),
            ([SkillChange("wait-time", "move", 1, " ")], "no why"),
            ([SkillChange("exit-tickets", "keep")], "not on the list"),
            ([SkillChange("wait-time", "add", 1, "x")], "on the list"),
            ([SkillChange("be-nicer", "add", 1, "x")], "catalogue"),
            ([SkillChange("wait-time", "remove", 1, "x")], "rank"),
            ([SkillChange("wait-time", "move", 0, "x")], "rank below 1"),
            ([SkillChange("wait-time", "keep"), SkillChange("wait-time", "remove", None, "x")], "twice"),
        ):
            with pytest.raises(CaseError, match=problem):
                record_review(session, school.coach, made.case_id, made.ranking_id, changes)
        for nobody in (school.teacher, school.administrator, school.operator):
            with pytest.raises((NotAllowedError, NotFoundError)):
                record_review(session, nobody, made.case_id, made.ranking_id, TRY_FIRST)
        good = [SkillChange("exit-tickets", "add", 1, "Look at what they know"), *TRY_FIRST]
        one, two = (
            record_review(session, school.coach, made.case_id, made.ranking_id, good, idempotency_key="r")
            for _ in range(2)
        )
        assert one == two
        assert reviews_of(session, school.teacher, made.case_id)[0].changes[0] == good[0]


def test_a_cycle_begins_with_the_teachers_choice_and_only_one_is_open(database: Database, school: School) -> None:
    teacher = school.teacher
    with database.write() as session:
        made = stored(session, teacher)
        share_case(session, teacher, made.case_id, school.coach.id)
        ask = (made.case_id, made.ranking_id)
        declined = record_choice(session, teacher, *ask, "wait-time", "declined")
        chosen = record_choice(session, teacher, *ask, "cold-calling", "chosen")
        with pytest.raises(ConflictError, match="declined"):
            start_cycle(session, teacher, made.case_id, declined, date(2026, 11, 3))
        with pytest.raises(NotAllowedError):
            start_cycle(session, school.coach, made.case_id, chosen, date(2026, 11, 3))
        with pytest.raises(CaseError, match="weeks"):
            start_cycle(session, teacher, made.case_id, chosen, date(2026, 11, 3), weeks=27)
        cycle_id = start_cycle(session, teacher, made.case_id, chosen, date(2026, 11, 3), weeks=4)
        assert get_cycle(session, teacher, cycle_id).planned_end == date(2026, 12, 1)
        with pytest.raises(ConflictError, match="one skill at a time"):
            start_cycle(session, teacher, made.case_id, chosen, date(2026, 11, 3))
        with pytest.raises(CaseError):
            end_cycle(session, teacher, cycle_id, "open", date(2026, 12, 1))
        end_cycle(session, teacher, cycle_id, "finished", date(2026, 12, 1))
        assert start_cycle(session, teacher, made.case_id, chosen, date(2026, 12, 2)) != cycle_id
        assert session.scalar(select(func.count()).select_from(Cycle)) == 2


def test_a_look_at_a_lesson_sees_no_more_than_it_looked_for(database: Database, school: School) -> None:
    with database.write() as session:
        cycle_id = begin_cycle(session, school, stored(session, school.teacher))
        for seen, looked_for in ((5, 4), (-1, 4), (0, 0)):
            with pytest.raises(CaseError):
                add_follow_up(session, school.teacher, cycle_id, "baseline", date(2026, 11, 4), seen, looked_for)
        with pytest.raises(CaseError):
            add_check_in(session, school.teacher, cycle_id, date(2026, 11, 4), 101)
        ids = {add_check_in(session, school.teacher, cycle_id, date(2026, 11, 4), 3, idempotency_key="x") for _ in "ab"}
        assert len(ids) == len(check_ins_of(session, school.teacher, cycle_id)) == 1


def test_a_teacher_without_the_role_of_coach_sees_no_shared_case(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        share_case(session, school.teacher, made.case_id, school.coach.id)
        without = Actor(school.tenant_id, "person", school.coach.id, roles=frozenset({"teacher"}))
        with pytest.raises(NotFoundError):
            get_case(session, without, made.case_id)


def test_people_of_two_schools_never_meet(database: Database, school: School) -> None:
    with database.write() as session:
        other = make_school(session, "South")
        made = stored(session, school.teacher)
        with pytest.raises(NotFoundError):
            share_case(session, school.teacher, made.case_id, other.coach.id)
        with pytest.raises(NotFoundError):
            create_link(session, other.operator, other.coach.id, school.teacher.id)
