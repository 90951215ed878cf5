"""Tells whether a text is written in English, so that another language is answered as such and not misread."""

from __future__ import annotations

from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

# Below this many letters a language cannot be told reliably; the status model decides alone.
MIN_LETTERS = 20

# With .9 none of the 5,472 labelled struggles and notes is taken for another language (`growth evaluate --screening`).
MIN_PROBABILITY = 0.9


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def is_other_language(text: str) -> bool:
    """Whether ``text`` is surely in another language than English (py3langid, 97 languages, no network)."""
    letters = sum(character.isalpha() for character in text)
    if letters < MIN_LETTERS:
        # A few characters of a script English never uses are a sentence in some languages.
        return letters >= 4 and sum(ord(c) > 0x2FF for c in text if c.isalpha()) > letters / 2
    language, probability = _identifier().classify(text)
    return bool(language != "en" and probability >= MIN_PROBABILITY)
