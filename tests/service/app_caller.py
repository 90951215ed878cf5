"""An app of the school, as a client that sends its stored key."""

from __future__ import annotations

from typing import Any

from school_app import STRUGGLE, SchoolApp

from service.store.tables.people import Scope

CASE = {"case_id": "c1", "teacher_id": "t-teacher", "struggle": STRUGGLE, "context": {"subject": "science"}}


class Caller:
    """Requests of one app; without ``key`` a new one of the school with the scopes."""

    def __init__(self, school: SchoolApp, *scopes: Scope, app: str = "gradebook", key: str | None = None) -> None:
        self.client = school.signed_out()
        secret = key or school.key(*scopes, app=app)
        self.client.headers.update({"accept": "*/*", "authorization": f"Bearer {secret}"})
        self.get, self.delete, self.post, self.request = (
            self.client.get, self.client.delete, self.client.post, self.client.request,
        )  # fmt: skip

    def send(self, path: str, body: dict[str, Any], key: str | None = None) -> Any:
        """Post JSON, with an idempotency key where there is one."""
        return self.client.post(path, json=body, headers={} if key is None else {"Idempotency-Key": key})

    def open(self, key: str | None = None, **fields: Any) -> Any:
        """Post a case of the teacher's."""
        return self.send("/v1/cases", CASE | fields, key)

    def opened(self, **fields: Any) -> dict[str, str]:
        """A new case as a choice or a review names it: its id, its ranking's, and the first skill."""
        made = self.open(**fields).json()
        ranking = made["ranking"]
        skill = ranking["suggestions"][0]["skill_id"]
        return {"case": made["id"], "ranking": ranking["ranking_id"], "skill": skill}

    def begun(self, **fields: Any) -> str:
        """A new cycle of the teacher's; its id."""
        return str(self.send("/v1/choices", {"decision": "chosen"} | self.opened(**fields)).json()["cycle"])


def problem(answer: Any) -> tuple[int, str]:
    """Status and kind of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rsplit(":", 1)[1]
