"""A practice as it stands some weeks after a teacher chose it."""

from __future__ import annotations

from datetime import timedelta

from school_app import STRUGGLE, SchoolApp

from recommender.cases import Case
from service.store.cases import store_case
from service.store.choices import record_choice
from service.store.cycles import start_cycle
from service.store.database import utc_now


def begin_practice(
    school_app: SchoolApp, who: str = "teacher", *, days_ago: int = 0, weeks: int = 6, skill: str = "cold-calling"
) -> str:
    """A cycle that began so many days ago; its id."""
    actor = school_app.people[who]
    case = Case(case_id="c1", struggle=STRUGGLE)
    ranking = school_app.app.state.model.rank(case)
    with school_app.database.write() as session:
        stored = store_case(session, actor, case, ranking)
        choice = record_choice(session, actor, stored.case_id, stored.ranking_id, skill, "chosen")
        began = utc_now().date() - timedelta(days=days_ago)
        return start_cycle(session, actor, stored.case_id, choice, began, weeks=weeks)
