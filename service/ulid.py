"""Ids that sort by time: ULID, 48 bits of milliseconds and 80 random bits (https://github.com/ulid/spec)."""

from __future__ import annotations

import secrets
import time

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_ulid() -> str:
    """A fresh ULID, 26 characters."""
    return encode(time.time_ns() // 1_000_000, secrets.randbits(80))


def encode(milliseconds: int, randomness: int) -> str:
    """26 base-32 digits of a time since 1970 (below 2**48) and 80 random bits."""
    number = milliseconds << 80 | randomness
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
