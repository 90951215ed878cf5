"""Texts are deleted some months after the cycle they led to; the decision log, which holds no text, stays."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Select, delete, func, or_, select, update

from recommender.errors import SettingsError
from service.store.actors import operator
from service.store.database import Database, StoreSession, utc_now
from service.store.deletion import delete_case_texts
from service.store.drafts import expire_drafts
from service.store.events import record
from service.store.idempotency import forget_old_keys
from service.store.sign_in import forget_old_sign_ins
from service.store.tables.care import Alert
from service.store.tables.cases import Case
from service.store.tables.cycles import Cycle
from service.store.tables.events import Event
from service.store.tables.people import Tenant
from service.store.tables.texts import StoredText
from service.store.text_vault import in_steps

# A year without a word from anybody is a quiet school; more is a clock that is wrong, and what it deletes is gone.
LONGEST_SILENCE = timedelta(days=400)


@dataclass(frozen=True)
class Expired:
    """How much of a tenant was deleted."""

    tenant_id: str
    cases: int
    texts: int


def run_retention(
    database: Database, months: int, now: datetime | None = None, *, trust_clock: bool = False
) -> list[Expired]:
    """Delete the texts whose time is over, one transaction a tenant; ``months`` is for tenants without a number.

    A case's time runs from the end of its last cycle (the planned end while it is open), without a cycle from the last
    change; a score's note from its import; an alert's from when it was raised. A draft has 30 days.

    Raises SettingsError, before anything is deleted, when ``now`` is more than 400 days after the newest event, unless
    ``trust_clock`` says that nobody was there for so long.
    """
    moment = now or utc_now()
    with database.read() as session:
        if not trust_clock:
            _refuse_wrong_clock(session, moment)
        tenants = session.execute(select(Tenant.id, Tenant.retention_months).order_by(Tenant.id)).all()
    done = []
    for tenant_id, own_months in tenants:
        with database.write() as session:
            done.append(expire_texts(session, tenant_id, own_months or months, moment))
    return done


def _refuse_wrong_clock(session: StoreSession, now: datetime) -> None:
    newest = session.scalar(select(func.max(Event.at)))
    if newest is not None and now - newest > LONGEST_SILENCE:
        raise SettingsError(
            f"a clock that says {now:%Y-%m-%d}, {(now - newest).days} days after the newest event",
            wanted=f"at most {LONGEST_SILENCE.days} days: what is deleted cannot be brought back",
            way_out="Set the machine's clock; if it is right and nobody was there so long, add --trust-clock.",
        )


def expire_texts(session: StoreSession, tenant_id: str, months: int, now: datetime) -> Expired:
    """Delete the texts of a tenant whose time is over."""
    last_day = months_before(now.astimezone(UTC).date(), months)
    cutoff = datetime(last_day.year, last_day.month, last_day.day, tzinfo=UTC)
    cases = session.scalars(_expired_cases(tenant_id, last_day, cutoff)).all()
    texts = delete_case_texts(session, tenant_id, cases) + _delete_old_notes(session, tenant_id, cutoff)
    texts += expire_drafts(session, tenant_id, now)
    session.execute(delete(Alert).where(Alert.tenant_id == tenant_id, Alert.raised_at < cutoff))
    for ids in in_steps(cases):
        session.execute(update(Case).where(Case.tenant_id == tenant_id, Case.id.in_(ids)).values(texts_deleted_at=now))
    forget_old_keys(session, tenant_id, now)
    forget_old_sign_ins(session, tenant_id, now)
    if cases or texts:
        actor = operator(session, tenant_id)
        record(session, actor, "texts.expired", tenant_id, now=now, cases=len(cases), texts=texts)
    return Expired(tenant_id, len(cases), texts)


def months_before(day: date, months: int) -> date:
    """The day so many months earlier; the last of the month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _expired_cases(tenant_id: str, last_day: date, cutoff: datetime) -> Select[str]:
    ended = func.max(func.coalesce(Cycle.ended_on, Cycle.planned_end)).label("ended")
    cycles = select(Cycle.case_id, ended).where(Cycle.tenant_id == tenant_id).group_by(Cycle.case_id).subquery()
    return (
        select(Case.id)
        .outerjoin(cycles, cycles.c.case_id == Case.id)
        .where(
            Case.tenant_id == tenant_id,
            # What changed since may have brought a new text, a contest's or a review's: it has its own months.
            or_(
                Case.texts_deleted_at.is_(None),
                (Case.texts_deleted_at < Case.changed_at) & (Case.changed_at < cutoff),
            ),
            or_(cycles.c.ended < last_day, cycles.c.ended.is_(None) & (Case.changed_at < cutoff)),
        )
        .order_by(Case.id)
    )


def _delete_old_notes(session: StoreSession, tenant_id: str, cutoff: datetime) -> int:
    gone = session.execute(
        delete(StoredText)
        .where(StoredText.tenant_id == tenant_id, StoredText.subject_kind == "score", StoredText.written_at < cutoff)
        .returning(StoredText.id)
    )
    return len(gone.all())
