"""How often somebody may try: moving windows in the memory of the process, one process a service."""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Literal

from fastapi import Depends, Request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from service.problems import Problem
from service.settings import Settings
from service.store.actors import Actor

RateName = Literal["sign_in_failures", "key_failures", "forms", "cases", "app_requests"]
# A host of IPv6 has a whole network of this size and could come from another address each time.
IPV6_PREFIX_BITS = 64
# A clock that is set right step by step goes back by less, in seconds.
CLOCK_STEP = 1.0


class Rates:
    """Counts of what was tried lately, by whom. Raising Problem ``too-many-requests`` says when to come back."""

    def __init__(self, settings: Settings) -> None:
        self._storage = MemoryStorage()
        self._window = MovingWindowRateLimiter(self._storage)
        self._latest = time.time()
        self._limits: dict[RateName, RateLimitItem] = {
            # Only failures count: a school has one address, and its teachers sign in on the same morning.
            "sign_in_failures": RateLimitItemPerMinute(10, 10),
            # An app with a wrong key asks again and again; thirty are enough to notice.
            "key_failures": RateLimitItemPerMinute(30, 10),
            # Two a second: autosave and quick hands stay below, a script does not.
            "forms": RateLimitItemPerMinute(120, 1),
            # A moment takes two minutes to write; each is ranked and kept.
            "cases": RateLimitItemPerMinute(30, 60),
            "app_requests": RateLimitItemPerMinute(settings.app_requests_per_minute, 1),
        }

    def count(self, name: RateName, who: str) -> None:
        """Count one; raises Problem when it was one too many."""
        self._forget_the_future()
        if not self._window.hit(self._limits[name], name, who):
            raise self._too_many(name, who)

    def note_failure(self, name: RateName, who: str) -> None:
        """Count a failure, which has its own answer."""
        self._forget_the_future()
        self._window.hit(self._limits[name], name, who)

    def require_open(self, name: RateName, who: str) -> None:
        """Raises Problem when there were too many failures already."""
        self._forget_the_future()
        if not self._window.test(self._limits[name], name, who):
            raise self._too_many(name, who)

    def _forget_the_future(self) -> None:
        """Begin anew when the clock went back: what was counted ahead of it would count until the clock is there."""
        now = time.time()
        if now < self._latest - CLOCK_STEP:
            self._storage.reset()
        self._latest = now

    def _too_many(self, name: RateName, who: str) -> Problem:
        opens = self._window.get_window_stats(self._limits[name], name, who).reset_time
        seconds = max(1, math.ceil(opens - time.time()))
        return Problem("too-many-requests", headers={"Retry-After": str(seconds)})


async def _rates(request: Request) -> Rates:
    found: Rates = request.app.state.rates
    return found


ServiceRates = Annotated[Rates, Depends(_rates)]


def client_address(request: Request) -> str:
    """Where a request comes from, as far as it can be believed: the peer, or what a trusted proxy says of it.

    The server puts a trusted proxy's word in the peer's place (GROWTH_TRUSTED_PROXIES). An IPv6 address is cut to its
    network.
    """
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> (128 - IPV6_PREFIX_BITS) << (128 - IPV6_PREFIX_BITS)))
    return str(address)


def count_case(rates: Rates, actor: Actor) -> None:
    """Count a case a person sends; apps are counted by their requests. Raises Problem when it was one too many."""
    if actor.kind == "person":
        rates.count("cases", f"{actor.tenant_id}/{actor.id}")
