"""Makes a tidy training text look like a text from life: typos, lower case, cuts, joins, second-language phrasing.

The training corpus is wittier and tidier than what teachers type between two lessons. Each text is changed afresh in
every epoch with a seeded generator, so the encoder cannot learn tidiness by heart. Nothing here knows any skill.
"""

from __future__ import annotations

import re

import numpy as np

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_NEIGHBOUR_KEYS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
# Articles, auxiliaries and plural or past endings are what second-language writers most often leave out.
_DROPPED_BY_LEARNERS = re.compile(r"\b(?:the|a|an|is|are|was|were|do|does|did|to)\s+", re.IGNORECASE)
_ENDINGS = re.compile(r"(?<=[a-z]{3})(?:s|ed)\b")


def split_sentences(text: str) -> list[str]:
    """Sentences of ``text`` in order, without surrounding space."""
    return [part for part in _SENTENCE_END.split(text.strip()) if part]


def add_typos(text: str, rng: np.random.Generator, rate: float = 0.02) -> str:
    """Swap, drop, double or mistype letters; ``rate`` is the share of letters touched (2%: about one word in ten)."""
    letters = list(text)
    for i in np.flatnonzero(rng.random(len(letters)) < rate):
        if not letters[i].isalpha():
            continue
        kind = rng.integers(4)
        if kind == 0 and i + 1 < len(letters):
            letters[i], letters[i + 1] = letters[i + 1], letters[i]
        elif kind == 1:
            letters[i] = ""
        elif kind == 2:
            letters[i] *= 2
        else:
            keys = _NEIGHBOUR_KEYS.get(letters[i].lower(), letters[i])
            letters[i] = str(rng.choice(list(keys)))
    return "".join(letters)


def drop_sentence(text: str, rng: np.random.Generator) -> str:
    """Leave out one sentence of a text of at least three; shorter texts stay as they are."""
    sentences = split_sentences(text)
    if len(sentences) < 3:
        return text
    del sentences[int(rng.integers(len(sentences)))]
    return " ".join(sentences)


def truncate(text: str, rng: np.random.Generator) -> str:
    """Cut a text of at least 25 words somewhere in its last 40%."""
    words = text.split()
    if len(words) < 25:
        return text
    return " ".join(words[: int(rng.integers(int(0.6 * len(words)), len(words)))])


def phrase_as_learner(text: str, rng: np.random.Generator) -> str:
    """Leave out some articles, auxiliaries and endings, as writers new to English do."""

    def half(match: re.Match[str]) -> str:
        return "" if rng.random() < 0.5 else match.group()

    def tenth(match: re.Match[str]) -> str:
        return "" if rng.random() < 0.1 else match.group()

    return _ENDINGS.sub(tenth, _DROPPED_BY_LEARNERS.sub(half, text))


def loosen(text: str, rng: np.random.Generator) -> str:
    """Lower case, and half of the time no punctuation but what separates sentences."""
    text = text.lower()
    return re.sub(r"[,;:\"'()]", "", text) if rng.random() < 0.5 else text


def augment(text: str, rng: np.random.Generator) -> str:
    """One random variant of ``text``; about 40% of calls return it unchanged."""
    if rng.random() < 0.4:
        return text
    if rng.random() < 0.3:
        text = drop_sentence(text, rng)
    if rng.random() < 0.2:
        text = truncate(text, rng)
    if rng.random() < 0.15:
        text = phrase_as_learner(text, rng)
    if rng.random() < 0.35:
        text = add_typos(text, rng)
    if rng.random() < 0.35:
        text = loosen(text, rng)
    return text
