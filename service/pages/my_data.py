"""What is kept about the person who asks: what it is, who sees it, what happened; taking it along, and deleting it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from recommender.catalogue.loader import load_catalogue
from service.access.cookies import clear_cookie
from service.access.signed_in import AnyoneSignedIn
from service.pages.cards import skill_name
from service.pages.consents import own_switches
from service.pages.posted import SentFields
from service.pages.practice_view import names_of
from service.pages.render import page
from service.pages.strings import page_strings
from service.state import ServiceSettings, StoreDatabase
from service.store.active_shares import active_shares, linked_coaches
from service.store.actors import Actor
from service.store.consents import consents_of, scopes_in_force
from service.store.database import StoreSession, utc_now
from service.store.deletion import delete_person
from service.store.drafts import read_draft
from service.store.events import EventView, latest_events_about, record
from service.store.export import export_person
from service.store.observations import kept_scores
from service.store.people import get_person, get_tenant

PATH = "/my-data"
LATEST_EVENTS = 50
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class EventLine:
    """One event in words."""

    at: datetime
    text: str


@router.get(PATH)
def show_my_data(
    request: Request, me: AnyoneSignedIn, database: StoreDatabase, settings: ServiceSettings, done: str = ""
) -> HTMLResponse:
    """What is kept, who sees it and what happened, with the ways to stop sharing, take it along and delete it."""
    with database.read() as session:
        person, tenant = get_person(session, me.actor, me.actor.id), get_tenant(session, me.actor)
        return page(
            request, "my_data.html", me,
            person=person,
            draft=read_draft(session, me.actor),
            scores=kept_scores(session, me.actor).rows,
            shares=[
                (share, None if share.skill_id is None else skill_name(share.skill_id, load_catalogue()))
                for share in active_shares(session, me.actor)
            ],
            coaches=linked_coaches(session, me.actor),
            consents=own_switches(session, me.actor),
            school_agrees=scopes_in_force(consents_of(session, me.actor, of_tenant=True)),
            done=page_strings()["my_data"]["done"].get(done),
            events=_latest_events(session, me.actor),
            months=tenant.retention_months or settings.retention_months,
        )  # fmt: skip


@router.get(PATH + "/export")
def export_my_data(me: AnyoneSignedIn, database: StoreDatabase) -> Response:
    """Everything about the person who asks as a JSON file."""
    moment = utc_now()
    with database.read() as session:
        document = export_person(session, me.actor, me.actor.id, moment)
    with database.write() as session:
        record(session, me.actor, "person.exported", me.actor.id, person_id=me.actor.id, now=moment)
    return Response(
        json.dumps(document, ensure_ascii=False, indent=1),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="my-data-{moment.date().isoformat()}.json"'},
    )


@router.post(PATH + "/delete")
def delete_my_data(
    request: Request, me: AnyoneSignedIn, sent: SentFields, database: StoreDatabase, settings: ServiceSettings
) -> Response:
    """Delete everything about the person who asks, once they have said so twice, and sign them out."""
    if sent.get("sure") != "yes":
        return page(request, "my_data_delete.html", me)
    with database.write() as session:
        delete_person(session, me.actor, me.actor.id)
    # There is no session left that a page after this one could belong to.
    answer = page(request, "my_data_deleted.html", None)
    clear_cookie(answer, settings)
    return answer


def _latest_events(session: StoreSession, actor: Actor) -> list[EventLine]:
    """The latest events that concern the person, newest first."""
    latest = latest_events_about(session, actor, actor.id, LATEST_EVENTS)
    names = names_of(session, actor, _people_in(latest))
    return [EventLine(event.at, event_words(event, names)) for event in latest]


def _people_in(events: Sequence[EventView]) -> set[str]:
    """Ids of the people named in events: who acted, and whom something was shared with."""
    actors = {event.actor_id for event in events if event.actor_kind == "person"}
    return actors | {str(event.facts["coach"]) for event in events if "coach" in event.facts}


def event_words(event: EventView, names: dict[str, str]) -> str:
    """An event as a sentence; ``names`` are those the reader may know."""
    texts = page_strings()["my_data"]
    if event.actor_kind == "person":
        who = names.get(event.actor_id, texts["somebody"])
    else:
        who = texts["app"].format(name=event.actor_id) if event.actor_kind == "app" else texts["operator"]
    coach = names.get(str(event.facts.get("coach", "")), texts["a_coach"])
    skill = skill_name(str(event.facts["skill"]), load_catalogue()) if "skill" in event.facts else ""
    key = event.action.replace(".", "_")
    if event.action == "choice.made":
        key += f"_{event.facts.get('decision', 'declined')}"
    if "consent" in event.action:
        key += f"_{event.facts.get('scope', 'decisions')}"
    sentence: str = texts["events"][key].format(who=who, coach=coach, skill=skill)
    return sentence[:1].upper() + sentence[1:]
