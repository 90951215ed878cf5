"""The pages' texts, kept as data."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

STRINGS_FILE = Path(__file__).parent / "strings.yaml"


@lru_cache(maxsize=1)
def page_strings() -> dict[str, Any]:
    """Every text of the pages, nested as in the file."""
    document: dict[str, Any] = yaml.safe_load(STRINGS_FILE.read_text(encoding="utf-8"))
    return document
