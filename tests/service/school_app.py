"""A real application over a real database with a school in it, and a browser for each of its people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.testclient import TestClient

from service.access.cookies import LOCAL_NAME
from service.access.form_tokens import FORM_TOKEN_FIELD, form_token
from service.store.actors import Actor, operator, person_actor
from service.store.database import Database
from service.store.keys import create_key
from service.store.links import create_link
from service.store.people import create_person, create_tenant
from service.store.sign_in import begin_session
from service.store.tables.people import Role, Scope

STRUGGLE = "The same three students answer every question I ask and the rest wait for them to do it."
PEOPLE: dict[str, tuple[str, Role]] = {
    "teacher": ("Tess Teacher", "teacher"),
    "other_teacher": ("Omar Other", "teacher"),
    "coach": ("Cora Coach", "coach"),
    "other_coach": ("Cole Coach", "coach"),
    "administrator": ("Ada Administrator", "administrator"),
    "safeguarding": ("Sal Safe", "safeguarding"),
}


@dataclass
class SchoolApp:
    """``people`` are actors by name; ``outsider`` is a teacher of another tenant; the teacher and the coach are linked.

    ``client_as`` gives each person's own browser, signed in; it does not follow redirects.
    """

    app: Any
    database: Database
    tenant_id: str
    people: dict[str, Actor]
    link_id: str
    _clients: dict[str, Browser] = field(default_factory=dict)

    def client_as(self, who: str) -> Browser:
        if who not in self._clients:
            actor = self.people[who]
            with self.database.write() as session:
                begun = begin_session(session, actor.tenant_id, actor.id, "link")
            self._clients[who] = Browser(self.app, begun.secret)
        return self._clients[who]

    def signed_out(self) -> Browser:
        return Browser(self.app)

    def key(self, *scopes: Scope, app: str = "gradebook") -> str:
        """A stored key of an app of the school."""
        with self.database.write() as session:
            return create_key(session, operator(session, self.tenant_id), app, scopes or ("score", "write")).secret


class Browser(TestClient):
    """A browser of one person: pages as HTML, forms with the token of the session; redirects are not followed."""

    def __init__(self, app: Any, secret: str | None = None) -> None:
        cookies = {LOCAL_NAME: secret} if secret else None
        super().__init__(app, follow_redirects=False, cookies=cookies, headers={"accept": "text/html"})
        self.form_token = form_token(secret) if secret else ""

    def submit(self, path: str, fields: dict[str, Any] | None = None, **options: Any) -> Any:
        """Post a form with its token."""
        return self.post(path, data={FORM_TOKEN_FIELD: self.form_token} | (fields or {}), **options)


def make_school_app(app: Any, database: Database) -> SchoolApp:
    """The school's people, and a teacher of another tenant."""
    with database.write() as session:
        tenant_id = create_tenant(session, "North School", safeguarding_contact="Sal Safe, room 12")
        root = operator(session, tenant_id)
        people = {
            who: person_actor(session, tenant_id, create_person(session, root, name, [role], external_id=f"t-{who}"))
            for who, (name, role) in PEOPLE.items()
        }
        link_id = create_link(session, root, people["coach"].id, people["teacher"].id)
        create_link(session, root, people["coach"].id, people["other_teacher"].id)
        create_link(session, root, people["other_coach"].id, people["other_teacher"].id)
        other_id = create_tenant(session, "South School")
        outsider = create_person(session, operator(session, other_id), "Olga Outsider", ["teacher"])
        people["outsider"] = person_actor(session, other_id, outsider)
    return SchoolApp(app, database, tenant_id, people, link_id)
