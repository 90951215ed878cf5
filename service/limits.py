"""Bounds on what a client may send: bytes of a body, and the time it may take to arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import Problem

# The rest of the body is not read, so nothing more can be said on this connection.
CLOSE = {"Connection": "close"}


class BodyLimit:
    """ASGI middleware: a route that reads a body over its path's limit gets Problem ``too-large`` instead.

    A declared length is believed and refused at once; an undeclared one is counted as it arrives.
    """

    def __init__(self, app: ASGIApp, limit: int, limits: Mapping[str, int]) -> None:
        self.app = app
        self.limit = limit
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] == "http":
            limit = self.limits.get(scope["path"], self.limit)
            receive = _counted(receive, limit, _declared_length(scope))
        await self.app(scope, receive, send)


def _declared_length(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    # A number beyond 20 digits is over any limit; reading all of it would be work for nothing.
    return int(declared[:20]) if declared.isascii() and declared.isdigit() else 0


def _counted(receive: Receive, limit: int, declared: int) -> Receive:
    seen = 0

    async def receive_counted() -> Message:
        nonlocal seen
        if declared > limit:
            raise Problem("too-large", headers=CLOSE)
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise Problem("too-large", headers=CLOSE)
        return message

    return receive_counted


async def read_body(request: Request, seconds: float) -> bytes:
    """The whole body. Raises Problem when it is too large or takes longer than ``seconds`` to arrive."""
    try:
        async with asyncio.timeout(seconds):
            return await request.body()
    except TimeoutError:
        raise Problem("slow-body", headers=CLOSE) from None
    except ClientDisconnect:
        raise Problem("bad-request") from None
