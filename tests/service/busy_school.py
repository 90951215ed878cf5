"""A school in the middle of its year: moments, reviews, objections, practice, keys, and what was taken back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app_caller import CASE, Caller
from page_reading import form
from school_app import STRUGGLE, Browser, SchoolApp

from recommender.cases import Case
from service.access.form_tokens import FORM_TOKEN_FIELD
from service.store.actors import Actor, operator, person_actor
from service.store.alerts import raise_alert
from service.store.cases import store_case
from service.store.choices import record_choice
from service.store.contests import raise_contest
from service.store.cycles import end_cycle, start_cycle
from service.store.database import StoreSession, utc_now
from service.store.keys import create_key
from service.store.links import create_link, end_link, list_links
from service.store.people import create_person
from service.store.shares import revoke_case, revoke_cycle, share_case, share_cycle
from service.store.tables.people import SCOPES

APPS = {"gradebook": SCOPES, "planner": SCOPES}
"""Apps of the school; the other tenant has a gradebook too."""


@dataclass
class BusySchool:
    """``ids`` are of the rows requests are about, by what they are; ``review_fields`` of the coach's form for one."""

    school: SchoolApp
    ids: dict[str, str] = field(default_factory=dict)
    apps: dict[str, Caller] = field(default_factory=dict)
    review_fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._add_people()
        for who in self.school.people:
            # So that no request later is the one that signs somebody in.
            self.browser(who)
        self._add_moments()
        self._add_practices()
        self._add_what_administrators_keep()
        self._add_apps()
        self.read_review_form()

    def browser(self, who: str) -> Browser:
        return self.school.client_as(who)

    def read_review_form(self) -> None:
        """Take the coach's form as it is now: it belongs to the list that stands."""
        page = self.browser("coach").get(f"/coach/moments/{self.ids['moment']}").text
        self.review_fields = form(page, "/reviews").fields | {"agree": "yes"}
        del self.review_fields[FORM_TOKEN_FIELD]

    def filled(self, template: Any, **instead: str) -> Any:
        """A text with the ids it names in braces; ``instead`` of some of them."""
        return template.format(**(self.ids | instead)) if isinstance(template, str) else template

    def _add_people(self) -> None:
        people, school = self.school.people, self.school
        with school.database.write() as session:
            root = operator(session, school.tenant_id)
            other = operator(session, people["outsider"].tenant_id)
            for who, of, roles in (
                ("coach_and_teacher", root, ["coach", "teacher"]),
                ("parting", root, ["teacher"]),
                ("outside_coach", other, ["coach"]),
                ("outside_administrator", other, ["administrator"]),
                ("outside_lead", other, ["safeguarding"]),
            ):
                person_id = create_person(session, of, who.replace("_", " "), roles, external_id=f"x-{who}")
                people[who] = person_actor(session, of.tenant_id, person_id)
            create_link(session, root, people["coach_and_teacher"].id, people["teacher"].id)
            self.ids["link"] = create_link(session, root, people["other_coach"].id, people["parting"].id)
            self.ids |= {who: person.id for who, person in people.items()}

    def _add_moments(self) -> None:
        people, ranking = self.school.people, self.school.app.state.model.rank(Case(case_id="c1", struggle=STRUGGLE))
        self.ids |= {f"skill_{n}": s.skill_id for n, s in enumerate(ranking.suggestions, start=1)}
        with self.school.database.write() as session:
            for name, who in (
                ("moment", "teacher"), ("unshared", "teacher"), ("revoked", "teacher"), ("spare", "teacher"),
                ("unlinked", "other_teacher"), ("of_the_coach", "coach_and_teacher"),
            ):  # fmt: skip
                asked, shown = Case(case_id=name, struggle=STRUGGLE), ranking.model_copy(update={"ranking_id": None})
                stored = store_case(session, people[who], asked, shown)
                self.ids |= {name: stored.case_id, f"{name}_ranking": stored.ranking_id}
            teacher, coach = people["teacher"], people["coach"].id
            for name in ("moment", "revoked"):
                share_case(session, teacher, self.ids[name], coach)
            share_case(session, teacher, self.ids["moment"], self.ids["coach_and_teacher"])
            revoke_case(session, teacher, self.ids["revoked"], coach)
            share_case(session, people["other_teacher"], self.ids["unlinked"], coach)
            for contest, name, who in (
                ("contest", "moment", "teacher"), ("second_contest", "moment", "teacher"),
                ("unshared_contest", "unshared", "teacher"), ("unlinked_contest", "unlinked", "other_teacher"),
            ):  # fmt: skip
                self.ids[contest] = raise_contest(
                    session, people[who], self.ids[name], about="suggestion", about_id=self.ids[f"{name}_ranking"],
                    why="That is not what happens in my class.",
                )  # fmt: skip
            self.ids["alert"] = raise_alert(session, teacher, teacher.id)

    def _add_practices(self) -> None:
        people, teacher = self.school.people, self.school.people["teacher"]
        with self.school.database.write() as session:
            for name in ("unshared", "revoked"):
                self.ids[f"{name}_cycle"] = self._practice(session, teacher, name, is_over=True)
            self.ids["cycle"] = self._practice(session, teacher, "moment")
            self.ids["unlinked_cycle"] = self._practice(session, people["other_teacher"], "unlinked", is_over=True)
            self.ids["cycle_of_the_coach"] = self._practice(session, people["coach_and_teacher"], "of_the_coach")
            coach = people["coach"].id
            for name in ("cycle", "revoked_cycle"):
                share_cycle(session, teacher, self.ids[name], coach)
            share_cycle(session, teacher, self.ids["cycle"], self.ids["coach_and_teacher"])
            revoke_cycle(session, teacher, self.ids["revoked_cycle"], coach)
            share_cycle(session, people["other_teacher"], self.ids["unlinked_cycle"], coach)
            links = list_links(session, operator(session, self.school.tenant_id))
            of_two = next(k for k in links if (k.coach_id, k.teacher_id) == (coach, people["other_teacher"].id))
            end_link(session, operator(session, self.school.tenant_id), of_two.id)

    def _practice(self, session: StoreSession, actor: Actor, moment: str, *, is_over: bool = False) -> str:
        case_id, skill, today = self.ids[moment], self.ids["skill_1"], utc_now().date()
        choice = record_choice(session, actor, case_id, self.ids[f"{moment}_ranking"], skill, "chosen")
        self.ids[f"{moment}_choice"] = choice
        began = today - timedelta(days=14)
        cycle = start_cycle(session, actor, case_id, choice, began, weeks=6)
        if is_over:
            end_cycle(session, actor, cycle, "stopped", today)
        return cycle

    def _add_what_administrators_keep(self) -> None:
        with self.school.database.write() as session:
            root = operator(session, self.school.tenant_id)
            self.ids |= {name: create_key(session, root, "library", ["score"]).id for name in ("key", "second_key")}

    def _add_apps(self) -> None:
        other = self.school.people["outsider"].tenant_id
        with self.school.database.write() as session:
            secret = create_key(session, operator(session, other), "gradebook", SCOPES).secret
        self.apps = {app: Caller(self.school, *scopes, app=app) for app, scopes in APPS.items()}
        self.apps["outside_gradebook"] = Caller(self.school, key=secret)
        gradebook = self.apps["gradebook"]
        for name, of_teacher in (("sent", "t-teacher"), ("sent_for_practice", "t-other_teacher"), ("sent_spare", "")):
            made = gradebook.open(**({"teacher_id": of_teacher} if of_teacher else {})).json()
            self.ids |= {name: made["id"], f"{name}_ranking": made["ranking"]["ranking_id"]}
        taken = {"decision": "chosen", "case": self.ids["sent_for_practice"], "skill": self.ids["skill_1"]}
        made = gradebook.send("/v1/choices", taken | {"ranking": self.ids["sent_for_practice_ranking"]}).json()
        self.ids |= {"sent_choice": made["id"], "sent_cycle": made["cycle"]}
        with self.school.database.write() as session:
            share_case(session, self.school.people["teacher"], self.ids["sent"], self.school.people["coach"].id)


def case_of(**fields: Any) -> dict[str, Any]:
    """A case as an app sends it."""
    return CASE | fields
