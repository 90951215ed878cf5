"""Errors as RFC 9457 problem details: one shape everywhere, and never a word of what the client sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response

PROBLEMS_FILE = Path(__file__).parent / "problems.yaml"
MEDIA_TYPE = "application/problem+json"
URN = "urn:growth:problem:"


class FieldError(BaseModel):
    """One field that cannot be used, and what is wanted there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    wanted: str


class ProblemBody(BaseModel):
    """A problem as it is sent; ``instance`` is the request id, ``errors`` is there for status 422 only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[FieldError] | None = None


class ProblemKind(BaseModel):
    """One entry of ``problems.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: int
    title: str
    detail: str


@lru_cache(maxsize=1)
def problem_kinds() -> Mapping[str, ProblemKind]:
    """Every kind of problem by name."""
    document = yaml.safe_load(PROBLEMS_FILE.read_text(encoding="utf-8"))
    return {name: ProblemKind.model_validate(entry) for name, entry in document.items()}


class Problem(HTTPException):
    """A request that cannot be answered as asked; ``name`` is a key of ``problems.yaml``."""

    def __init__(
        self, name: str, *, errors: Iterable[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.errors = list(errors)
        kind = problem_kinds()[name]
        super().__init__(kind.status, kind.title, headers=headers)

    def body(self, request_id: str | None = None) -> ProblemBody:
        """The problem as it is sent."""
        kind = problem_kinds()[self.name]
        return ProblemBody(
            type=URN + self.name,
            title=kind.title,
            status=kind.status,
            detail=kind.detail,
            instance=request_id,
            errors=self.errors or None,
        )


def as_problem(error: HTTPException) -> Problem:
    """The framework's own refusals (404, 405, ...) in our shape; their text is dropped."""
    if isinstance(error, Problem):
        return error
    names = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}
    fallback = "internal" if error.status_code >= 500 else "bad-request"
    return Problem(names.get(error.status_code, fallback), headers=error.headers)


def problem_response(problem: Problem, request_id: str | None) -> Response:
    """The answer for a problem, in ASCII so that no character can break it."""
    content: dict[str, Any] = problem.body(request_id).model_dump(exclude_none=True)
    return Response(json.dumps(content), problem.status_code, headers=problem.headers, media_type=MEDIA_TYPE)
