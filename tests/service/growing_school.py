"""A busy school some months on: more of everything that a list can hold, in the same places as before."""

from __future__ import annotations

from datetime import timedelta

from busy_school import BusySchool
from school_app import STRUGGLE
from stored_scores import add_scores

from recommender.cases import Case
from service.store.actors import operator, person_actor
from service.store.alerts import raise_alert
from service.store.cases import add_ranking, get_case, store_case
from service.store.choices import record_choice
from service.store.contests import raise_contest
from service.store.cycles import start_cycle
from service.store.database import utc_now
from service.store.keys import create_key
from service.store.links import create_link
from service.store.people import create_person
from service.store.practice import add_check_in, add_follow_up
from service.store.reviews import SkillChange, record_review
from service.store.shares import share_case, share_cycle

MORE = 6


def grow(busy: BusySchool, term: str) -> None:
    """Six more of everything: coaches of the teacher with their words, teachers of the coach, moments, practice, keys.

    ``term`` tells what is added from what another call added.
    """
    _add_coaches(busy)
    _add_teachers(busy)
    _add_moments(busy)
    add_scores(busy.school, visit=term)
    people = busy.school.people
    with busy.school.database.write() as session:
        root = operator(session, busy.school.tenant_id)
        for number in range(MORE):
            create_key(session, root, f"{term}-{number}", ["score"])
            raise_alert(session, people["teacher"], people["teacher"].id)


def _add_coaches(busy: BusySchool) -> None:
    """Coaches who see the one moment and the one practice, and say something to each."""
    school, ids, today = busy.school, busy.ids, utc_now().date()
    teacher = school.people["teacher"]
    with school.database.write() as session:
        root = operator(session, school.tenant_id)
        ranking = get_case(session, teacher, ids["moment"]).rankings[-1].ranking
        for number in range(MORE):
            coach_id = create_person(session, root, f"Coach {number}", ["coach"])
            create_link(session, root, coach_id, teacher.id)
            share_case(session, teacher, ids["moment"], coach_id)
            share_cycle(session, teacher, ids["cycle"], coach_id)
            coach = person_actor(session, school.tenant_id, coach_id)
            change = SkillChange(ids["skill_1"], "remove", why="They have that already.")
            record_review(session, coach, ids["moment"], str(ranking.ranking_id), [change])
            add_check_in(session, coach, ids["cycle"], today, 2, note="It went well.")
            add_follow_up(session, coach, ids["cycle"], "baseline", today, 1, 4, note="One sign.")
            raise_contest(
                session, teacher, ids["moment"], about="suggestion", about_id=ids["moment_ranking"],
                why="That is not what happens.",
            )  # fmt: skip
            shown = ranking.model_copy(update={"ranking_id": None})
            add_ranking(session, teacher, ids["moment"], shown, declined=[ids["skill_2"]])


def _add_teachers(busy: BusySchool) -> None:
    """Teachers of the same coach, each with something shared."""
    school = busy.school
    ranking = school.app.state.model.rank(Case(case_id="c1", struggle=STRUGGLE))
    with school.database.write() as session:
        root = operator(session, school.tenant_id)
        for number in range(MORE):
            teacher_id = create_person(session, root, f"Teacher {number}", ["teacher"])
            create_link(session, root, school.people["coach"].id, teacher_id)
            teacher = person_actor(session, school.tenant_id, teacher_id)
            shown = ranking.model_copy(update={"ranking_id": None})
            stored = store_case(session, teacher, Case(case_id="c", struggle=STRUGGLE), shown)
            share_case(session, teacher, stored.case_id, school.people["coach"].id)
            raise_contest(
                session, teacher, stored.case_id, about="suggestion", about_id=stored.ranking_id,
                why="That is not what happens.",
            )  # fmt: skip
            choice = record_choice(
                session, teacher, stored.case_id, stored.ranking_id, busy.ids["skill_1"], "chosen"
            )  # fmt: skip
            cycle = start_cycle(session, teacher, stored.case_id, choice, utc_now().date())
            share_cycle(session, teacher, cycle, school.people["coach"].id)
            raise_alert(session, teacher, teacher_id)


def _add_moments(busy: BusySchool) -> None:
    """Earlier moments of the teacher, shared with the coach; for every second one a skill was chosen."""
    school = busy.school
    coach, teacher, before = school.people["coach"], school.people["teacher"], utc_now() - timedelta(days=300)
    ranking = school.app.state.model.rank(Case(case_id="c1", struggle=STRUGGLE))
    with school.database.write() as session:
        for number in range(MORE):
            moment = before + timedelta(days=number)
            shown = ranking.model_copy(update={"ranking_id": None})
            asked = Case(case_id=f"c{number}", struggle=STRUGGLE)
            stored = store_case(session, teacher, asked, shown, now=moment)
            share_case(session, teacher, stored.case_id, coach.id, moment)
            if number % 2:
                # What was chosen leaves the coach's queue, what was not stays in it.
                continue
            record_choice(
                session, teacher, stored.case_id, stored.ranking_id, busy.ids["skill_1"], "chosen", now=moment
            )  # fmt: skip
            raise_contest(
                session, teacher, stored.case_id, about="suggestion", about_id=stored.ranking_id,
                why="That is not what happens.", now=moment,
            )  # fmt: skip
