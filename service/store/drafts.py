"""What a teacher has begun to write: one draft each, redacted and sealed like every text, and gone after some weeks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from recommender.cases import MAX_STRUGGLE_CHARACTERS, Context, describe_problem
from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError
from service.store.tables.care import Draft as DraftRow
from service.store.text_vault import Place, delete_texts, in_steps, read_text, write_texts

# Long enough for a half-term break; what lies longer is not going to be sent.
KEPT_FOR = timedelta(days=30)
CONTEXT_FIELDS = ("grade_band", "subject", "minutes_per_week")


@dataclass(frozen=True)
class Draft:
    """A draft as its teacher finds it again. ``struggle`` is redacted, at most 4,000 characters."""

    struggle: str
    context: dict[str, Any]
    saved_at: datetime


def save_draft(
    session: StoreSession, actor: Actor, struggle: str, context: Mapping[str, Any], now: datetime | None = None
) -> None:
    """Keep what a teacher has written and tapped so far, in place of what was kept before; nothing at all deletes it.

    ``context``: any of grade_band, subject and minutes_per_week, as in a case. Raises NotAllowedError for anybody but
    a teacher, CaseError for an overlong text or a context a case could not have.
    """
    _require_teacher(actor)
    if len(struggle) > MAX_STRUGGLE_CHARACTERS:
        raise CaseError(f"a draft of {len(struggle)} characters", wanted=f"at most {MAX_STRUGGLE_CHARACTERS}")
    tapped = _tapped(context)
    if not struggle.strip() and not tapped:
        drop_draft(session, actor)
        return
    moment = now or utc_now()
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgres_insert
    row = {"context": tapped, "saved_at": moment}
    # First the row: two tabs that save at once wait for each other here.
    session.execute(
        insert(DraftRow)
        .values(tenant_id=actor.tenant_id, person_id=actor.id, **row)
        .on_conflict_do_update(index_elements=[DraftRow.tenant_id, DraftRow.person_id], set_=row)
    )
    # Saved every few seconds: emptying the log each time would cost more than the saving.
    delete_texts(session, actor.tenant_id, "draft", [actor.id], for_good=False)
    write_texts(session, _place(actor), [struggle], moment)
    session.flush()


def read_draft(session: StoreSession, actor: Actor) -> Draft | None:
    """The draft of the teacher who asks, if there is one; None for anybody who is no person."""
    if actor.kind != "person":
        return None
    row = session.scalar(
        select(DraftRow)
        .where(DraftRow.tenant_id == actor.tenant_id, DraftRow.person_id == actor.id)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    # Marks can make a text of the greatest length a little longer.
    struggle = (read_text(session, _place(actor)) or "")[:MAX_STRUGGLE_CHARACTERS]
    return Draft(struggle, row.context, row.saved_at)


def drop_draft(session: StoreSession, actor: Actor) -> None:
    """Delete the draft of the teacher who asks; without one nothing happens. Raises NotAllowedError for no teacher."""
    _require_teacher(actor)
    delete_drafts(session, actor.tenant_id, [actor.id])


def delete_drafts(session: StoreSession, tenant_id: str, person_ids: Sequence[str]) -> int:
    """Delete the drafts of people; how many texts there were. The caller has checked that it may."""
    for ids in in_steps(person_ids):
        session.execute(delete(DraftRow).where(DraftRow.tenant_id == tenant_id, DraftRow.person_id.in_(ids)))
    return delete_texts(session, tenant_id, "draft", person_ids)


def expire_drafts(session: StoreSession, tenant_id: str, now: datetime) -> int:
    """Delete the drafts of a tenant that have lain for more than 30 days; how many texts there were."""
    old = select(DraftRow.person_id).where(DraftRow.tenant_id == tenant_id, DraftRow.saved_at < now - KEPT_FOR)
    return delete_drafts(session, tenant_id, session.scalars(old.order_by(DraftRow.person_id)).all())


def _tapped(context: Mapping[str, Any]) -> dict[str, Any]:
    """What was tapped, as a case would hold it: read by the same rules, without what says nothing."""
    if not context.keys() <= set(CONTEXT_FIELDS):
        raise CaseError("a field no draft keeps", wanted=", ".join(CONTEXT_FIELDS), where="context")
    try:
        read = Context.model_validate(dict(context))
    except ValidationError as error:
        raise CaseError(**describe_problem(error), where="context") from None
    return read.model_dump(mode="json", include=set(CONTEXT_FIELDS), exclude_defaults=True)


def _place(actor: Actor) -> Place:
    return Place(actor.tenant_id, "draft", actor.id, "struggle")


def _require_teacher(actor: Actor) -> None:
    if actor.kind != "person" or "teacher" not in actor.roles:
        raise NotAllowedError("somebody else", wanted="a teacher")
