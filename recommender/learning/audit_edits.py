"""Edits of a text that change one thing about it and leave what is going wrong in class as it was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from recommender.learning.audit_parameters import EditRule, PronounEdits

_WORD = re.compile(r"[^\W\d_]+")
# A typing slip in one of this many words.
TYPO_EVERY = 8
_SHORTEST_TYPO = 4


class Place(NamedTuple):
    """Half-open character span of one edit and what stands there afterwards."""

    start: int
    end: int
    new: str


def prefixed(sentence: str, text: str) -> str:
    """``text`` after one more sentence, cut where it would be longer than a struggle may be."""
    return f"{sentence} {text}"[:MAX_STRUGGLE_CHARACTERS]


def apply_rules(text: str, rules: Sequence[EditRule]) -> tuple[str, int]:
    """``text`` after all rules, one after the other, and how many places they changed."""
    changed = 0
    for rule in rules:
        places = _places(text, rule)[:: rule.every]
        text, changed = _replaced(text, places), changed + len(places)
    return text, changed


def neutral_edits(text: str, rules: Sequence[EditRule], wanted: int) -> tuple[str, int]:
    """``text`` with ``wanted`` of the places changed that the rules offer, spread over it; fewer where it has fewer.

    Where two rules fit at one place, the first of them counts.
    """
    offered: list[Place] = []
    for rule in rules:
        for place in _places(text, rule):
            if all(place.end <= other.start or other.end <= place.start for other in offered):
                offered.append(place)
    offered.sort()
    count = min(wanted, len(offered))
    chosen = [offered[i] for i in np.linspace(0, len(offered) - 1, count).round().astype(int)] if count else []
    return _replaced(text, chosen), count


def _places(text: str, rule: EditRule) -> list[Place]:
    return [Place(match.start(), match.end(), match.expand(rule.to)) for match in rule.pattern.finditer(text)]


def _replaced(text: str, places: Sequence[Place]) -> str:
    """The text with each place replaced; what began with a capital still does."""
    for start, end, new in reversed(places):
        rest = text[end:]
        if text[start : start + 1].isupper():
            new, rest = (_capital(new), rest) if new else (new, _capital(rest))
        text = text[:start] + new + rest
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def swap_gender(text: str, words: PronounEdits) -> str | None:
    """The text with every word of its one gender turned into the other's.

    None where it names no gender or both, or holds a word that would not fit any more. From male to female and back
    gives the same text unless "her" is misread: it is read as "him" before a mark or one of ``object_before``, else as
    "his".
    """
    found = {match.group().lower() for match in _WORD.finditer(text)}
    male, female = found & set(words.male), found & {*words.female, "her"}
    if bool(male) == bool(female) or found & set(words.fixed):
        return None
    table = words.male if male else words.female
    places = []
    for match in _WORD.finditer(text):
        word = match.group().lower()
        new = table.get(word)
        if female and word == "her":
            new = words.her.object if _is_object(text[match.end() :], words) else words.her.possessive
        if new is not None:
            places.append(Place(match.start(), match.end(), new))
    return _replaced(text, places)


def _is_object(after: str, words: PronounEdits) -> bool:
    following = re.match(r"\s+([^\W\d_]+)", after)
    return following is None or following.group(1).lower() in _followers(tuple(words.object_before))


@lru_cache(maxsize=4)
def _followers(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(words)


def with_typos(text: str, seed: int) -> str:
    """Two neighbouring inner letters change places in one of ``TYPO_EVERY`` longer words; the same seed, the same."""
    rng = np.random.default_rng(seed)
    words = [match for match in _WORD.finditer(text) if len(match.group()) >= _SHORTEST_TYPO]
    count = -(-len(words) // TYPO_EVERY)
    for at in sorted(rng.choice(len(words), size=count, replace=False).tolist()) if words else []:
        inner = words[at].start() + int(rng.integers(1, len(words[at].group()) - 2))
        text = text[:inner] + text[inner + 1] + text[inner] + text[inner + 2 :]
    return text


def without_marks(text: str) -> str:
    """The text in small letters without punctuation, as it is typed on a telephone in a hurry."""
    return " ".join(re.sub(r"[^\w\s'\u2019]", " ", text.lower()).split())


def first_words(text: str, count: int) -> str:
    """The first ``count`` words."""
    return " ".join(text.split()[:count])


def padded(text: str, padding: str, length: int = MAX_STRUGGLE_CHARACTERS) -> str:
    """The text followed by ``padding`` as often as ``length`` characters have room for, once at least if a case has."""
    room = min(length, MAX_STRUGGLE_CHARACTERS) - len(text)
    times = max(room // (len(padding) + 1), int(len(text) + len(padding) < MAX_STRUGGLE_CHARACTERS))
    return text + f" {padding}" * times


def words_changed(first: str, second: str) -> int:
    """How many words of the longer side differ between two texts, word by word."""
    old, new = first.split(), second.split()
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal")
