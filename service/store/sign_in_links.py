"""Links that sign a person in once: made by an administrator, handed over, and worth nothing after that."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update

from recommender.errors import CaseError
from service.settings import Settings
from service.store.actors import Actor, person_actor, require_administrator
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError, NotFoundError
from service.store.events import record
from service.store.keys import key_hash
from service.store.sign_in import CLOCK_SKEW, SECRET_BYTES, NewPageSession, begin_session, end_unused_links
from service.store.tables.sign_in import SignInLink
from service.ulid import new_ulid

LINK_PATH = "/sign-in/link"
# A link is handed over or mailed, and used when the person next sits down; a week is for holidays.
LINK_MINUTES = 24 * 60
MOST_LINK_MINUTES = 7 * 24 * 60


@dataclass(frozen=True)
class NewSignInLink:
    """A link at the only moment its secret is known. The secret is left out of its text."""

    id: str
    secret: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"NewSignInLink(id={self.id!r}, secret='***')"


def issue_link(
    session: StoreSession,
    actor: Actor,
    person_id: str,
    *,
    minutes: int = LINK_MINUTES,
    now: datetime | None = None,
) -> NewSignInLink:
    """Make a link that signs a person in once; the person's earlier unused links end.

    For the operator and people who administer, not for apps: whoever has the link is that person. Raises
    NotAllowedError for anybody else, NotFoundError for somebody who is not in the tenant or has left, CaseError for
    ``minutes`` out of range.
    """
    require_administrator(actor)
    if actor.kind == "app":
        raise NotAllowedError("an app", wanted="a person who administers")
    if not 1 <= minutes <= MOST_LINK_MINUTES:
        raise CaseError(f"{minutes} minutes", wanted=f"1 to {MOST_LINK_MINUTES}")
    person_actor(session, actor.tenant_id, person_id)
    moment, secret, link_id = now or utc_now(), secrets.token_urlsafe(SECRET_BYTES), new_ulid()
    end_unused_links(session, actor.tenant_id, person_id)
    link = SignInLink(
        tenant_id=actor.tenant_id,
        id=link_id,
        person_id=person_id,
        token_hash=key_hash(secret),
        issued_by=actor.id,
        created_at=moment,
        expires_at=moment + timedelta(minutes=minutes),
    )
    session.add(link)
    record(session, actor, "sign_in.link_issued", link_id, person_id=person_id, now=moment)
    session.flush()
    return NewSignInLink(link_id, secret, link.expires_at)


def link_address(settings: Settings, link: NewSignInLink) -> str:
    """The address to hand to the person."""
    return f"{settings.base_url}{LINK_PATH}?token={link.secret}"


def use_link(session: StoreSession, secret: str, now: datetime | None = None) -> NewPageSession | None:
    """Sign in by a link, once. None when it is unknown, used, over, or the person has left: they are not told apart.

    Two requests at the same moment: the update finds an unused link for one of them only.
    """
    moment = now or utc_now()
    used = session.execute(
        update(SignInLink)
        .where(
            SignInLink.token_hash == key_hash(secret),
            SignInLink.used_at.is_(None),
            SignInLink.expires_at > moment,
            SignInLink.created_at <= moment + CLOCK_SKEW,
        )
        .values(used_at=moment)
        .returning(SignInLink.tenant_id, SignInLink.person_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if used is None:
        return None
    try:
        return begin_session(session, used.tenant_id, used.person_id, "link", moment)
    except NotFoundError:
        return None
