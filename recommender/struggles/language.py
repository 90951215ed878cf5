"""Tells whether a text is written in English, so that another language is answered as such and not misread."""

from __future__ import annotations

from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

# Below this many letters a language cannot be told reliably; the status model decides alone.
MIN_LETTERS = 20

MIN_FOREIGN_LETTERS = 4
LAST_LATIN = 0x2FF

# How sure it must be that a text is not English. With .9 none of the real or written struggles and notes is taken for
# another language (tests/training/test_shipped_version.py).
MIN_PROBABILITY = 0.9


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def is_other_language(text: str) -> bool:
    """Whether ``text`` is surely in another language than English (py3langid, 97 languages, no network)."""
    letters = [character for character in text if character.isalpha()]
    # A few characters of a script English never uses are a sentence in some languages.
    if len(letters) >= MIN_FOREIGN_LETTERS and sum(ord(c) > LAST_LATIN for c in letters) > len(letters) / 2:
        return True
    if len(letters) < MIN_LETTERS:
        return False
    ranked = dict(_identifier().rank(text))
    surely_another = max(ranked.values()) >= MIN_PROBABILITY and ranked["en"] < 1 - MIN_PROBABILITY
    # Close languages (Indonesian and Malay) share the probability that is not English's.
    return bool(surely_another or (len(letters) >= 2 * MIN_LETTERS and ranked["en"] <= 1 - MIN_PROBABILITY))
