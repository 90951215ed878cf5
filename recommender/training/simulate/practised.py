"""What came of simulated teachers' choices: looks at lessons before and after weeks of practice."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from recommender.catalogue.loader import load_catalogue
from recommender.learning.evidence import EvidenceRow, Outcome
from recommender.learning.signals import last_chosen
from recommender.training.simulate.coach_truth import ShippedScores
from recommender.training.simulate.reviewing import SimulatedReviews
from recommender.training.simulate.reviewing_parameters import PractiseHabits, load_reviewing_parameters


def with_outcomes(seed: int, reviews: SimulatedReviews, texts: ShippedScores) -> tuple[EvidenceRow, ...]:
    """The rows, some with an outcome of the skill chosen; the same seed gives the same.

    Whether the skill was one to start with is drawn from the coaches' true log-odds. If it was, it is seen in few looks
    before and in more after; if not, it was there before and stays as it is.
    """
    habits, catalogue = load_reviewing_parameters().practise, load_catalogue()
    rows = []
    for number, row in enumerate(reviews.rows):
        rng, chosen = np.random.default_rng([seed, 4, number]), last_chosen(row)
        if chosen is None or rng.random() >= habits.share.value:
            rows.append(row)
            continue
        at = np.array([reviews.text[number]]), np.array([reviews.tenant[number]])
        log_odds = reviews.truth.log_odds(texts.take(at[0]), at[1])[0, catalogue.index[chosen]]
        outcome = _outcome(rng, chosen, bool(rng.random() < expit(log_odds)), habits)
        rows.append(row.model_copy(update={"outcome": outcome}))
    return tuple(rows)


def _outcome(rng: np.random.Generator, skill_id: str, was_needed: bool, habits: PractiseHabits) -> Outcome:
    part, looks = habits.needed if was_needed else habits.not_needed, habits.looks.value
    before, after = rng.binomial(looks, [part.before, part.after]).tolist()
    return Outcome(
        skill_id=skill_id, before_seen=before, before_looked_for=looks, after_seen=after, after_looked_for=looks
    )
