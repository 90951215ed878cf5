"""A request sent twice with the same key is one request: the second is told what the first made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.database import StoreSession
from service.store.errors import ConflictError
from service.store.tables.events import IdempotencyKey
from service.store.text_vault import in_steps

MAX_KEY_CHARACTERS = 100
# A client that has not asked again within a week will not.
KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Claim:
    """What is to be made: under ``id`` now, or ``is_known`` when it was made before."""

    id: str
    is_known: bool


def claim(session: StoreSession, actor: Actor, key: str | None, content: Any, new_id: str, now: datetime) -> Claim:
    """Take ``new_id`` for this key, or the id it made the first time. Without a key everything is new.

    ``content`` is what was sent, as JSON. Raises ConflictError when the key came with something else before, CaseError
    for a key of more than 100 characters.
    """
    if key is None:
        return Claim(new_id, is_known=False)
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS or not key.isprintable():
        raise CaseError(
            f"an idempotency key of {len(key)} characters", wanted=f"1 to {MAX_KEY_CHARACTERS} printable ones"
        )
    who = f"{actor.kind}:{actor.id}"
    values = {
        "tenant_id": actor.tenant_id,
        "actor": who,
        "key": key,
        "fingerprint": _fingerprint(content),
        "made_id": new_id,
        "used_at": now,
    }
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgres_insert
    # Waits for another transaction with the same key, so that only one of them makes something.
    session.execute(insert(IdempotencyKey).values(values).on_conflict_do_nothing())
    first = session.execute(
        select(IdempotencyKey.made_id, IdempotencyKey.fingerprint).where(
            IdempotencyKey.tenant_id == actor.tenant_id, IdempotencyKey.actor == who, IdempotencyKey.key == key
        )
    ).one()
    if first.fingerprint != values["fingerprint"]:
        raise ConflictError("an idempotency key used for something else", wanted="a new key for a new request")
    return Claim(first.made_id, is_known=first.made_id != new_id)


def forget_old_keys(session: StoreSession, tenant_id: str, now: datetime) -> None:
    """Delete keys that are older than a week: a fingerprint is not kept longer than it is needed."""
    session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.used_at < now - KEPT_FOR)
    )


def forget_keys_of(session: StoreSession, tenant_id: str, who: str) -> None:
    """Delete the keys of an actor, given as ``<kind>:<id>``."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.actor == who))


def forget_keys_that_made(session: StoreSession, tenant_id: str, made_ids: Sequence[str]) -> None:
    """Delete the keys under which these rows were made."""
    for ids in in_steps(made_ids):
        session.execute(
            delete(IdempotencyKey).where(IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.made_id.in_(ids))
        )


def _fingerprint(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
