"""Keys of apps: shown once, kept as their SHA-256, with scopes and an end, replaced with an overlap."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from recommender.errors import CaseError
from service.store.actors import Actor, require_administrator
from service.store.database import StoreSession, utc_now
from service.store.errors import ConflictError, NotFoundError
from service.store.events import record
from service.store.tables.people import SCOPES, ApiKey, Scope
from service.ulid import new_ulid

PREFIX = "gr_"
SECRET_BYTES = 32
SHOWN_CHARACTERS = 10
DEFAULT_DAYS = 365
MOST_DAYS = 3 * 365
OVERLAP_DAYS = 7
_APP = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


@dataclass(frozen=True)
class NewKey:
    """A key at the only moment its secret is known. The secret is left out of its text."""

    id: str
    secret: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"NewKey(id={self.id!r}, secret='***')"


@dataclass(frozen=True)
class KeyView:
    """A key as an administrator may see it: the first characters tell it apart, the rest is not known."""

    id: str
    app: str
    shown_prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    replaced_by: str | None


def create_key(
    session: StoreSession,
    actor: Actor,
    app: str,
    scopes: Collection[Scope],
    *,
    days: int = DEFAULT_DAYS,
    now: datetime | None = None,
) -> NewKey:
    """Create a key for an app. All keys of one ``app`` are the same app: it sees the cases it sent with any of them.

    Raises NotAllowedError for anybody but an administrator, CaseError for a name, scope or number of days that cannot
    be used.
    """
    require_administrator(actor)
    if not _APP.fullmatch(app):
        raise CaseError(
            "an app's name that cannot be used", wanted="a-z, 0-9, dots and dashes, at most 60", where="app"
        )
    if not scopes or not set(scopes) <= set(SCOPES):
        raise CaseError("no scope or an unknown one", wanted=f"one of {', '.join(SCOPES)}", where="scopes")
    if not 1 <= days <= MOST_DAYS:
        raise CaseError(f"{days} days", wanted=f"1 to {MOST_DAYS}", where="days")
    moment = now or utc_now()
    secret, key_id = PREFIX + secrets.token_urlsafe(SECRET_BYTES), new_ulid()
    key = ApiKey(
        tenant_id=actor.tenant_id,
        id=key_id,
        app=app,
        shown_prefix=secret[:SHOWN_CHARACTERS],
        key_hash=key_hash(secret),
        scopes=sorted(set(scopes)),
        created_at=moment,
        expires_at=moment + timedelta(days=days),
    )
    session.add(key)
    session.flush()
    record(session, actor, "key.created", key_id, now=moment, app=app)
    return NewKey(key_id, secret, key.expires_at)


def rotate_key(
    session: StoreSession,
    actor: Actor,
    key_id: str,
    *,
    overlap_days: int = OVERLAP_DAYS,
    days: int = DEFAULT_DAYS,
    now: datetime | None = None,
) -> NewKey:
    """Give an app a new key with the same scopes; the old one ends after ``overlap_days`` (0: at once), never later.

    Raises NotFoundError for a key that is not the tenant's, ConflictError for one that is no longer valid or was
    replaced before, CaseError for a negative overlap.
    """
    require_administrator(actor)
    moment, old = now or utc_now(), _row(session, actor, key_id)
    if overlap_days < 0:
        raise CaseError("a negative overlap", wanted="0 days or more")
    if old.replaced_by is not None or not _is_valid(old, moment):
        raise ConflictError("a key that has ended or was replaced", wanted="the app's latest key")
    new = create_key(session, actor, old.app, old.scopes, days=days, now=moment)
    old.replaced_by = new.id
    old.expires_at = min(old.expires_at, moment + timedelta(days=overlap_days))
    record(session, actor, "key.rotated", key_id, now=moment, replaced_by=new.id)
    return new


def revoke_key(session: StoreSession, actor: Actor, key_id: str, now: datetime | None = None) -> None:
    """End a key at once. Raises NotFoundError for a key that is not the tenant's."""
    require_administrator(actor)
    key = _row(session, actor, key_id)
    if key.revoked_at is None:
        key.revoked_at = now or utc_now()
        record(session, actor, "key.revoked", key_id, now=key.revoked_at)


def list_keys(session: StoreSession, actor: Actor) -> list[KeyView]:
    """All keys of the tenant, ended ones too, in the order they were made; for administrators."""
    require_administrator(actor)
    rows = session.scalars(select(ApiKey).where(ApiKey.tenant_id == actor.tenant_id).order_by(ApiKey.id))
    return [
        KeyView(
            row.id,
            row.app,
            row.shown_prefix,
            tuple(row.scopes),
            row.created_at,
            row.expires_at,
            row.revoked_at,
            row.replaced_by,
        )
        for row in rows
    ]


def authenticate(session: StoreSession, secret: str, now: datetime | None = None) -> Actor | None:
    """The app behind a key, or None for a key that is unknown, expired or revoked.

    The one query without a tenant: the key says which tenant it is. The hash is looked up, so the time it takes says
    nothing about the key.
    """
    if not secret.startswith(PREFIX) or len(secret) > 100:
        return None
    key = session.scalar(select(ApiKey).where(ApiKey.key_hash == key_hash(secret)))
    if key is None or not _is_valid(key, now or utc_now()):
        return None
    return Actor(key.tenant_id, "app", key.app, scopes=frozenset(key.scopes))


def key_hash(secret: str) -> str:
    """SHA-256 of a key, in hex: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _is_valid(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and now < key.expires_at


def _row(session: StoreSession, actor: Actor, key_id: str) -> ApiKey:
    key = session.get(ApiKey, (actor.tenant_id, key_id))
    if key is None:
        raise NotFoundError("key")
    return key
