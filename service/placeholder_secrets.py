"""Secrets that are none: what example files say and what is guessed first."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from recommender.errors import DataFileError

PLACEHOLDERS_FILE = Path(__file__).parent / "placeholder_secrets.yaml"
_SAFE_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_TOLD_APART = str.maketrans("", "", " -_")

Words = Annotated[str, StringConstraints(min_length=3, max_length=100)]


class Placeholder(BaseModel):
    """A value everybody knows, and from where."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Words
    why: Words


@lru_cache(maxsize=1)
def placeholders() -> dict[str, Placeholder]:
    """Every placeholder, by its value as it is compared. Raises DataFileError when the file breaks a rule."""
    try:
        document = yaml.load(PLACEHOLDERS_FILE.read_text(encoding="utf-8"), Loader=_SAFE_LOADER)
        entries = TypeAdapter(list[Placeholder]).validate_python(document)
    except (yaml.YAMLError, ValidationError):
        raise DataFileError(
            "a list that cannot be used", wanted="value and why of each", where=PLACEHOLDERS_FILE.name
        ) from None
    return {_folded(entry.value): entry for entry in entries}


def why_no_secret(secret: str) -> str | None:
    """Why a value is no secret; None when it is not on the list."""
    known = placeholders().get(_folded(secret))
    return known.why if known else None


def _folded(value: str) -> str:
    return value.strip().lower().translate(_NOT_TOLD_APART)
