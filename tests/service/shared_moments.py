"""Moments of the school's teachers, ranked by the real model and shared with a coach."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from page_reading import form
from school_app import STRUGGLE, SchoolApp
from stored_scores import LOOK, VALUES

from recommender.cases import Case
from recommender.observations import scores as columns
from service.casework import Casework
from service.store.cases import StoredCase, get_case
from service.store.contests import raise_contest
from service.store.reviews import reviews_of
from service.store.shares import share_case

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
CONTEXT = {"grade_band": "middle", "subject": "science", "minutes_per_week": 60}
SEEN = [
    {
        "instrument": LOOK[columns.INSTRUMENT], "item": item, "value": value,
        "observed_on": LOOK[columns.OBSERVED_ON], "observer": LOOK[columns.OBSERVER], "visit": LOOK[columns.VISIT],
    }
    for item, value in VALUES.items()
]  # fmt: skip


def casework(school_app: SchoolApp) -> Casework:
    state = school_app.app.state
    return Casework(school_app.database, state.model, state.metrics)


def open_moment(
    school_app: SchoolApp,
    who: str = "teacher",
    coaches: tuple[str, ...] = ("coach",),
    struggle: str = STRUGGLE,
    now: datetime = NOW,
    **fields: Any,
) -> StoredCase:
    """A moment of a teacher, shared with these coaches at once."""
    teacher = school_app.people[who]
    asked = Case.model_validate({"case_id": "m1", "struggle": struggle, "context": CONTEXT} | fields)
    opened = casework(school_app).open_case(teacher, asked, now=now)
    with school_app.database.write() as session:
        for coach in coaches:
            share_case(session, teacher, opened.case_id, school_app.people[coach].id, now)
    return opened


def path_of(opened):
    return f"/coach/moments/{opened.case_id}"


def ranking_of(school_app, opened):
    with school_app.database.read() as session:
        return get_case(session, school_app.people["teacher"], opened.case_id).rankings[-1].ranking


def skills_of(school_app, opened):
    return [suggestion.skill_id for suggestion in ranking_of(school_app, opened).suggestions]


def reviews(school_app, opened):
    with school_app.database.read() as session:
        return reviews_of(session, school_app.people["teacher"], opened.case_id)


def form_of(page):
    return form(page.text, "/reviews").fields


def send(browser, opened, **changes):
    """Send the review form as it is on the page, but for these fields; the answer."""
    fields = form_of(browser.get(path_of(opened))) | {name.replace("_", "-"): value for name, value in changes.items()}
    return browser.post(f"{path_of(opened)}/reviews", data={**fields, "agree": changes.get("agree", "")})


def contest(school_app, opened, why="That is not what happened."):
    with school_app.database.write() as session:
        return raise_contest(
            session, school_app.people["teacher"], opened.case_id,
            about="suggestion", about_id=opened.ranking_id, skill_id=skills_of(school_app, opened)[0], why=why,
        )  # fmt: skip
