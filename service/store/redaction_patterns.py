"""The patterns behind ``redaction``: what looks like an address or a number, and where a name must be meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from unicodedata import combining, normalize

from recommender.catalogue.yaml_files import read_yaml

WORDS_FILE = Path(__file__).parent / "redaction_words.yaml"
Span = tuple[int, int]
SHORT_FOR = 4

# A capitalised word: Zoë, O'Neil, Anne-Marie. Two letters at least.
_NAME = r"[A-ZÀ-ÖØ-Þ](?:[’'][A-Z])?[a-zà-öø-ÿ]+(?:-?[A-Z][a-zà-öø-ÿ]+)*"
NAME = re.compile(rf"(?<!\w){_NAME}(?!\w)")
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;\n\r(\[\"“”‘—–-])\s*[\"“‘(]*$")


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """The lists of ``redaction_words.yaml``, each as a frozenset; public names as written."""
    document = read_yaml(WORDS_FILE)
    return {name: value if isinstance(value, list) else frozenset(value.split()) for name, value in document.items()}


def _any_of(name: str) -> str:
    return "|".join(sorted(map(re.escape, words()[name]), key=lambda word: (-len(word), word)))


_STREET_NAME = r"(?:(?:[NSEW]|North|South|East|West)\.?\s+)?"
_NOT_IN_A_STREET = r"(?!(?:the|on|in|of|a|an|down|and|to|at|off|per|more|that|min|mins|minutes|kids|students)\b)"
_LINK = r"(?:https?://|www\.)[^\s<>\[\]\"']{3,}"
# Beginning only where a word begins keeps a long word from being tried at each of its letters.
_EMAIL = r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_SPELLED_EMAIL = (
    r"(?<![\w.+-])[\w.+-]+\s?\(?\b(?:at)\b\)?\s?(?:gmail|yahoo|hotmail|outlook|icloud)\s?(?:\.|\bdot\b)\s?com\b"
)
_PHONE = (
    r"(?<![\w.+-])(?:"
    r"\+\d(?:[\s().-]{0,2}\d){6,14}"
    r"|(?:1[\s.-]?)?(?:\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]\d{4}"
    r"|\d{3}[.-]\d{4}"
    r"|0\d{2,4}[\s-]\d{3,4}(?:[\s-]\d{3,4})?"
    r"|\d{10,11}"
    r")(?![\w-]|\.\d)"
)
_ID = (
    r"(?<![\w.-])(?:\d{3}-\d{2}-\d{4}"
    r"|(?:(?i:student|id|upn|pupil)\s?(?i:id|no\.?|number)?|#)\s?[:#]?\s?\d{5,12}"
    r"|\d{6,9})(?![\w-]|\.\d)"
)
_POSTCODE = r"(?<!\w)[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}(?!\w)"
_ZIP = r"(?<!\w)[A-Z]{2}\s\d{5}(?:-\d{4})?(?!\w)"

NUMBERED: tuple[tuple[Literal["email", "phone", "address", "id", "link"], re.Pattern[str]], ...] = (
    ("link", re.compile(_LINK, re.IGNORECASE)),
    ("email", re.compile(f"{_EMAIL}|(?i:{_SPELLED_EMAIL})")),
    (
        "address",
        re.compile(
            rf"(?<![\w.,])\d{{1,5}}[a-zA-Z]?\s+{_STREET_NAME}(?:"
            rf"(?:[A-Z][\w’']*\s+){{1,3}}(?:{_any_of('short_street_types')})(?!\w)\.?"
            rf"|(?i:(?:{_NOT_IN_A_STREET}[a-z][\w’']*\s+){{1,2}}(?:{_any_of('street_types')}))(?!\w))"
            rf"|{_ZIP}|{_POSTCODE}"
        ),
    ),
    ("phone", re.compile(_PHONE)),
    ("id", re.compile(_ID)),
)

# A dot after any other title ends a sentence.
_TITLE = rf"(?:(?i:mrs?|ms|mx|dr|prof)\.?|(?i:{_any_of('titles')}))"
_TITLED = re.compile(rf"(?<!\w){_TITLE}\s+({_NAME}|[A-Z](?=\.|\b))(?:\s+({_NAME}))?(?!\w)")
# mr jones, typed in haste.
_TITLED_LOWER = re.compile(r"(?<![\w’'])(?i:mrs?)\.?\s+([a-z]{3,})(?!\w)")
# "a student named Zephyr", "my kid, Zephyr", "students called Zephyr and Jonquil", "his name is Zephyr".
_CALLED = re.compile(
    rf"(?<!\w)(?:(?i:{_any_of('person_nouns')})(?:,?\s+(?i:named|called|nicknamed)|,)?"
    rf"|(?i:{_any_of('people_nouns')}),?\s+(?i:named|called|nicknamed)"
    rf"|(?i:named)|(?i:names?\s+(?:is|are|was))|(?i:name[’']s))"
    rf"\s+[\"“‘']?({_NAME})(?:\s+(?:and|&)\s+({_NAME}))?"
)
_BELONGS = re.compile(rf"(?<!\w)({_NAME})[’']s\s+(?i:{_any_of('belongings')})(?!\w)")
_SURNAME = re.compile(rf"\s+(?:({_NAME})|([A-Z])\.(?!\w))(?!\w)")


def name_spans(text: str) -> list[Span]:
    """Where a name is meant, outside of what everybody reads about; spans may overlap."""
    kept = public_spans(text)
    spans = [*_cued(text), *_listed(text)]
    return [span for span in spans if not any(span[0] < end and start < span[1] for start, end in kept)]


@lru_cache(maxsize=1)
def _public_pattern() -> re.Pattern[str]:
    people = sorted(words()["public_names"], key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, people)) + r")(?!\w)")


def public_spans(text: str) -> list[Span]:
    """Where a text speaks of people everybody reads about."""
    return [match.span() for match in _public_pattern().finditer(text)]


def _cued(text: str) -> Iterator[Span]:
    """After a title, after the word for a person, before what belongs to one."""
    for match in _TITLED.finditer(text):
        groups = [group for group in (1, 2) if match.group(group)]
        if not _is_never_a_name(match.group(1)):
            last = groups[-1] if not _is_never_a_name(match.group(groups[-1])) else 1
            yield match.start(1), match.end(last)
    for pattern in (_CALLED, _BELONGS, _TITLED_LOWER):
        for match in pattern.finditer(text):
            for group in range(1, pattern.groups + 1):
                if match.group(group) and not _is_never_a_name(match.group(group)):
                    yield match.span(group)


def _listed(text: str) -> Iterator[Span]:
    """Given names of the lists, with the surname that may follow."""
    given, also_words = words()["given_names"], words()["word_names"]
    for match in _WORD.finditer(text):
        start, end = match.span()
        word = match.group()
        word = word[:-2] if word.endswith(("'s", "’s")) else word
        end = start + len(word)
        lower = _plain(word)
        if lower in given or ("-" in word[1:] and word[0].isupper() and not given.isdisjoint(lower.split("-"))):
            # MIA and ANA are short for other things, unless all is in capitals.
            if not (word.isupper() and len(word) <= SHORT_FOR) or _is_shouted(text):
                yield start, _with_surname(text, end)
        elif lower in also_words and word[0].isupper() and word[1:].islower() and not _starts_a_sentence(text, start):
            yield start, _with_surname(text, end)


def _plain(word: str) -> str:
    """A word as the lists have it: in lower case, without accents."""
    if word.isascii():
        return word.lower()
    return "".join(letter for letter in normalize("NFKD", word) if not combining(letter)).lower()


def _with_surname(text: str, end: int) -> int:
    match = _SURNAME.match(text, end)
    if match is None or (match.group(1) and _is_never_a_name(match.group(1))):
        return end
    return match.end() if match.group(1) else match.end(2)


def _starts_a_sentence(text: str, start: int) -> bool:
    return _SENTENCE_START.search(text[max(0, start - 8) : start]) is not None


def _is_shouted(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return sum(map(str.isupper, letters)) > len(letters) / 2


def _is_never_a_name(word: str) -> bool:
    lower = word.lower()
    return lower in words()["never_names"] or lower in words()["titles"] or (word.isupper() and len(word) > 1)
