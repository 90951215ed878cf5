"""What weeks of practice say of the choice before them: whether there was room to grow, and whether it was used."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaln

from recommender.learning.evidence import Outcome
from recommender.learning.parameters import OutcomeParameters


def choice_factor(outcome: Outcome, parameters: OutcomeParameters) -> float:
    """How many times a choice counts for what came of it; 1 where nothing was looked for.

    More, up to ``confirmed`` times, as it is surer that the skill was seen more often after practice than before; less
    where it was most likely seen in nearly every look before. Practice that changed nothing says nothing of the choice:
    weeks can fail for many reasons.
    """
    rose = max(0.0, 2 * chance_of_rise(outcome) - 1)
    before = 1 + outcome.before_seen, 1 + outcome.before_looked_for - outcome.before_seen
    room = float(betainc(*before, parameters.nearly_always.value)) / parameters.nearly_always.value
    return (1 + (parameters.confirmed.value - 1) * rose) * min(1.0, room)


def chance_of_rise(outcome: Outcome) -> float:
    """Chance that the share of looks in which the skill is seen is higher after practice than before, uniform priors.

    The exact sum over one of two Beta posteriors (Miller 2015, formulas for Bayesian A/B testing).
    """
    a_before, b_before = 1 + outcome.before_seen, 1 + outcome.before_looked_for - outcome.before_seen
    a_after, b_after = 1 + outcome.after_seen, 1 + outcome.after_looked_for - outcome.after_seen
    i = np.arange(a_after)
    terms = betaln(a_before + i, b_before + b_after) - np.log(b_after + i)
    terms -= betaln(1 + i, b_after) + betaln(a_before, b_before)
    return float(np.exp(terms).sum())
