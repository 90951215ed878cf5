"""Folds a subject in the teacher's words to a closed list, so that it can be a feature without being free text."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from recommender.errors import DataFileError

Subject = Literal[
    "special-education",
    "english-learners",
    "computing",
    "science",
    "mathematics",
    "social-studies",
    "reading",
    "writing",
    "english",
    "world-languages",
    "music",
    "drama-dance",
    "art",
    "pe-health",
    "career-technical",
    "religion",
    "library",
    "homeroom",
    "all-subjects",
    "other",
    "unknown",
]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)
SUBJECTS_FILE = Path(__file__).parent / "subjects.yaml"
MAX_SUBJECT_CHARACTERS = 120


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    document = yaml.safe_load(SUBJECTS_FILE.read_text(encoding="utf-8"))
    unknown = set(document) - set(SUBJECTS)
    if unknown:
        raise DataFileError(f"subject {min(unknown)!r}", wanted="one of the closed list", where=SUBJECTS_FILE.name)
    return tuple(
        (
            subject,
            re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + r")(?!\w)"),
        )
        for subject, words in document.items()
    )


def fold_subject(value: Any) -> Any:
    """One of ``SUBJECTS`` for any short text; null and empty are ``unknown``, words nobody listed are ``other``.

    Raises ValueError for text over 120 characters. Other types pass through, for the field's own check to refuse.
    """
    if value is None:
        return "unknown"
    if not isinstance(value, str) or value in SUBJECTS:
        return value
    if len(value) > MAX_SUBJECT_CHARACTERS:
        raise ValueError(f"a subject has at most {MAX_SUBJECT_CHARACTERS} characters")
    text = value.strip().lower()
    if not text:
        return "unknown"
    matches = [(len(found.group()), subject) for subject, pattern in _patterns() if (found := pattern.search(text))]
    return max(matches, key=lambda match: match[0])[1] if matches else "other"
