"""Deletion on request: a case, a person. What is left are events that say it happened, without a word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.drafts import delete_drafts
from service.store.errors import NotFoundError
from service.store.events import record
from service.store.idempotency import forget_keys_of, forget_keys_that_made
from service.store.tables.care import Alert, Contest
from service.store.tables.cases import Case, Choice, RankingShown, Review
from service.store.tables.consents import Consent
from service.store.tables.cycles import CheckIn, Cycle, FollowUp
from service.store.tables.observations import ScoreRow
from service.store.tables.people import Person
from service.store.tables.sign_in import SignInLink
from service.store.tables.texts import SubjectKind
from service.store.text_vault import delete_texts, in_steps
from service.store.visibility import own

# Rows of other teachers that name the person who made them or looked at them.
_SIGNED: tuple[tuple[Any, str], ...] = (
    (Review, "coach_id"),
    (CheckIn, "person_id"),
    (FollowUp, "observer_id"),
    (Contest, "answered_by"),
    (Alert, "seen_by"),
    (Consent, "given_by"),
    (SignInLink, "issued_by"),
)


def delete_case(session: StoreSession, actor: Actor, case_id: str, now: datetime | None = None) -> None:
    """Delete a case with its rankings, choices, reviews, contests, cycles and every text of them.

    A safeguarding alert stays, without the case: somebody may need help whose lead has not looked yet.
    Raises NotFoundError when the actor does not see it, NotAllowedError when it is somebody else's.
    """
    case = own(session, actor, Case, case_id)
    teacher_id = case.teacher_id
    session.execute(
        update(Alert).where(Alert.tenant_id == actor.tenant_id, Alert.case_id == case_id).values(case_id=None)
    )
    _delete_cases(session, actor.tenant_id, [case_id])
    record(session, actor, "case.deleted", case_id, person_id=teacher_id, now=now or utc_now())


def delete_person(session: StoreSession, actor: Actor, person_id: str, now: datetime | None = None) -> None:
    """Delete a person and all that is theirs: cases, cycles, scores, drafts, alerts, texts, links.

    For themselves and the operator. Reviews, check-ins, looks at lessons and answers they made for other teachers
    belong to those teachers too: they stay, without a name. In scores of other teachers an observer stays the pseudonym
    of the file. Raises NotFoundError for anybody else.
    """
    person = session.get(Person, (actor.tenant_id, person_id))
    is_theirs = actor.kind == "operator" or (actor.kind == "person" and actor.id == person_id)
    if person is None or not is_theirs:
        raise NotFoundError("person")
    of_tenant = actor.tenant_id
    cases = session.scalars(select(Case.id).where(Case.tenant_id == of_tenant, Case.teacher_id == person_id)).all()
    _delete_cases(session, of_tenant, cases)
    if person.external_id is not None:
        _delete_scores(session, of_tenant, person.external_id)
    delete_drafts(session, of_tenant, [person_id])
    for table, column in _SIGNED:
        of_person: Any = getattr(table, column) == person_id
        session.execute(update(table).where(table.tenant_id == of_tenant, of_person).values({column: None}))
    forget_keys_of(session, of_tenant, f"person:{person_id}")
    session.execute(delete(Person).where(Person.tenant_id == of_tenant, Person.id == person_id))
    session.expire_all()
    record(
        session, actor, "person.deleted", person_id, person_id=person_id, now=now or utc_now(), cases=len(cases)
    )  # fmt: skip


def delete_case_texts(session: StoreSession, tenant_id: str, case_ids: Sequence[str]) -> int:
    """Delete every text of cases and of what belongs to them, and the hashes a text could be guessed by; how many."""
    deleted = 0
    for ids in in_steps(case_ids):
        for kind, subjects in _subjects(session, tenant_id, ids).items():
            deleted += delete_texts(session, tenant_id, kind, subjects)
            # Their fingerprints are hashes of the same texts.
            forget_keys_that_made(session, tenant_id, subjects)
        session.execute(
            update(RankingShown)
            .where(RankingShown.tenant_id == tenant_id, RankingShown.case_id.in_(ids))
            .values(input_hash=None)
        )
    return deleted


def _subjects(session: StoreSession, tenant_id: str, case_ids: Sequence[str]) -> dict[SubjectKind, Sequence[str]]:
    """Ids of all that can have a text and belongs to the cases."""
    of_cases: dict[SubjectKind, Any] = {"ranking": RankingShown, "choice": Choice, "review": Review, "contest": Contest}
    found: dict[SubjectKind, Sequence[str]] = {"case": case_ids}
    for kind, table in of_cases.items():
        query = select(table.id).where(table.tenant_id == tenant_id, table.case_id.in_(case_ids))
        found[kind] = session.scalars(query).all()
    cycles = select(Cycle.id).where(Cycle.tenant_id == tenant_id, Cycle.case_id.in_(case_ids))
    of_cycles: dict[SubjectKind, Any] = {"check_in": CheckIn, "follow_up": FollowUp}
    for kind, table in of_cycles.items():
        query = select(table.id).where(table.tenant_id == tenant_id, table.cycle_id.in_(cycles))
        found[kind] = session.scalars(query).all()
    return found


def _delete_cases(session: StoreSession, tenant_id: str, case_ids: Sequence[str]) -> None:
    delete_case_texts(session, tenant_id, case_ids)
    for ids in in_steps(case_ids):
        session.execute(delete(Case).where(Case.tenant_id == tenant_id, Case.id.in_(ids)))
    session.expire_all()


def _delete_scores(session: StoreSession, tenant_id: str, external_id: str) -> None:
    of_person = ScoreRow.tenant_id == tenant_id, ScoreRow.teacher_id == external_id
    rows = session.scalars(select(ScoreRow.id).where(*of_person)).all()
    delete_texts(session, tenant_id, "score", rows)
    session.execute(delete(ScoreRow).where(*of_person))
