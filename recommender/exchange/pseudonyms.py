"""Keeps names out: ids that look like a person are replaced by keyed pseudonyms, or refused where there is no key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from recommender.errors import ScoreError, SettingsError

KEY_VARIABLE = "GROWTH_PSEUDONYM_KEY"
# Shorter keys can be tried out one by one.
MIN_KEY_BYTES = 16
_KEY_ADVICE = "Make one with `openssl rand -hex 32` and keep it: the same key gives the same pseudonyms."

Kind = Literal["teacher", "observer", "school"]
_PREFIXES: dict[Kind, str] = {"teacher": "t", "observer": "o", "school": "s"}
_PSEUDONYM_BYTES = 10  # 16 characters of base32

_EMAIL_LIKE = re.compile(r"[^\s@]@[^\s@]")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:]+@[^\s@<>()\[\],;:]+\.[^\W\d_]{2,}")
# A number is only a telephone's when it is written like one: counts and scores in a note stay.
_PHONE = re.compile(
    r"(?<![\w.])(?:\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?!\w)"
)
_NAME_MARKS = str.maketrans("", "", "'’.-")
_MAX_NAME_WORDS = 4


@dataclass(frozen=True)
class Pseudonyms:
    """HMAC-SHA256 pseudonyms of ids; without a key (the default) nothing is replaced.

    A pseudonym is a prefix for the kind (t, o or s) and 16 characters of base32, 80 bits. The same key gives the same
    pseudonym for the same id in any file, whatever its case and spacing; nobody without the key can go back or try
    out a list of names.
    """

    key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.key is not None and len(self.key) < MIN_KEY_BYTES:
            raise SettingsError(
                f"a pseudonym key of {len(self.key)} bytes",
                wanted=f"at least {MIN_KEY_BYTES} bytes",
                way_out=_KEY_ADVICE,
            )

    @property
    def has_key(self) -> bool:
        """Whether ids can be replaced."""
        return self.key is not None

    def of(self, kind: Kind, identity: str) -> str:
        """The pseudonym of an id. Raises SettingsError without a key."""
        if self.key is None:
            raise SettingsError("no pseudonym key", wanted=KEY_VARIABLE, way_out=_KEY_ADVICE)
        folded = " ".join(unicodedata.normalize("NFKC", identity).casefold().split())
        digest = hmac.digest(self.key, f"{kind}\0{folded}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        code = base64.b32encode(digest[:_PSEUDONYM_BYTES]).decode().lower()
        return f"{_PREFIXES[kind]}-{code}"

    def safe(self, kind: Kind, identity: str) -> str:
        """The id as it is when it looks like no person; otherwise its pseudonym.

        Raises ScoreError, without the id in it, when it looks like a person and there is no key.
        """
        likeness = person_likeness(kind, identity)
        if likeness is None:
            return identity
        if self.has_key:
            return self.of(kind, identity)
        raise ScoreError(f"what looks like {likeness}", wanted="a pseudonym, or a pseudonym key to make one")


def read_pseudonyms(key_file: Path | None = None) -> Pseudonyms:
    """Pseudonyms with the key of a file, or else of the variable GROWTH_PSEUDONYM_KEY; without either, without a key.

    White space around the key does not count. Raises SettingsError for an unreadable file and a key that is too short.
    """
    if key_file is None:
        key = os.environ.get(KEY_VARIABLE, "").strip().encode()
        return Pseudonyms(key or None)
    try:
        return Pseudonyms(key_file.read_bytes().strip())
    except OSError as error:
        raise SettingsError(
            f"no readable key file ({error.strerror or type(error).__name__})",
            wanted="a file that holds the key",
            way_out=_KEY_ADVICE,
            where=str(key_file),
        ) from None


def person_likeness(kind: Kind | None, identity: str) -> str | None:
    """What person-like thing an id looks like, in words, or None.

    An address is one for every kind. Schools are called by capitalised words, so a name is looked for in a teacher or
    an observer only: "First Last" (two to four words of letters, the outer ones capitalised) or "Last, First".
    """
    if _EMAIL_LIKE.search(identity):
        return "an e-mail address"
    if kind in ("teacher", "observer") and _is_name(identity):
        return "a person's name"
    return None


def redacted(text: str) -> str:
    """A note with e-mail addresses and telephone numbers taken out."""
    return _PHONE.sub("[phone]", _EMAIL.sub("[e-mail]", text))


def _is_name(identity: str) -> bool:
    last, comma, first = identity.partition(",")
    if comma:
        return all(_is_word(word) for part in (last, first) for word in part.split() or [""])
    words = identity.split()
    outer = (words[0], words[-1]) if len(words) > 1 else ()
    return 1 < len(words) <= _MAX_NAME_WORDS and all(map(_is_word, words)) and all(map(_is_capitalised, outer))


def _is_word(word: str) -> bool:
    return word.translate(_NAME_MARKS).isalpha()


def _is_capitalised(word: str) -> bool:
    letters = word.translate(_NAME_MARKS)
    return len(letters) > 1 and letters[0].isupper()
