"""Made-up lists and a profile of them, for tests of drift."""

from __future__ import annotations

import numpy as np

from recommender.learning.drift_parameters import load_drift_parameters
from recommender.learning.reference_profile import ReferenceProfile
from recommender.learning.watched import DECIMALS, WatchedLists
from recommender.training.calibration_error import PooledSuggestions

DOMAINS = ("checking-feedback", "routines-transitions", "questioning-discourse")
TRAINED = 2_000
PARAMETERS = load_drift_parameters()


def with_draws(draws: int):
    """The shipped parameters with fewer draws, for speed."""
    fewer = PARAMETERS.draws.model_copy(update={"value": draws})
    return PARAMETERS.model_copy(update={"draws": fewer, "resamples": fewer})


def made_lists(rng: np.random.Generator, n: int, *, longer: float = 0.0, unranked: float = 0.02) -> WatchedLists:
    """Lists of one kind; ``longer`` characters are added to each struggle."""
    ranked = rng.random(n) >= unranked
    numbers = {
        "characters": rng.normal(270, 70, n) + longer,
        "unknown_words": rng.choice([0.0, 0.0, 0.01, 0.02, 0.05], n),
        "top_score": np.where(ranked, rng.normal(0.3, 0.7, n), np.nan),
        "score_spread": np.where(ranked, rng.gamma(4, 0.6, n), np.nan),
    }
    names = {
        "first_domain": np.where(ranked, rng.choice(DOMAINS, n, p=(0.5, 0.3, 0.2)), ""),
        "subject": rng.choice(("mathematics", "science", "art"), n, p=(0.6, 0.39, 0.01)),
        "grade_band": rng.choice(("elementary", "middle", "high"), n),
    }
    return WatchedLists({k: np.round(v, DECIMALS[k]) for k, v in numbers.items()}, names, ranked)


def made_suggestions(rng: np.random.Generator, n: int = 10_000, off: float = 0.0) -> PooledSuggestions:
    """Suggestions that hold as often as promised, but for ``off``."""
    p = rng.uniform(0.05, 0.85, n)
    events = (rng.random(n) < p + off).astype(float)
    return PooledSuggestions(p, events, np.ones(n, np.int64), np.arange(n) // 5)


def made_profile(seed: int = 0, *, off: float = 0.0) -> ReferenceProfile:
    """The profile of lists as ``made_lists`` draws them."""
    rng = np.random.default_rng(seed)
    return ReferenceProfile.of(made_lists(rng, TRAINED), made_suggestions(rng, off=off), "m1", "made-up")
