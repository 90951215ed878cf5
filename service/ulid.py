"""Ids that sort by time: ULID, 48 bits of milliseconds and 80 random bits (https://github.com/ulid/spec)."""

from __future__ import annotations

import secrets
import threading
import time

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_BITS = 80
# Room for thousands of steps within a millisecond, and no step that could be guessed.
STEP_BITS = 40

_lock = threading.Lock()
_last = (0, 0)


def new_ulid() -> str:
    """A fresh ULID, 26 characters; those a process makes within one millisecond sort as they were made."""
    global _last
    with _lock:
        now = time.time_ns() // 1_000_000
        if now == _last[0]:
            randomness = _last[1] + 1 + secrets.randbits(STEP_BITS)
        else:
            # The highest bit is left free, so that steps never run over.
            randomness = secrets.randbits(RANDOM_BITS - 1)
        _last = (now, randomness)
    return encode(now, randomness)


def encode(milliseconds: int, randomness: int) -> str:
    """26 base-32 digits of a time since 1970 (below 2**48) and 80 random bits."""
    number = milliseconds << RANDOM_BITS | randomness
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
