"""Every route of the application, asked by everybody there is: `access.yaml` says who gets an answer."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
import yaml
from guarded_school import NETWORK, UNKNOWN_ID, forget_rates, routes_of, school_in
from school_app import Browser, SchoolApp
from sqlalchemy import delete, select

from service.access.cookies import cookie_name
from service.access.roles import PUBLIC_ROUTES
from service.app import create_app
from service.settings import Settings
from service.store.actors import operator, person_actor
from service.store.database import utc_now
from service.store.keys import create_key, revoke_key
from service.store.people import create_person, mark_left
from service.store.sign_in import begin_session, end_session
from service.store.sign_in_links import issue_link
from service.store.tables.people import PersonRole, Role, Scope

SETTINGS_KEY = "growth_5f1d0c3b9a77"
MODES = {
    "local": {},
    "network": {**NETWORK, "api_keys": (hashlib.sha256(SETTINGS_KEY.encode()).hexdigest(),)},
}
PLACES = {"local": "http://testserver", "network": "https://growth.example"}
OVER = {"a session over its week", "an idle session", "a session that was ended"}
NOBODY = {"signed out", "a person who left", "an app's key", "a key of the settings", *OVER}
# Whoever is told where to sign in is refused; that this route sends people there is its own answer.
WAY_OUT = "/sign-out"
# What these routes do ends the visitor's session, so each visit has one of its own.
ENDS_SESSION = {WAY_OUT, "/sign-in/link"}


@dataclass(frozen=True)
class Row:
    """A route and who may ask for it in each mode."""

    kind: str
    method: str
    template: str
    allowed: dict[str, frozenset[str]]

    @property
    def path(self) -> str:
        return re.sub(r"\{\w+\}", UNKNOWN_ID, self.template)


def read_rows() -> dict[str, Row]:
    document = yaml.safe_load((Path(__file__).parent / "access.yaml").read_text(encoding="utf-8"))
    rows = {}
    for kind, entries in document.items():
        for name, who in entries.items():
            by_mode = who if isinstance(who, dict) else dict.fromkeys(MODES, who)
            allowed = {mode: frozenset([one] if isinstance(one, str) else one) for mode, one in by_mode.items()}
            rows[name] = Row(kind, *name.split(" "), allowed)
    return rows


ROWS = read_rows()
KNOWN = {"everybody", "signed in", "nobody", "settings key", *get_args(Role), *get_args(Scope)}


class Guarded:
    """One school and an application over it in each mode."""

    def __init__(self, school: SchoolApp, served_model) -> None:
        self.school = school
        self.apps = {
            mode: create_app(Settings(**options), served_model, school.database) for mode, options in MODES.items()
        }
        with school.database.write() as session:
            root = operator(session, school.tenant_id)
            self.no_role = create_person(session, root, "Nora Norole", ["teacher"])
            session.execute(delete(PersonRole).where(PersonRole.person_id == self.no_role))
            self.left = create_person(session, root, "Lee Left", ["teacher", "administrator"])
        self.left_secret = self._secret(self.left)
        with school.database.write() as session:
            mark_left(session, operator(session, school.tenant_id), self.left)

    def _secret(self, person_id: str, **when) -> str:
        with self.school.database.write() as session:
            return begin_session(session, self.school.tenant_id, person_id, "link", **when).secret

    def secrets(self) -> dict[str, str | None]:
        """The session of every kind of visitor, by what they are."""
        now, teacher = utc_now(), self.school.people["teacher"].id
        ended = self._secret(teacher)
        with self.school.database.write() as session:
            end_session(session, ended)
        return {
            "signed out": None,
            "a person who left": self.left_secret,
            "a session over its week": self._secret(teacher, now=now - timedelta(days=8)),
            "an idle session": self._secret(teacher, now=now - timedelta(hours=13)),
            "a session that was ended": ended,
            "no role": self._secret(self.no_role),
            **{role: self._secret(self.school.people[role].id) for role in get_args(Role)},
        }

    def browser(self, mode: str, secret: str | None) -> Browser:
        browser = Browser(self.apps[mode], secret)
        browser.base_url = PLACES[mode]
        browser.cookies.clear()
        if secret:
            browser.cookies.set(cookie_name(self.apps[mode].state.settings), secret)
        return browser

    def link(self) -> str:
        with self.school.database.write() as session:
            return issue_link(session, self.school.people["administrator"], self.school.people["teacher"].id).secret

    def keys(self) -> dict[str, str | None]:
        """Every kind of key, by what it is."""
        with self.school.database.write() as session:
            root = operator(session, self.school.tenant_id)
            old = create_key(session, root, "old", get_args(Scope), days=30, now=utc_now() - timedelta(days=31))
            early = create_key(session, root, "early", get_args(Scope), days=30)
            revoked = create_key(session, root, "gone", get_args(Scope))
            revoke_key(session, root, revoked.id)
            scoped = {scope: create_key(session, root, f"of-{scope}", [scope]).secret for scope in get_args(Scope)}
        return {
            "no key": None,
            "a wrong key": "gr_" + "x" * 43,
            "a key that is over": old.secret,
            "a key that was revoked": revoked.secret,
            "the beginning of a key": early.secret[:20],
            "settings key": SETTINGS_KEY,
            **scoped,
        }


@pytest.fixture(scope="module")
def guarded(school_template, served_model, tmp_path_factory):
    with school_in(tmp_path_factory.mktemp("matrix"), school_template, served_model) as school:
        yield Guarded(school, served_model)


def refusal(answer, path: str) -> int | None:
    """How a visitor is told that this is not for them, None when they are not."""
    to_sign_in = answer.status_code == 303 and answer.headers["location"] == "/sign-in"
    return answer.status_code if answer.status_code in {401, 403} or (to_sign_in and path != WAY_OUT) else None


def wanted_refusal(row: Row, visitor: str) -> int:
    """Sign in first (a page is left for that, a form is refused), or somebody else's."""
    if visitor in NOBODY:
        return 303 if row.method == "GET" else 401
    # Outside this machine the box to try is nobody's.
    return 401 if row.template == "/" else 403


def may(visitor: str, allowed: frozenset[str]) -> bool:
    return "everybody" in allowed or visitor in allowed or ("signed in" in allowed and visitor not in NOBODY)


def ask_page(guarded, mode, row, visitor, secret, headers=None):
    if row.template in ENDS_SESSION and visitor in (*get_args(Role), "no role"):
        secret = guarded.secrets()[visitor]
    browser = guarded.browser(mode, secret)
    forget_rates(guarded.apps[mode])
    if row.method == "GET":
        return browser.get(row.path, headers=headers)
    fields = {"token": guarded.link()} if row.template == "/sign-in/link" else {}
    return browser.submit(row.path, fields, headers=headers)


def test_every_route_has_a_row_that_says_who_may_ask_for_it(guarded):
    routes = routes_of(guarded.apps["local"])
    assert routes == routes_of(guarded.apps["network"])
    for name, kind in sorted(routes.items()):
        assert name in ROWS, f"Say under `{kind}:` of tests/service/access.yaml who may ask for it: `{name}: ...`"
        assert ROWS[name].kind == kind, f"{name} belongs under `{kind}:` of tests/service/access.yaml"
    gone = sorted(set(ROWS) - set(routes))
    assert not gone, f"Take out of tests/service/access.yaml what is no route any more: {gone}"
    for row in ROWS.values():
        assert set().union(*row.allowed.values()) <= KNOWN and set(row.allowed) == set(MODES), row


def test_the_table_of_public_pages_says_the_same():
    public = {
        (row.method, row.template)
        for row in ROWS.values()
        if row.kind == "pages" and row.allowed["local"] == {"everybody"}
    }
    assert public == set(PUBLIC_ROUTES)


@pytest.mark.parametrize("mode", MODES)
def test_every_page_answers_whom_it_is_for_and_nobody_else(guarded, mode):
    wrong = []
    for visitor, secret in guarded.secrets().items():
        if mode == "network" and visitor in OVER:
            # A session's end is the same wherever the service runs.
            continue
        for row in ROWS.values():
            if row.kind != "pages":
                continue
            answer = ask_page(guarded, mode, row, visitor, secret)
            found = refusal(answer, row.path)
            wanted = None if may(visitor, row.allowed[mode]) else wanted_refusal(row, visitor)
            if found != wanted or answer.status_code >= 500:
                wrong.append((visitor, row.method, row.template, found, wanted, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("mode", MODES)
def test_no_page_takes_a_key_for_a_person(guarded, mode):
    keys = {"an app's key": guarded.keys()["admin"], "a key of the settings": SETTINGS_KEY}
    wrong = []
    for visitor, key in keys.items():
        for row in ROWS.values():
            if row.kind == "pages":
                answer = ask_page(guarded, mode, row, visitor, None, {"Authorization": f"Bearer {key}"})
                if (refusal(answer, row.path) is not None) == may(visitor, row.allowed[mode]):
                    wrong.append((visitor, row.method, row.template, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("mode", MODES)
def test_a_part_of_a_page_is_refused_to_whom_the_page_is_refused(guarded, mode):
    wrong = []
    for row in ROWS.values():
        if row.kind != "pages" or may("signed out", row.allowed[mode]) or row.template == "/":
            continue
        answer = ask_page(guarded, mode, row, "signed out", None, {"HX-Request": "true"})
        if (answer.status_code, answer.headers.get("hx-redirect"), answer.text) != (401, "/sign-in", ""):
            wrong.append((row.method, row.template, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("mode", MODES)
def test_every_route_for_programs_answers_the_keys_it_is_for_and_no_other(guarded, mode):
    wrong = []
    settings_only = frozenset({"settings key"})
    for holder, key in guarded.keys().items():
        for row in ROWS.values():
            if row.kind != "programs":
                continue
            forget_rates(guarded.apps[mode])
            headers = {"Accept": "*/*"} | ({"Authorization": f"Bearer {key}"} if key else {})
            answer = guarded.browser(mode, None).request(row.method, row.path, headers=headers)
            allowed = may(holder, row.allowed[mode])
            is_app = holder in get_args(Scope) and row.allowed[mode] != settings_only
            if (refusal(answer, row.path) is not None) == allowed or answer.status_code >= 500:
                wrong.append((holder, row.method, row.template, answer.status_code, allowed))
            elif not allowed and answer.status_code != (403 if is_app else 401):
                wrong.append((holder, row.method, row.template, answer.status_code))
            elif not allowed and not answer.headers["www-authenticate"].startswith("Bearer "):
                wrong.append((holder, row.method, row.template, "no challenge"))
    assert wrong == []


@pytest.mark.parametrize("mode", MODES)
def test_no_route_for_programs_takes_a_session_for_a_key(guarded, mode):
    secret = guarded.secrets()["administrator"]
    wrong = []
    for row in ROWS.values():
        if row.kind == "programs" and not may("no key", row.allowed[mode]):
            forget_rates(guarded.apps[mode])
            for headers in ({"Accept": "*/*"}, {"Accept": "*/*", "Authorization": f"Bearer {secret}"}):
                answer = guarded.browser(mode, secret).request(row.method, row.path, headers=headers)
                if answer.status_code != 401:
                    wrong.append((row.method, row.template, answer.status_code))
    assert wrong == []


def test_another_method_is_no_way_in(guarded):
    """What a route does by one method it does not do by another, and HEAD asks for no less than GET."""
    routes = routes_of(guarded.apps["local"])
    browser = guarded.browser("local", None)
    for template in sorted({row.template for row in ROWS.values() if row.kind == "pages"}):
        path = re.sub(r"\{\w+\}", UNKNOWN_ID, template)
        others = [m for m in ("HEAD", "PUT", "DELETE", "GET", "POST") if f"{m} {template}" not in routes]
        assert {method: browser.request(method, path).status_code for method in others} == dict.fromkeys(others, 405)


def test_the_roles_of_this_moment_count_and_not_those_of_the_sign_in(guarded):
    school = guarded.school
    secret = guarded.secrets()["coach"]
    browser = guarded.browser("local", secret)
    assert [browser.get(path).status_code for path in ("/coach", "/admin")] == [200, 403]
    coach = school.people["coach"]
    with school.database.write() as session:
        row = session.scalar(select(PersonRole).where(PersonRole.person_id == coach.id))
        session.delete(row)
        session.add(PersonRole(tenant_id=coach.tenant_id, person_id=coach.id, role="administrator"))
    try:
        assert [browser.get(path).status_code for path in ("/coach", "/admin")] == [403, 200]
    finally:
        with school.database.write() as session:
            session.execute(delete(PersonRole).where(PersonRole.person_id == coach.id))
            session.add(PersonRole(tenant_id=coach.tenant_id, person_id=coach.id, role="coach"))
    with school.database.read() as session:
        assert person_actor(session, coach.tenant_id, coach.id).roles == frozenset({"coach"})
