"""A ranking as a teacher reads it: words in place of numbers, and never a rubric code."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.cases import Ranking, Reason, Suggestion
from recommender.catalogue.loader import Catalogue
from recommender.catalogue.skill import Skill
from recommender.ranking.messages import message
from service.pages.strings import page_strings
from service.store.rankings import DELETED_QUOTE
from service.store.redaction import SHORT_MARK

# No more than this many cards, whatever is asked: a longer list is not read.
MAX_CARDS = 3
QUOTE_CHARACTERS = 140
# Size of an effect in log-odds: 1.0 multiplies the odds by 2.7, 0.4 by 1.5.
STRONG_EFFECT = 1.0
MEDIUM_EFFECT = 0.4
OBSERVED_SOURCES = ("observation", "note")
# A part too small to move anything is not worth reading.
NO_EFFECT = 0.05


@dataclass(frozen=True)
class Why:
    """One reason in plain words; ``quote`` tells whether ``text`` is the teacher's own.

    ``push`` says how much it counted; None for the starting point, which every skill has.
    """

    text: str
    quote: bool
    push: str | None


@dataclass(frozen=True)
class Card:
    """A skill to try. ``from_observations``: what observers saw spoke most for it."""

    skill: Skill
    confidence: str
    quote: str | None
    whys: list[Why]
    from_observations: bool = False


def cards(ranking: Ranking, struggle: str, catalogue: Catalogue) -> list[Card]:
    """The first suggestions as cards; a skill that has left the catalogue since is passed over."""
    known = [suggestion for suggestion in ranking.suggestions if suggestion.skill_id in catalogue]
    return [_card(suggestion, struggle, catalogue) for suggestion in known[:MAX_CARDS]]


def _card(suggestion: Suggestion, struggle: str, catalogue: Catalogue) -> Card:
    return Card(
        skill=catalogue[suggestion.skill_id],
        confidence=suggestion.confidence,
        quote=top_quote(suggestion.reasons, struggle),
        whys=[_why(reason, struggle) for reason in _worth_reading(suggestion.reasons)],
        from_observations=_largest_source(suggestion.reasons) in OBSERVED_SOURCES,
    )


def top_quote(reasons: list[Reason], struggle: str) -> str | None:
    """The teacher's words that spoke most for a skill; None when none of them did."""
    quotes = [r for r in reasons if r.source == "struggle" and r.text in struggle and r.effect > 0]
    return shorten(max(quotes, key=lambda reason: reason.effect).text) if quotes else None


def _worth_reading(reasons: list[Reason]) -> list[Reason]:
    """Largest effect first; the starting point, which stands before any word, last."""
    told = [reason for reason in reasons if reason.source == "prior" or abs(reason.effect) >= NO_EFFECT]
    return sorted(told, key=lambda reason: (reason.source == "prior", -abs(reason.effect)))


def _largest_source(reasons: list[Reason]) -> str:
    """Where what speaks most for a skill comes from; the starting point says nothing for one skill."""
    found = [reason for reason in reasons if reason.source != "prior" and reason.effect > 0]
    return max(found, key=lambda reason: reason.effect).source if found else ""


def _why(reason: Reason, struggle: str) -> Why:
    quote = reason.source in {"struggle", "note"} and reason.text in struggle
    pushed = None if reason.source == "prior" else page_strings()["pushes"][push(reason)]
    return Why(shorten(reason.text) if quote else _told(reason), quote, pushed)


def _told(reason: Reason) -> str:
    """A reason that is no quote of the teacher's: the engine's sentence, an observer's words, or words now gone."""
    if reason.text in {DELETED_QUOTE, SHORT_MARK}:
        return str(page_strings()["card"]["gone"])
    if reason.source == "note" and reason.text != message("rest_of_notes"):
        return str(page_strings()["card"]["note"].format(words=shorten(reason.text)))
    return reason.text


def push(reason: Reason) -> str:
    """How much a reason moved a skill, as a key of the ``pushes`` texts."""
    size = abs(reason.effect)
    word = "strong" if size >= STRONG_EFFECT else "medium" if size >= MEDIUM_EFFECT else "small"
    return f"{word}_{'up' if reason.effect > 0 else 'down'}"


def skill_name(skill_id: str, catalogue: Catalogue) -> str:
    """A skill's name; its id where it has left the catalogue."""
    return catalogue[skill_id].name if skill_id in catalogue else skill_id


def shorten(words: str) -> str:
    """A quote on one line, cut between words when it is long; closing punctuation goes."""
    line = " ".join(words.split())
    if len(line) > QUOTE_CHARACTERS:
        return line[:QUOTE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:.") + " …"
    return line.rstrip(" ,;:.")
