"""One HTTP call after another to a service, on the standard library: time limits, repeats where they are safe."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from pydantic import ValidationError

from recommender.errors import GrowthError, SettingsError
from service.problems import FieldError, ProblemBody

JSON = "application/json"
REQUEST_ID = "X-Request-ID"
# Too many requests, and a service that starts, restarts or waits for its database.
PASSING = (429, 502, 503, 504)
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0


class ProblemError(GrowthError):
    """The service refused: its problem, field by field. It never holds what was sent.

    ``status`` 0: no answer came; nothing is known of what became of the request.
    """

    def __init__(
        self, status: int, kind: str, title: str, *, errors: tuple[FieldError, ...] = (), request_id: str | None = None
    ) -> None:
        self.status = status
        self.kind = kind
        self.title = title
        self.errors = errors
        self.request_id = request_id
        fields = "; ".join(f"{error.field}: {error.wanted}" for error in errors)
        super().__init__(
            f"{title} ({status})" if status else title,
            wanted=fields or "an answer",
            way_out=f"The service's log has more under {request_id}." if request_id else "",
        )


@dataclass(frozen=True)
class Answer:
    """An answer of the service with a status below 400."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Call:
    """A request. ``is_repeatable``: to do it twice is to do it once."""

    method: str
    path: str
    content: bytes | None = None
    media_type: str = JSON
    headers: Mapping[str, str] | None = None
    is_repeatable: bool = True


class HttpCalls:
    """Calls to one service on one connection that is kept open; not for several threads at once.

    ``timeout``: seconds a connection, a send or a read may take. ``retries``: how often a repeatable call is sent again
    after a broken connection or an answer that says "not now"; it waits as Retry-After says, up to a minute, else
    0.5 s, 1 s, 2 s, ... with some chance in it. Raises SettingsError for an address that is none.
    """

    def __init__(
        self, address: str, key: str | None, timeout: float, retries: int, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise SettingsError("something that is no address of a service", wanted="https://growth.school.example")
        self._parts = parts
        self._port = parts.port
        self._key = key
        self._timeout = timeout
        self._retries = retries
        self._sleep = sleep
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def send(self, call: Call) -> Answer:
        """Send a call and wait for its answer. Raises ProblemError for a refusal, or when no answer comes."""
        for attempt in range(self._retries + 1):
            is_last = attempt == self._retries or not call.is_repeatable
            try:
                answer = self._sent_once(call)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if is_last:
                    raise ProblemError(0, "no-answer", f"No answer came ({type(error).__name__})") from None
                self._sleep(_wait(attempt))
                continue
            if answer.status < 400:
                return answer
            wait = _asked_wait(answer, attempt)
            if is_last or answer.status not in PASSING or wait > LONGEST_WAIT:
                raise _refusal(answer)
            self._sleep(wait)
        raise AssertionError  # the last attempt returns or raises

    def _sent_once(self, call: Call) -> Answer:
        if not call.is_repeatable:
            # A connection that was open for a while may be closed at the other end, which nobody knows before sending.
            self.close()
        connection = self._connection = self._connection or self._opened()
        headers = {"Accept": JSON, "User-Agent": "growth-client", **(call.headers or {})}
        if call.content is not None:
            headers["Content-Type"] = call.media_type
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        connection.request(call.method, self._parts.path.rstrip("/") + call.path, call.content, headers)
        response = connection.getresponse()
        content = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def _opened(self) -> http.client.HTTPConnection:
        host = str(self._parts.hostname)
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, self._port, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(host, self._port, timeout=self._timeout)


def _wait(attempt: int) -> float:
    # Some chance, so that apps that were refused together do not come back together.
    return float(FIRST_WAIT * 2**attempt * random.uniform(0.75, 1.25))


def _asked_wait(answer: Answer, attempt: int) -> float:
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() else _wait(attempt)


def _refusal(answer: Answer) -> ProblemError:
    request_id = answer.headers.get(REQUEST_ID.lower())
    try:
        body = ProblemBody.model_validate(json.loads(answer.content))
    except (ValueError, ValidationError):
        # Not the service's own words: a proxy's, say.
        return ProblemError(answer.status, "unknown", http.client.responses.get(answer.status, "An unknown status"))
    kind = body.type.rpartition(":")[2]
    return ProblemError(answer.status, kind, body.title, errors=tuple(body.errors or ()), request_id=request_id)
