"""Turns the additive parts of a score into reasons that quote the teacher and add up exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from recommender.cases import Reason, ReasonSource
from recommender.ranking.fusion import Array, Evidence
from recommender.ranking.messages import message
from recommender.ranking.ordering import Placed

# More quoted phrases or items than this are not read; what is left is summed in one reason.
MAX_QUOTES = 3
MAX_ITEMS = 3

ItemText = Callable[[tuple[str, str]], str]
"""An item's short name."""


def explain(evidence: Evidence, place: Placed, item_text: ItemText, visits: Sequence[int] = ()) -> list[Reason]:
    """Reasons of one suggestion, strongest first within a source; their effects are all there is to its score.

    ``visits`` counts the visits behind each observed item.
    """
    skill = place.skill
    reasons = [Reason(source="prior", text=message("prior"), effect=float(evidence.prior[skill]))]
    reasons += _reviews(evidence, skill)
    reasons += _quotes("struggle", evidence.clauses, evidence.clause_effects[:, skill], message("rest_of_words"))
    reasons += _notes(evidence, skill)
    reasons += _items(evidence, skill, item_text, visits)
    parts = (
        ("context", "interest", float(evidence.interest[skill])),
        ("context", "other_subject", float(evidence.subject[skill])),
        ("context", "other_grade_band", float(evidence.grade_band[skill])),
        ("constraint", "spread", place.spread),
    )
    reasons += [
        Reason.model_validate({"source": source, "text": message(key), "effect": effect})
        for source, key, effect in parts
        if effect
    ]
    return reasons


def _reviews(evidence: Evidence, skill: int) -> list[Reason]:
    """What earlier reviews and choices speak for or against: a prior as well, learned from use."""
    effect = 0.0 if evidence.reviews is None else float(evidence.reviews[skill])
    if not effect:
        return []
    text = message("reviews_for" if effect > 0 else "reviews_against")
    return [Reason(source="prior", text=text, effect=effect)]


def _quotes(source: ReasonSource, clauses: list[str], effects: Array, rest_text: str) -> list[Reason]:
    """The strongest phrases that speak for the skill (or the strongest at all), and the others summed."""
    if not clauses or not effects.any():
        return []
    order = np.argsort(-effects, kind="stable")
    quoted = [int(i) for i in order[:MAX_QUOTES] if effects[i] > 0] or [int(order[0])]
    reasons = [Reason(source=source, text=clauses[i], effect=float(effects[i])) for i in quoted]
    rest = [i for i in range(len(effects)) if i not in quoted]
    if rest:
        reasons.append(Reason(source=source, text=rest_text, effect=float(effects[rest].sum())))
    return reasons


def _notes(evidence: Evidence, skill: int) -> list[Reason]:
    rest = float(evidence.note_rest[skill])
    reasons = _quotes("note", evidence.note_clauses, evidence.note_effects[:, skill], message("rest_of_notes"))
    if not rest:
        return reasons
    if reasons and reasons[-1].text == message("rest_of_notes"):
        rest += reasons.pop().effect
    return [*reasons, Reason(source="note", text=message("rest_of_notes"), effect=rest)]


def _items(evidence: Evidence, skill: int, item_text: ItemText, visits: Sequence[int]) -> list[Reason]:
    """The items that say most about the skill, each with what was seen; the others summed."""
    effects = evidence.item_effects[:, skill]
    order = [int(i) for i in np.argsort(-np.abs(effects), kind="stable") if effects[i]]
    words_for = evidence.clause_effects[:, skill].sum() > 0
    reasons = []
    for i in order[:MAX_ITEMS]:
        key = "item_more_need" if effects[i] > 0 else "item_disagrees" if words_for else "item_less_need"
        instrument, code = evidence.items[i]
        text = message(key, item=item_text(evidence.items[i]), visits=_visits(visits[i]))
        reasons.append(
            Reason(source="observation", text=text, effect=float(effects[i]), instrument=instrument, item=code)
        )
    if order[MAX_ITEMS:]:
        rest = float(effects[order[MAX_ITEMS:]].sum())
        reasons.append(Reason(source="observation", text=message("other_items"), effect=rest))
    return reasons


def _visits(count: int) -> str:
    return message("one_visit") if count == 1 else message("visits", count=str(count))
