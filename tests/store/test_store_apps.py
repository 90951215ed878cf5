from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from store_rows import NOW, School, a_case, a_ranking, stored

from service.store.actors import Actor
from service.store.cases import add_ranking, get_case, store_case
from service.store.choices import case_of_choice, record_choice
from service.store.cycles import start_cycle
from service.store.database import Database
from service.store.errors import ConflictError, NotAllowedError, NotFoundError
from service.store.events import events_about
from service.store.observations import scores_of_tenant
from service.store.people import external_ids
from service.store.practice import add_check_in, add_follow_up, check_ins_of, follow_ups_of
from service.store.reviews import SkillChange, record_review
from service.store.shares import share_case

DAY = date(2026, 11, 5)


def app_of(school: School, name: str = "sis", *scopes: str) -> Actor:
    return Actor(school.tenant_id, "app", name, scopes=frozenset(scopes or ("score", "write")))  # type: ignore[arg-type]


def sent(session, school: School, app: Actor):
    return store_case(session, app, a_case(teacher_id="t-teacher"), a_ranking(), now=NOW)


def test_a_check_in_an_app_passes_on_is_the_teachers_and_the_record_names_the_app(
    database: Database, school: School
) -> None:
    app = app_of(school)
    with database.write() as session:
        made = sent(session, school, app)
        choice = record_choice(session, app, made.case_id, made.ranking_id, "wait-time", "chosen")
        assert case_of_choice(session, app, choice) == made.case_id
        cycle = start_cycle(session, app, made.case_id, choice, DAY)
        ids = {add_check_in(session, app, cycle, DAY, 2, idempotency_key="k") for _ in "ab"}
        add_follow_up(session, app, cycle, "baseline", DAY, 1, 4)
        assert [c.person_id for c in check_ins_of(session, school.teacher, cycle)] == [school.teacher.id]
        assert [f.observer_id for f in follow_ups_of(session, school.teacher, cycle)] == [school.teacher.id]
        made_by = [
            (event.actor_kind, event.actor_id)
            for event in events_about(session, school.teacher, school.teacher.id)
            if event.action in ("check_in.made", "follow_up.made")
        ]
    assert len(ids) == 1
    assert made_by == [("app", "sis")] * 2


def test_an_app_speaks_for_nobody_whose_case_it_did_not_send(database: Database, school: School) -> None:
    with database.write() as session:
        own = stored(session, school.teacher)
        choice = record_choice(session, school.teacher, own.case_id, own.ranking_id, "wait-time", "chosen")
        cycle = start_cycle(session, school.teacher, own.case_id, choice, DAY)
        for app in (app_of(school), app_of(school, "other", "admin")):
            with pytest.raises(NotFoundError):
                add_check_in(session, app, cycle, DAY, 2)
            with pytest.raises(NotFoundError):
                case_of_choice(session, app, choice)


def test_an_app_that_may_not_write_reads_what_it_sent_and_says_nothing(database: Database, school: School) -> None:
    writing, reading = app_of(school), app_of(school, "sis", "score")
    with database.write() as session:
        made = sent(session, school, writing)
        choice = record_choice(session, writing, made.case_id, made.ranking_id, "wait-time", "chosen")
        cycle = start_cycle(session, writing, made.case_id, choice, DAY)
        assert check_ins_of(session, reading, cycle) == []
        with pytest.raises(NotAllowedError):
            add_check_in(session, reading, cycle, DAY, 2)


def test_a_review_an_app_passes_on_takes_the_apps_key_and_the_record_names_both(
    database: Database, school: School
) -> None:
    app = app_of(school)
    with database.write() as session:
        made = sent(session, school, app)
        ask = (school.coach, made.case_id, made.ranking_id, [SkillChange("wait-time", "keep")])
        with pytest.raises(NotFoundError):
            record_review(session, *ask, by_app=app)
        share_case(session, school.teacher, made.case_id, school.coach.id)
        one, same = (record_review(session, *ask, by_app=app, idempotency_key="k") for _ in range(2))
        own = record_review(session, *ask, idempotency_key="k")
        events = [e for e in events_about(session, school.teacher, school.teacher.id) if e.action == "review.made"]
    assert one == same != own
    assert [(event.actor_id, event.facts.get("app")) for event in events] == [
        (school.coach.id, "sis"), (school.coach.id, None),
    ]  # fmt: skip


def test_weeks_are_part_of_what_a_key_stands_for(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        ask = (session, school.teacher, made.case_id, made.ranking_id, "wait-time", "chosen")
        first = record_choice(*ask, weeks=4, idempotency_key="k")
        assert record_choice(*ask, weeks=4, idempotency_key="k") == first
        for weeks in (5, None):
            with pytest.raises(ConflictError):
                record_choice(*ask, weeks=weeks, idempotency_key="k")


def test_of_two_lists_ranked_on_one_state_of_a_case_only_the_first_is_kept(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)

    def decline(skill: str) -> bool:
        try:
            with database.write() as session:
                add_ranking(session, school.teacher, made.case_id, a_ranking(), declined=[skill], was_declined=[])
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(decline, ("wait-time", "cold-calling", "hinge-questions", "exit-tickets")))
    assert sum(kept) == 1
    with database.read() as session:
        view = get_case(session, school.teacher, made.case_id)
    assert (len(view.declined), len(view.rankings)) == (1, 2)


def test_people_are_called_as_files_call_them_and_only_within_their_tenant(database: Database, school: School) -> None:
    with database.read() as session:
        ids = [school.teacher.id, school.coach.id, "N" * 26]
        assert external_ids(session, school.tenant_id, ids) == {
            school.teacher.id: "t-teacher", school.coach.id: "t-coach",
        }  # fmt: skip
        assert external_ids(session, "N" * 26, ids) == {}


@pytest.mark.parametrize(("scopes", "may"), [(("admin",), True), (("score", "write"), False)])
def test_all_scores_are_for_an_app_that_administers(lite: Database, lite_school: School, scopes, may) -> None:
    with lite.read() as session:
        if may:
            assert scores_of_tenant(session, app_of(lite_school, "sis", *scopes)).empty
        else:
            with pytest.raises(NotAllowedError):
                scores_of_tenant(session, app_of(lite_school, "sis", *scopes))
