"""On this machine alone no key is asked for, so a name that is not this machine's gets no answer.

A web site can let its own name point to 127.0.0.1 and so ask the service from a visitor's browser (DNS rebinding). The
browser then sends that name in Host.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.problems import Problem, problem_response
from service.settings import Settings, is_loopback

HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:@/\s]*)(:[0-9]{1,5})?")


class HostCheck:
    """ASGI middleware: in local mode a Host that other people's names could be in gets Problem ``wrong-host``."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.checks = settings.is_local
        self.public_host = urlsplit(settings.public_url or "").hostname

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its Host is this machine's."""
        if scope["type"] == "http" and self.checks and not self._is_ours(Headers(scope=scope).get("host", "")):
            request_id = scope.get("state", {}).get("request_id")
            await problem_response(Problem("wrong-host"), request_id)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_ours(self, sent: str) -> bool:
        parts = HOST.fullmatch(sent)
        if parts is None:
            return False
        host = parts["host"].lower()
        # A name without a dot is nobody's to buy.
        return "." not in host.rstrip(".") or is_loopback(host) or host == self.public_host
