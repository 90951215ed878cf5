"""How often each level of a scale is given: completing what is published, and cutting latent scores to levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from recommender.catalogue.families import FamilyDomain
from recommender.training.simulate.components import Floats
from recommender.training.simulate.score_parameters import ItemMargin, ResearchMargins

# A level's middle lies at most this many points outside the scale when a mean is sought.
_SEARCH = 20.0


def normal_shares(middle: float, sd: float, levels: Floats) -> Floats:
    """(levels,) shares of a normal variable cut half-way between evenly spaced ``levels``."""
    edges = (levels[1:] + levels[:-1]) / 2
    shares: Floats = np.diff(norm.cdf(edges, middle, sd), prepend=0.0, append=1.0)
    return shares


def shares_with_mean(mean: float, sd: float, levels: Floats) -> Floats:
    """Shares of a cut normal of SD ``sd`` whose levels average ``mean``.

    ``sd`` is that of the normal before it is cut; the levels' own SD is a little larger inside the scale and smaller
    near its ends.
    """

    def miss(middle: float) -> float:
        return float(normal_shares(middle, sd, levels) @ levels) - mean

    return normal_shares(brentq(miss, levels[0] - _SEARCH * sd, levels[-1] + _SEARCH * sd), sd, levels)


def shares_with_end(level: int, share: float, sd: float, levels: Floats) -> Floats:
    """Shares of a cut normal of SD ``sd`` that gives ``share`` to the lowest or the highest level."""
    if level == levels[0]:
        middle = (levels[0] + levels[1]) / 2 - sd * norm.ppf(share)
    elif level == levels[-1]:
        middle = (levels[-1] + levels[-2]) / 2 + sd * norm.ppf(share)
    else:
        raise ValueError(f"level {level} is not an end of the scale")
    return normal_shares(float(middle), sd, levels)


def research_shares(margins: ResearchMargins, levels: Floats) -> dict[str, Floats]:
    """Item -> (levels,) shares for every item of the research margins.

    Items with published figures keep them. The others of a domain share the mean that keeps the domain's published
    mean (a domain score is the mean of its components), held ``mean_from_ends`` away from the ends of the scale.
    """
    known = {code: _known_shares(item, margins, levels) for code, item in margins.items.items()}
    completed: dict[str, Floats] = {}
    for code, item in margins.items.items():
        shares = known[code]
        completed[code] = _rest_of_domain(item.domain, margins, known, levels) if shares is None else shares
    return completed


def _known_shares(item: ItemMargin, margins: ResearchMargins, levels: Floats) -> Floats | None:
    if item.shares is not None:
        return scaled(item.shares)
    if item.level is not None and item.share is not None:
        return shares_with_end(item.level, item.share, _component_sd(item.domain, margins), levels)
    return None


def _rest_of_domain(
    domain: FamilyDomain, margins: ResearchMargins, known: Mapping[str, Floats | None], levels: Floats
) -> Floats:
    members = [code for code, item in margins.items.items() if item.domain == domain]
    means = [float(shares @ levels) for code in members if (shares := known[code]) is not None]
    rest = (margins.domains[domain].mean * len(members) - sum(means)) / (len(members) - len(means))
    distance = margins.mean_from_ends.value
    mean = float(np.clip(rest, levels[0] + distance, levels[-1] - distance))
    return shares_with_mean(mean, _component_sd(domain, margins), levels)


def _component_sd(domain: FamilyDomain, margins: ResearchMargins) -> float:
    return margins.domains[domain].sd * margins.component_sd_ratio.value


def scaled(shares: Sequence[float]) -> Floats:
    """Rounded published shares, scaled to sum to 1."""
    array = np.asarray(shares, dtype=np.float64)
    total: Floats = array / array.sum()
    return total


def with_top_share(shares: Floats, top: float) -> Floats:
    """(items, levels) shares whose highest level has share ``top``; the others keep their proportions."""
    lower = shares[:, :-1] / shares[:, :-1].sum(axis=1, keepdims=True) * (1 - top)
    return np.concatenate([lower, np.full((len(shares), 1), top)], axis=1)


def cut(latent: Floats, shares: Floats, levels: Floats, directions: Floats) -> Floats:
    """(rows, items) levels for unit-variance normal ``latent`` scores (higher is better).

    ``shares`` (items, levels). An item of direction -1 has its high levels where the latent score is low.
    """
    thresholds = norm.ppf(np.clip(np.cumsum(shares, axis=1)[:, :-1], 0, 1))
    position = np.zeros(latent.shape, dtype=np.int8)
    directed = latent if (directions > 0).all() else latent * directions
    for threshold in thresholds.T:
        position += directed > threshold
    cut_levels: Floats = levels[position]
    return cut_levels
