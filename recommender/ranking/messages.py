"""The engine's sentences, kept as data."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml

MESSAGES_FILE = Path(__file__).parent / "messages.yaml"


@lru_cache(maxsize=1)
def _messages() -> dict[str, str]:
    document: dict[str, str] = yaml.safe_load(MESSAGES_FILE.read_text(encoding="utf-8"))
    return document


def message(key: str, **filling: str) -> str:
    """The sentence under ``key`` with its braces filled."""
    return _messages()[key].format(**filling)
