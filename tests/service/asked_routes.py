"""Requests that do something for the right person, each with the wrong ones: what guards a route is tried on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from busy_school import BusySchool, case_of
from guarded_school import forget_rates
from school_app import STRUGGLE

from service.store.database import utc_now

WORDS = "It went well with the two quiet tables."
TODAY = utc_now().date().isoformat()
# Of these routes nobody owns what the id names.
OF_EVERYBODY = {
    "GET /skills/{skill_id}": "the catalogue",
    "GET /v1/skills/{skill_id}": "the catalogue",
    "GET /admin/model/files/{name}": "a picture of the model's card",
}


@dataclass(frozen=True)
class Asked:
    """A request of ``who``, a person or an app.

    ``ids``: what the parameters of the path are, as names of the school's ids. ``wrong``: who must not, each with ids
    of their own where it is about another row. ``text``: fields in which somebody writes.
    """

    route: str
    who: str
    ids: dict[str, str] = field(default_factory=dict)
    fields: Any = None
    wrong: tuple[tuple[str, dict[str, str]], ...] = ()
    text: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        return self.route.split(" ")[0]

    @property
    def template(self) -> str:
        return self.route.split(" ")[1]

    @property
    def is_form(self) -> bool:
        return self.method == "POST" and not self.template.startswith("/v1/")

    def content(self, busy: BusySchool, **instead: str) -> dict[str, Any]:
        """The fields with ids filled in."""
        fields = busy.review_fields if self.fields == "review" else self.fields or {}
        return {name: _filled(busy, value, instead) for name, value in fields.items()}

    def path(self, busy: BusySchool, ids: dict[str, str] | None = None, unknown: str | None = None) -> str:
        """The path with the row's ids, with others, or with one that is nobody's."""
        names = self.ids | (ids or {})
        return self.template.format(**{name: unknown or busy.ids[row] for name, row in names.items()})

    def send(self, busy: BusySchool, who: str, path: str, content: dict[str, Any] | None = None, **options: Any) -> Any:
        """Ask as somebody; a form goes with their token."""
        forget_rates(busy.school.app)
        content = self.content(busy) if content is None else content
        if who in busy.apps:
            body = {"json": content} if self.method == "POST" else {"params": content}
            return busy.apps[who].request(self.method, path, **(body | options))
        if self.method == "GET":
            return busy.browser(who).get(path, params=content or None, **options)
        return busy.browser(who).submit(path, content, **options)


def _filled(busy: BusySchool, value: Any, instead: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(busy, each, instead) for each in value]
    if isinstance(value, dict):
        return {name: _filled(busy, each, instead) for name, each in value.items()}
    return busy.filled(value, **instead)


def to(*who: str, **ids: str) -> tuple[tuple[str, dict[str, str]], ...]:
    return tuple((one, ids) for one in who)


NOT_MINE = to("other_teacher", "coach_and_teacher", "outsider")
NOT_SHARED_MOMENT = (
    *to("other_coach", "outside_coach"),
    *to("coach", case_id="unshared"),
    *to("coach", case_id="revoked"),
    *to("coach", case_id="unlinked"),
    *to("coach_and_teacher", case_id="of_the_coach"),
)
NOT_SHARED_PRACTICE = (
    *to("other_coach", "outside_coach"),
    *to("coach", cycle_id="unshared_cycle"),
    *to("coach", cycle_id="revoked_cycle"),
    *to("coach", cycle_id="unlinked_cycle"),
    *to("coach_and_teacher", cycle_id="cycle_of_the_coach"),
)
OTHER_SCHOOL = to("outside_administrator")
OTHER_APPS = to("planner", "outside_gradebook")
MOMENT, CYCLE = {"case_id": "moment"}, {"cycle_id": "cycle"}
CHECK_IN = {"day": TODAY, "times": "2", "note": WORDS}
LOOK = {"day": TODAY, "phase": "follow_up", "seen": "0", "note": WORDS}
DECLINED = {"decision": "declined", "skill": "{skill_2}", "reason": "other", "why": WORDS}

ASKED = (
    Asked("GET /moments/{case_id}", "teacher", MOMENT, wrong=NOT_MINE),
    Asked("POST /moments", "teacher", fields={"struggle": STRUGGLE, "subject": "science"}, text=("struggle",)),
    Asked("POST /draft", "teacher", fields={"struggle": STRUGGLE}, text=("struggle",)),
    Asked("POST /moments/{case_id}/shares", "teacher", {"case_id": "unshared"},
          {"action": "share", "coach": "{coach_and_teacher}"}, wrong=NOT_MINE),
    Asked("POST /moments/{case_id}/contests", "teacher", MOMENT,
          {"about": "list", "ranking": "{moment_ranking}", "why": WORDS}, wrong=NOT_MINE, text=("why",)),
    Asked("POST /moments/{case_id}/delete", "teacher", {"case_id": "spare"}, {"sure": "yes"}, wrong=NOT_MINE),
    Asked("GET /practice/{cycle_id}", "teacher", CYCLE, wrong=NOT_MINE),
    Asked("POST /practice/{cycle_id}/check-ins", "teacher", CYCLE, CHECK_IN, wrong=NOT_MINE, text=("note",)),
    Asked("POST /practice/{cycle_id}/follow-ups", "teacher", CYCLE, LOOK, wrong=NOT_MINE, text=("note",)),
    Asked("POST /practice/{cycle_id}/shares", "teacher", {"cycle_id": "unshared_cycle"},
          {"action": "share", "coach": "{coach_and_teacher}"}, wrong=NOT_MINE),
    Asked("GET /coach/moments/{case_id}", "coach", MOMENT, wrong=NOT_SHARED_MOMENT),
    Asked("POST /coach/moments/{case_id}/reviews", "coach", MOMENT, "review", wrong=NOT_SHARED_MOMENT,
          text=("why-{skill_1}",)),
    Asked("POST /coach/moments/{case_id}/contests/{contest_id}/answer", "coach",
          {"case_id": "moment", "contest_id": "contest"}, {"answer": WORDS}, text=("answer",),
          wrong=(*NOT_SHARED_MOMENT, *to("coach", contest_id="unshared_contest"),
                 *to("coach", contest_id="unlinked_contest"))),
    Asked("POST /moments/{case_id}/choices", "teacher", MOMENT, DECLINED | {"ranking": "{moment_ranking}"},
          wrong=NOT_MINE, text=("why",)),
    Asked("GET /coach/practice/{cycle_id}", "coach", CYCLE, wrong=NOT_SHARED_PRACTICE),
    Asked("POST /coach/practice/{cycle_id}/check-ins", "coach", CYCLE, CHECK_IN, wrong=NOT_SHARED_PRACTICE,
          text=("note",)),
    Asked("POST /coach/practice/{cycle_id}/follow-ups", "coach", CYCLE, LOOK, wrong=NOT_SHARED_PRACTICE,
          text=("note",)),
    Asked("POST /practice/{cycle_id}/end", "teacher", CYCLE, {"state": "finished", "sure": "yes"}, wrong=NOT_MINE),
    Asked("POST /admin/contact", "administrator", fields={"contact": "Sal Safe, room 13"}, text=("contact",)),
    Asked("POST /admin/retention", "administrator", fields={"months": "7"}, text=("months",)),
    Asked("POST /admin/consent", "administrator", fields={"scope": "decisions", "action": "give"}),
    Asked("POST /my-data/consent", "teacher", fields={"scope": "decisions", "action": "give"}),
    Asked("POST /admin/people", "administrator",
          fields={"name": "Nell New", "email": "nell@school.example", "external_id": "t-nell", "role": "teacher"},
          text=("name", "email", "external_id")),
    Asked("GET /admin/people/{person_id}", "administrator", {"person_id": "teacher"}, wrong=OTHER_SCHOOL),
    Asked("POST /admin/people/{person_id}/sign-in-links", "administrator", {"person_id": "parting"},
          wrong=OTHER_SCHOOL),
    Asked("POST /admin/people/{person_id}/sign-out", "administrator", {"person_id": "parting"}, wrong=OTHER_SCHOOL),
    Asked("GET /admin/people/{person_id}/leave", "administrator", {"person_id": "parting"}, wrong=OTHER_SCHOOL),
    Asked("GET /admin/coaching/{link_id}/end", "administrator", {"link_id": "link"}, wrong=OTHER_SCHOOL),
    Asked("POST /admin/coaching/{link_id}/end", "administrator", {"link_id": "link"}, wrong=OTHER_SCHOOL),
    Asked("POST /admin/coaching", "administrator",
          fields={"coach_id": "{other_coach}", "teacher_id": "{teacher}", "person_id": "{teacher}"}),
    Asked("POST /admin/people/{person_id}/leave", "administrator", {"person_id": "parting"}, wrong=OTHER_SCHOOL),
    Asked("POST /admin/keys", "administrator", fields={"app": "lms", "scope": "score", "days": "30"},
          text=("app", "days")),
    Asked("POST /admin/keys/{key_id}/rotate", "administrator", {"key_id": "key"}, wrong=OTHER_SCHOOL),
    Asked("GET /admin/keys/{key_id}/revoke", "administrator", {"key_id": "second_key"}, wrong=OTHER_SCHOOL),
    Asked("POST /admin/keys/{key_id}/revoke", "administrator", {"key_id": "second_key"}, wrong=OTHER_SCHOOL),
    Asked("POST /admin/contests/{contest_id}/answer", "administrator", {"contest_id": "second_contest"},
          {"answer": WORDS}, wrong=OTHER_SCHOOL, text=("answer",)),
    Asked("POST /safeguarding/{alert_id}/seen", "safeguarding", {"alert_id": "alert"}, wrong=to("outside_lead")),
    Asked("GET /v1/cases/{id}", "gradebook", {"id": "sent"}, wrong=(*OTHER_APPS, *to("gradebook", id="moment"))),
    Asked("POST /v1/cases", "gradebook", fields=case_of(), text=("struggle",)),
    Asked("POST /v1/choices", "gradebook", fields=DECLINED | {"case": "{sent}", "ranking": "{sent_ranking}"},
          text=("why",)),
    Asked("POST /v1/reviews", "gradebook",
          fields={"case": "{sent}", "ranking": "{sent_ranking}", "coach": "t-coach",
                  "changes": [{"action": "remove", "skill": "{skill_1}", "why": WORDS}]}),
    Asked("GET /v1/cycles/{id}", "gradebook", {"id": "sent_cycle"}, wrong=(*OTHER_APPS, *to("gradebook", id="cycle"))),
    Asked("POST /v1/cycles/{id}/check-ins", "gradebook", {"id": "sent_cycle"},
          {"happened_on": TODAY, "times_tried": 2, "note": WORDS}, text=("note",),
          wrong=(*OTHER_APPS, *to("gradebook", id="cycle"))),
    Asked("POST /v1/cycles/{id}/follow-ups", "gradebook", {"id": "sent_cycle"},
          {"observed_on": TODAY, "phase": "follow_up", "seen": 1, "looked_for": 3, "note": WORDS}, text=("note",),
          wrong=(*OTHER_APPS, *to("gradebook", id="cycle"))),
    Asked("POST /v1/cycles/{id}/end", "gradebook", {"id": "sent_cycle"}, {"state": "finished", "ended_on": TODAY},
          wrong=(*OTHER_APPS, *to("gradebook", id="cycle"))),
    Asked("POST /v1/cycles", "gradebook", fields={"choice": "{sent_choice}", "started_on": TODAY}),
    Asked("DELETE /v1/cases/{id}", "gradebook", {"id": "sent_spare"},
          wrong=(*OTHER_APPS, *to("gradebook", id="moment"))),
)  # fmt: skip
"""In an order in which each of them succeeds when the right one asks."""

FORMS = tuple(asked for asked in ASKED if asked.is_form)
