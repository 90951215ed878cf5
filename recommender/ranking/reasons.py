"""Turns the additive parts of a score into reasons that quote the teacher and add up exactly."""

from __future__ import annotations

import numpy as np

from recommender.cases import Reason
from recommender.ranking.fusion import Evidence
from recommender.ranking.messages import message
from recommender.ranking.ordering import Placed

# More quoted phrases than this are not read; what is left is summed in one reason.
MAX_QUOTES = 3


def explain(evidence: Evidence, place: Placed) -> list[Reason]:
    """Reasons of one suggestion, strongest phrase first; their effects are all there is to its score."""
    skill = place.skill
    reasons = [Reason(source="prior", text=message("prior"), effect=float(evidence.prior[skill]))]
    reasons += _struggle_reasons(evidence, skill)
    parts = (
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


def _struggle_reasons(evidence: Evidence, skill: int) -> list[Reason]:
    effects = evidence.clause_effects[:, skill]
    order = np.argsort(-effects, kind="stable")
    quoted = [int(i) for i in order[:MAX_QUOTES] if effects[i] > 0] or [int(order[0])]
    reasons = [Reason(source="struggle", text=evidence.clauses[i], effect=float(effects[i])) for i in quoted]
    rest = [i for i in range(len(effects)) if i not in quoted]
    if rest:
        reasons.append(Reason(source="struggle", text=message("rest_of_words"), effect=float(effects[rest].sum())))
    return reasons
