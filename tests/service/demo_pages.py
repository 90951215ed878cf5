"""The demo school on a port of this machine, and every page of it: who opens it, and where it is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from guarded_school import UNKNOWN_ID
from school_app import STRUGGLE, Browser
from served_pages import Pages, free_port, served
from sqlalchemy import URL, select

from service.access.roles import page_routes, wanted_of
from service.app import create_app
from service.demo import demo_links, seed_demo
from service.demo_texts import DemoTexts, demo_texts
from service.served_model import ServedModel
from service.settings import Settings
from service.store.database import Database, StoreSession, engine_for
from service.store.sign_in import begin_session
from service.store.tables.care import Alert, Contest
from service.store.tables.cases import Case, CaseShare, Choice, RankingShown, Review, SuggestionShown
from service.store.tables.cycles import Cycle
from service.store.tables.people import ApiKey, Link, Person, Tenant

# As many as an administrator's numbers need to show; one teacher of each other group.
MANY, MANY_OF_GROUP = 10, 1
SIGNED_OUT = ""
# Where a form is sent that has to be filled in at least so far to be looked at; all others are sent empty.
FILLED = {
    "/practice/{cycle_id}/check-ins": {"day": "2020-01-01", "times": "many"},
    "/practice/{cycle_id}/end": {"state": "stopped"},
    "/coach/practice/{cycle_id}/check-ins": {"day": "soon", "times": "-1"},
    "/admin/retention": {"months": "never"},
    "/admin/people": {"name": "New Person", "email": "nobody"},
    "/moments/{case_id}/contests": {"about": "list", "why": " "},
}  # fmt: skip
# What these do is the end of the visit.
LAST = ("/sign-out",)


@dataclass(frozen=True)
class Visit:
    """A page and who opens it (a person's id, or nobody); with ``fields`` a form is sent there."""

    who: str
    path: str
    template: str
    fields: dict[str, str] | None = None


@dataclass(frozen=True)
class DemoSchool:
    """The demo school, served. ``people`` are those shown to visitors, by role."""

    pages: Pages
    people: dict[str, str]

    def secret(self, person_id: str) -> str:
        """A session of a person."""
        with self.pages.database.write() as session:
            return begin_session(session, self.pages.tenant_id, person_id, "link").secret

    def path(self, role: str, template: str) -> str:
        """A page of somebody of a role."""
        with self.pages.database.read() as session:
            return _filled(template, _ids(session, self.people, role))[0]

    def visits(self) -> list[Visit]:
        """Every page that is opened, then every form that is sent."""
        with self.pages.database.read() as session:
            ids = {role: _ids(session, self.people, role) for role in (*self.people, SIGNED_OUT)}
            moments, others = _moments(session), _others(session, self.people["teacher"])
        opened = [
            Visit(who, path, template)
            for method, template, who, role in self._routes()
            if method == "GET"
            for path in _filled(template, ids[role])
            if self._is_page(who, path)
        ]
        teacher, case_id = self.people["teacher"], ids["teacher"]["case_id"][0]
        opened += [Visit(who, f"/moments/{case_id}", "a moment in another state") for who, case_id in moments]
        opened += [
            Visit(teacher, f"/skills?moment={case_id}&q=question", "a search"),
            Visit(teacher, f"/skills/cold-calling?moment={case_id}", "a skill for a moment"),
            Visit(teacher, f"/moments/{UNKNOWN_ID}", "nothing there"),
            Visit(teacher, "/admin", "another role"),
            Visit(SIGNED_OUT, "/nothing", "nothing there"),
        ]
        sent = [
            Visit(who, path, template, FILLED.get(template, {}))
            for method, template, who, role in self._routes()
            if method == "POST" and template not in LAST
            for path in _filled(template, {name: few[-1:] for name, few in ids[role].items()})
        ]
        return opened + sent + others

    def _routes(self) -> Iterator[tuple[str, str, str, str]]:
        """Method, path, person and role of every page; what anybody may look at is looked at by everybody."""
        for method, route in page_routes(self.pages.app.routes):
            wanted = wanted_of(route) or SIGNED_OUT
            everybody = list(self.people) if method == "GET" else ["teacher"]
            for role in everybody if wanted == "anyone" else [wanted]:
                yield method, route.path, self.people.get(role, SIGNED_OUT), role

    def _is_page(self, who: str, path: str) -> bool:
        """Whether there is something to look at, and not a file or the way to another page."""
        answer = Browser(self.pages.app, self.secret(who) if who else None).get(path)
        return answer.status_code != 303 and answer.headers["content-type"].startswith("text/html")


@contextmanager
def demo_school(folder: Path, template: Path, served_model: ServedModel) -> Iterator[DemoSchool]:
    """A small demo school over a database of its own; ``template`` is a file with tables and nothing in them."""
    file, port = shutil.copy(template, folder / "growth.sqlite3"), free_port()
    database = Database(engine_for(URL.create("sqlite", database=str(file))))
    seed_demo(database, served_model, texts=_few())
    app = create_app(Settings(data=folder, port=port), served_model, database)
    names = {link.role: link.name for link in demo_links(database, app.state.settings)}
    with database.read() as session:
        ids = dict(session.execute(select(Person.name, Person.id)).all())
        tenant_id = session.scalars(select(Tenant.id)).one()
    with served(app, port):
        pages = Pages(app, database, tenant_id, f"http://127.0.0.1:{port}")
        yield DemoSchool(pages, {role: ids[name] for role, name in names.items()})
    database.close()


def _few() -> DemoTexts:
    texts = demo_texts()
    groups = [
        group.model_copy(update={"teachers": MANY if place == MANY_OF_GROUP else 1})
        for place, group in enumerate(texts.groups)
    ]
    names = texts.people.teachers[: sum(group.teachers for group in groups)]
    return texts.model_copy(
        update={"groups": groups, "people": texts.people.model_copy(update={"teachers": names})}
    )  # fmt: skip


def _filled(template: str, ids: dict[str, list[str]]) -> list[str]:
    """A route's path with the ids it asks for, one after the other. Raises KeyError for a kind that has none here."""
    names = re.findall(r"\{(\w+)\}", template)
    if not names:
        return [template]
    return [
        template.format(**{name: ids[name][place] for name in names})
        for place in range(min(len(ids[name]) for name in names))
    ]


def _ids(session: StoreSession, people: dict[str, str], role: str) -> dict[str, list[str]]:
    """Ids of what somebody of a role can open, by the name they have in paths."""
    ids = {"skill_id": ["cold-calling"], "name": ["reliability.svg"]}
    if role == "teacher":
        cycles = session.scalars(select(Cycle).where(Cycle.teacher_id == people[role]).order_by(Cycle.state)).all()
        ids |= {"cycle_id": [c.id for c in cycles][::-1], "case_id": [c.case_id for c in cycles]}
    elif role == "coach":
        shared = select(CaseShare.case_id).where(CaseShare.coach_id == people[role], CaseShare.revoked_at.is_(None))
        reviewed = session.scalars(select(Review.case_id).where(Review.case_id.in_(shared))).first()
        new = session.scalars(shared.where(CaseShare.case_id.not_in(select(Review.case_id)))).first()
        cycles = session.scalars(select(Cycle).where(Cycle.case_id.in_(shared)).order_by(Cycle.state)).all()
        ids |= {
            "case_id": [case for case in (new, reviewed) if case],
            "contest_id": list(session.scalars(select(Contest.id))),
            "cycle_id": [cycles[-1].id, cycles[0].id],
        }
    elif role == "administrator":
        # Who is last in a list is marked as left, and whose link is last is parted from the coach.
        _, apart, linked, *_ = session.scalars(select(Person.id).where(Person.external_id.like("demo-t%")))
        links = session.scalars(select(Link.id).where(Link.teacher_id == linked)).all()
        ids |= {
            "person_id": [people["teacher"], apart],
            "link_id": list(links),
            "key_id": list(session.scalars(select(ApiKey.id))),
            "contest_id": list(session.scalars(select(Contest.id).where(Contest.state == "open"))),
        }
    elif role == "safeguarding":
        ids["alert_id"] = list(session.scalars(select(Alert.id)))
    return ids


def _others(session: StoreSession, teacher: str) -> list[Visit]:
    """What needs more than the id of one row: a second skill, an answer to an objection, skills without signing in."""
    practised = session.scalars(select(Cycle.case_id).where(Cycle.teacher_id == teacher, Cycle.state == "open")).one()
    shown = session.scalars(select(RankingShown.id).where(RankingShown.case_id == practised)).all()[-1]
    chosen = {"ranking": shown, "decision": "chosen"}
    skill = session.scalars(select(SuggestionShown.skill_id).where(SuggestionShown.ranking_id == shown)).first()
    contest = session.scalars(select(Contest).where(Contest.state == "open")).one()
    share = select(CaseShare.coach_id).where(CaseShare.case_id == contest.case_id, CaseShare.revoked_at.is_(None))
    coach, path = session.scalars(share).one(), f"/coach/moments/{contest.case_id}"
    return [
        Visit(teacher, f"/moments/{practised}/choices", "a second skill", chosen | {"skill": str(skill)}),
        Visit(coach, path, "a moment with an objection", None),
        Visit(coach, "/coach?state=done", "moments that are decided", None),
        Visit(coach, f"{path}/contests/{contest.id}/answer", "no answer", {"answer": " "}),
        Visit(SIGNED_OUT, "/", "skills to try", {"struggle": STRUGGLE}),
    ]


def _moments(session: StoreSession) -> list[tuple[str, str]]:
    """One moment of each state there is, with its teacher."""
    reviewed = set(session.scalars(select(Review.case_id)))
    contests = dict(session.execute(select(Contest.case_id, Contest.state)).all())
    decided = dict(session.execute(select(Choice.case_id, Choice.decision).order_by(Choice.id)).all())
    status = dict(session.execute(select(RankingShown.case_id, RankingShown.status).order_by(RankingShown.id)).all())
    found: dict[tuple[object, ...], tuple[str, str]] = {}
    for case in session.scalars(select(Case).order_by(Case.id)):
        about = (status[case.id], case.id in reviewed, contests.get(case.id), decided.get(case.id))
        found.setdefault(about, (str(case.teacher_id), case.id))
    return list(found.values())
