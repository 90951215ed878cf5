"""The sentences said beside needs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml

from recommender.catalogue.loader import _SAFE_LOADER

NOTICES_FILE = Path(__file__).with_name("notices.yaml")
Notice = Literal["flat_profile", "one_item", "one_rater_school", "unknown_observer", "thin_norms"]
NOTICES: tuple[Notice, ...] = ("flat_profile", "one_item", "one_rater_school", "unknown_observer", "thin_norms")


@lru_cache(maxsize=1)
def _sentences() -> dict[str, str]:
    sentences: dict[str, str] = yaml.load(NOTICES_FILE.read_bytes(), Loader=_SAFE_LOADER)
    return sentences


def notice(key: Notice) -> str:
    """The sentence of a notice."""
    return _sentences()[key]
