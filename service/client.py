"""A typed client of the service for other Python programs, on the standard library."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from recommender.cases import Case, Ranking
from recommender.catalogue.skill import Skill
from service.api import answers
from service.api.health import Ready
from service.api.model import ModelFacts
from service.api.score import BatchAnswer
from service.api.skills import SkillList
from service.http_calls import JSON, Answer, Call, HttpCalls, ProblemError
from service.store.tables.cases import DeclineReason
from service.store.tables.cycles import Phase

__all__ = ["GrowthClient", "ProblemError"]

Body = TypeVar("Body", bound=BaseModel)
CSV = "text/csv"
DEFAULT_TIMEOUT = 30.0
DEFAULT_RETRIES = 2


class GrowthClient:
    """The routes of a service as methods. An app has a key (``gr_...``); a service on this machine scores without one.

    ``address``: where the service is, ``https://growth.school.example``. ``timeout`` in seconds, for each wait.
    ``retries``: how often a call is sent again when the service says "not now" or no answer comes. Whatever makes
    something carries an idempotency key, your own or a new one, so that a repeat makes nothing twice.

    Every method raises ProblemError for a refusal. Close it, or use it in a ``with`` block; one thread at a time.
    """

    def __init__(
        self, address: str, key: str | None = None, timeout: float = DEFAULT_TIMEOUT, *, retries: int = DEFAULT_RETRIES
    ) -> None:
        self._calls = HttpCalls(address, key, timeout, retries)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._calls.close()

    def ready(self) -> Ready:
        """Whether the service can rank, and with which versions."""
        return self._get("/health/ready", Ready)

    def model(self) -> ModelFacts:
        """The model version that answers, with its figures."""
        return self._get("/v1/model", ModelFacts)

    def skills(self, domain: str | None = None) -> SkillList:
        """The skills of the catalogue, or of one domain."""
        return self._get("/v1/skills", SkillList, domain=domain)

    def skill(self, skill_id: str) -> Skill:
        """One skill with its definition, look-fors and evidence."""
        return self._get(f"/v1/skills/{_part(skill_id)}", Skill)

    def score(self, case: Case) -> Ranking:
        """Rank a case; nothing is stored."""
        return self._post("/v1/score", _json(case), Ranking)

    def score_batch(self, cases: Sequence[Case]) -> BatchAnswer:
        """Rank many cases; each that cannot be ranked is answered with its place and its problem."""
        return self._post("/v1/score/batch", {"cases": [_json(case) for case in cases]}, BatchAnswer)

    def open_case(self, case: Case, *, idempotency_key: str | None = None) -> answers.CaseMade:
        """Store a case and rank it."""
        return self._make("/v1/cases", _json(case), answers.CaseMade, idempotency_key)

    def cases(self, *, after: str | None = None, limit: int = 20) -> answers.CaseList:
        """A part of the list of cases the app sent, latest first."""
        return self._get("/v1/cases", answers.CaseList, after=after, limit=limit)

    def all_cases(self) -> Iterator[answers.CaseLine]:
        """Every case the app sent, latest first, asked for in parts."""
        return _every(self.cases)

    def case(self, case_id: str) -> answers.StoredCase:
        """A case with its rankings, choices and reviews."""
        return self._get(f"/v1/cases/{_part(case_id)}", answers.StoredCase)

    def delete_case(self, case_id: str) -> None:
        """Delete a case and all that belongs to it. Repeated after a lost answer, it may find nothing (status 404)."""
        self._calls.send(Call("DELETE", f"/v1/cases/{_part(case_id)}"))

    def choose(
        self, case: str, ranking: str, skill: str, *, weeks: int = 6, idempotency_key: str | None = None
    ) -> answers.ChosenMade:
        """Pass on that the teacher takes a skill; with ``weeks`` 0 practice begins later (``begin_cycle``)."""
        body = {"decision": "chosen", "case": case, "ranking": ranking, "skill": skill, "weeks": weeks}
        return self._make("/v1/choices", body, answers.ChosenMade, idempotency_key)

    def decline(
        self,
        case: str,
        ranking: str,
        skill: str,
        *,
        reason: DeclineReason | None = None,
        why: str = "",
        idempotency_key: str | None = None,
    ) -> answers.DeclinedMade:
        """Pass on that the teacher declines a skill; the answer has a ranking without it."""
        body = {"decision": "declined", "case": case, "ranking": ranking, "skill": skill, "reason": reason, "why": why}
        return self._make("/v1/choices", body, answers.DeclinedMade, idempotency_key)

    def choices(self, case: str) -> list[answers.Choice]:
        """Every decision on a case, oldest first."""
        return self._get("/v1/choices", answers.ChoiceList, case=case).items

    def review(
        self,
        case: str,
        ranking: str,
        coach: str,
        changes: Sequence[answers.Change],
        *,
        idempotency_key: str | None = None,
    ) -> str:
        """Pass on what a coach, named as files and apps do, says about a ranking; the review's id."""
        said = [change.model_dump(mode="json", exclude_none=True) for change in changes]
        body = {"case": case, "ranking": ranking, "coach": coach, "changes": said}
        return self._make("/v1/reviews", body, answers.Made, idempotency_key).id

    def reviews(self, case: str) -> list[answers.Review]:
        """Every review of a case, oldest first."""
        return self._get("/v1/reviews", answers.ReviewList, case=case).items

    def begin_cycle(
        self, choice: str, started_on: date, *, weeks: int = 6, idempotency_key: str | None = None
    ) -> str:  # fmt: skip
        """Begin the weeks of practice of a chosen skill; the cycle's id."""
        body = {"choice": choice, "started_on": started_on.isoformat(), "weeks": weeks}
        return self._make("/v1/cycles", body, answers.Made, idempotency_key).id

    def cycles(self, *, after: str | None = None, limit: int = 20) -> answers.CycleList:
        """A part of the list of cycles of the app's cases, latest first."""
        return self._get("/v1/cycles", answers.CycleList, after=after, limit=limit)

    def all_cycles(self) -> Iterator[answers.Cycle]:
        """Every cycle of the app's cases, latest first, asked for in parts."""
        return _every(self.cycles)

    def cycle(self, cycle_id: str) -> answers.CycleDetail:
        """A cycle with its check-ins and looks at lessons."""
        return self._get(f"/v1/cycles/{_part(cycle_id)}", answers.CycleDetail)

    def check_in(
        self, cycle: str, happened_on: date, times_tried: int, *, note: str = "", idempotency_key: str | None = None
    ) -> str:
        """Pass on a teacher's check-in; its id."""
        body = {"happened_on": happened_on.isoformat(), "times_tried": times_tried, "note": note}
        return self._make(f"/v1/cycles/{_part(cycle)}/check-ins", body, answers.Made, idempotency_key).id

    def follow_up(
        self,
        cycle: str,
        phase: Phase,
        observed_on: date,
        seen: int,
        looked_for: int,
        *,
        note: str = "",
        idempotency_key: str | None = None,
    ) -> str:
        """Pass on a teacher's look at a lesson; its id."""
        body = {"phase": phase, "observed_on": observed_on.isoformat(), "seen": seen, "looked_for": looked_for}
        path = f"/v1/cycles/{_part(cycle)}/follow-ups"
        return self._make(path, body | {"note": note}, answers.Made, idempotency_key).id

    def end_cycle(self, cycle: str, state: Literal["finished", "stopped"], ended_on: date) -> answers.Cycle:
        """End a cycle; ending it again changes nothing."""
        body = {"state": state, "ended_on": ended_on.isoformat()}
        return self._post(f"/v1/cycles/{_part(cycle)}/end", body, answers.Cycle)

    def send_scores(
        self, scores: Sequence[Mapping[str, str | float | None]] | bytes, *, include_formal: bool = False
    ) -> answers.ScoresTaken:
        """Store observation scores: rows, or the bytes of a CSV file; bad rows come back in ``refused``."""
        path = "/v1/observations" + _query(include_formal="true" if include_formal else None)
        if isinstance(scores, bytes):
            return _read(self._calls.send(Call("POST", path, scores, CSV)), answers.ScoresTaken)
        return self._post(path, {"scores": [dict(row) for row in scores]}, answers.ScoresTaken)

    def fit_norms(self) -> answers.NormsFitted:
        """Fit the tenant's norms on all its stored scores."""
        return _read(self._calls.send(Call("POST", "/v1/norms", is_repeatable=False)), answers.NormsFitted)

    def _get(self, path: str, model: type[Body], **query: str | int | None) -> Body:
        return _read(self._calls.send(Call("GET", path + _query(**query))), model)

    def _post(self, path: str, body: Any, model: type[Body], headers: Mapping[str, str] | None = None) -> Body:
        content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        return _read(self._calls.send(Call("POST", path, content, JSON, headers)), model)

    def _make(self, path: str, body: Any, model: type[Body], key: str | None) -> Body:
        return self._post(path, body, model, {"Idempotency-Key": key or secrets.token_hex(16)})


def _read(answer: Answer, model: type[Body]) -> Body:
    return model.model_validate_json(answer.content)


def _json(case: Case) -> dict[str, Any]:
    return case.model_dump(mode="json")


def _part(text: str) -> str:
    return quote(text, safe="")


def _query(**values: str | int | None) -> str:
    given = {name: value for name, value in values.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def _every(part: Callable[..., Any]) -> Iterator[Any]:
    after = None
    while True:
        page = part(after=after, limit=200)
        yield from page.items
        if (after := page.next) is None:
            return
