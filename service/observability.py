"""Around every request: a request id, security headers, a metric, one log line, and an answer whatever goes wrong."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.logs import FIELDS, LOGGER_NAME, describe_exception
from service.metrics import METHODS, Metrics
from service.problems import Problem, problem_response
from service.ulid import new_ulid

REQUEST_ID_HEADER = "X-Request-ID"
STATIC = "/static/"
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
logger = logging.getLogger(LOGGER_NAME)


class Observed:
    """ASGI middleware, outermost: nothing reaches the client or the log but through it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and record how it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, scope)
        scope.setdefault("state", {})["request_id"] = answer.request_id
        failure: dict[str, Any] = {}
        started = time.perf_counter()
        with self.metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, answer.send)
            except Exception as error:
                failure = describe_exception(error)
                if not answer.started:
                    await problem_response(Problem("internal"), answer.request_id)(scope, receive, answer.send)
        self._record(scope, answer, time.perf_counter() - started, failure)

    def _record(self, scope: Scope, answer: _Answer, seconds: float, failure: dict[str, Any]) -> None:
        route = _route_template(scope)
        self.metrics.count_request(route, scope["method"], answer.status, seconds)
        fields = {
            "request_id": answer.request_id,
            "method": scope["method"] if scope["method"] in METHODS else "other",
            "route": route,
            "status": answer.status,
            "ms": round(seconds * 1_000, 1),
            **scope["state"].get("facts", {}),
            **failure,
        }
        level = logging.ERROR if failure else logging.INFO
        logger.log(level, "request failed" if failure else "request", extra={FIELDS: fields})


class _Answer:
    """Watches an answer on its way out and adds the headers every answer has."""

    def __init__(self, send: Send, scope: Scope) -> None:
        self.request_id = _request_id(scope)
        # A browser may keep the style sheet if it asks each time whether it changed; an answer is nobody's to keep.
        self._cache_control = "no-cache" if scope["path"].startswith(STATIC) else "no-store"
        self.status = 500
        self.started = False
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_HEADER] = self.request_id
            headers.setdefault("Cache-Control", self._cache_control)
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
        await self._send(message)


def add_facts(request: Request, **facts: object) -> None:
    """Add fields to the request's log line: lengths, counts and statuses, never text."""
    request.scope["state"].setdefault("facts", {}).update(facts)


def request_id_of(request: Request) -> str:
    """The id of this request, as sent back in ``X-Request-ID``."""
    found: str = request.scope["state"]["request_id"]
    return found


def _request_id(scope: Scope) -> str:
    sent = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
    return sent if SANE_REQUEST_ID.fullmatch(sent) else new_ulid()


def _route_template(scope: Scope) -> str:
    template = getattr(scope.get("route"), "path", None)
    if isinstance(template, str):
        return template
    return STATIC if scope["path"].startswith(STATIC) else "unmatched"
