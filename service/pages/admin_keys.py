"""Keys of the school's apps: made, shown once, replaced, ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from recommender.errors import CaseError
from service.access.signed_in import AdministratorSignedIn, SignedIn
from service.pages.posted import SentFields
from service.pages.render import page
from service.pages.strings import page_strings
from service.state import StoreDatabase
from service.store.database import Database, utc_now
from service.store.errors import NotFoundError
from service.store.keys import DEFAULT_DAYS, MOST_DAYS, KeyView, NewKey, create_key, list_keys, revoke_key, rotate_key
from service.store.tables.people import SCOPES

PATH = "/admin/keys"
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class KeyLine:
    """A key in the list; ``state`` is a name of ``admin.apps``, ``can_rotate``: it works and has no follower yet."""

    key: KeyView
    state: str
    can_rotate: bool
    can_revoke: bool


@router.get(PATH)
def show_keys(request: Request, me: AdministratorSignedIn, database: StoreDatabase, done: str = "") -> HTMLResponse:
    """All keys, ended ones too, and a form to make one."""
    return _list_page(request, me, database, done=done)


@router.post(PATH)
def make_key(request: Request, me: AdministratorSignedIn, sent: SentFields, database: StoreDatabase) -> Response:
    """Make a key and show it in the answer itself, this once."""
    app, ticked, days = sent.text("app").strip(), sent.all("scope"), sent.whole_number("days", 1, MOST_DAYS)
    scopes = [scope for scope in SCOPES if scope in ticked]
    typed = {"app": app, "scopes": scopes, "days": sent.text("days")}
    if days is None:
        return _list_page(request, me, database, error="days", typed=typed)
    try:
        with database.write() as session:
            key = create_key(session, me.actor, app, scopes, days=days)
    except CaseError as error:
        return _list_page(request, me, database, error=error.where or "app", typed=typed)
    return _shown_once(request, me, app, key)


@router.post(PATH + "/{key_id}/rotate")
def replace_key(
    request: Request,
    me: AdministratorSignedIn,
    sent: SentFields,  # noqa: ARG001 - checks the form's token
    key_id: str,
    database: StoreDatabase,
) -> HTMLResponse:
    """Give the app a new key, shown this once; the old one works on for some days."""
    with database.write() as session:
        new = rotate_key(session, me.actor, key_id)
        app = next(key.app for key in list_keys(session, me.actor) if key.id == new.id)
    return _shown_once(request, me, app, new)


@router.get(PATH + "/{key_id}/revoke")
def ask_before_revoking(
    request: Request, me: AdministratorSignedIn, key_id: str, database: StoreDatabase
) -> HTMLResponse:
    """Ask once more: the app stops working at once."""
    with database.read() as session:
        found = next((key for key in list_keys(session, me.actor) if key.id == key_id), None)
    if found is None:
        raise NotFoundError("key")
    words = page_strings()["admin"]["apps"]
    return page(
        request, "admin_confirm.html", me,
        question=f"{words['revoke_sure']} {found.app}, {found.shown_prefix}…", hint=words["revoke_hint"],
        yes=words["revoke_yes"], cancel=words["cancel"], action=f"{PATH}/{key_id}/revoke", back=PATH,
    )  # fmt: skip


@router.post(PATH + "/{key_id}/revoke")
def end_key(
    me: AdministratorSignedIn,
    sent: SentFields,  # noqa: ARG001 - checks the form's token
    key_id: str,
    database: StoreDatabase,
) -> Response:
    """End a key at once."""
    with database.write() as session:
        revoke_key(session, me.actor, key_id)
    return RedirectResponse(f"{PATH}?done=revoked", status_code=303)


def key_line(key: KeyView, now: datetime) -> KeyLine:
    """How a key is shown at a moment."""
    if key.revoked_at is not None:
        return KeyLine(key, "revoked", can_rotate=False, can_revoke=False)
    if key.expires_at <= now:
        return KeyLine(key, "ended", can_rotate=False, can_revoke=False)
    is_replaced = key.replaced_by is not None
    return KeyLine(key, "replaced" if is_replaced else "working", can_rotate=not is_replaced, can_revoke=True)


def _shown_once(request: Request, me: SignedIn, app: str, key: NewKey) -> HTMLResponse:
    return page(request, "admin_key.html", me, app=app, secret_text=key.secret, until=key.expires_at)


def _list_page(
    request: Request,
    me: SignedIn,
    database: Database,
    *,
    done: str = "",
    error: str | None = None,
    typed: Mapping[str, Any] | None = None,
) -> HTMLResponse:
    with database.read() as session:
        keys = list_keys(session, me.actor)
    now = utc_now()
    form = {"app": "", "scopes": ["score"], "days": DEFAULT_DAYS} | dict(typed or {})
    return page(
        request, "admin_keys.html", me, 422 if error else 200,
        lines=[key_line(key, now) for key in keys], form=form, error=error, done=done, scopes=SCOPES,
    )  # fmt: skip
