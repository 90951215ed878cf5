"""From items to the skills they speak for, through the crosswalk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.catalogue.instruments import Instruments
from recommender.catalogue.loader import Catalogue

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# Of two scored items each has at least half: what rounding leaves beside the halves tells nothing apart.
LEAST_KEPT = 1e-9


@dataclass(frozen=True)
class SkillMap:
    """Crosswalk weights of a list of items."""

    weights: Array
    """(items, skills) in catalogue order"""

    @classmethod
    def of(cls, items: tuple[tuple[str, str], ...], instruments: Instruments, catalogue: Catalogue) -> SkillMap:
        """The weights that the instruments' crosswalks give; an item without one has zeros."""
        weights = np.zeros((len(items), len(catalogue)))
        for position, (name, code) in enumerate(items):
            for skill_id, entry in instruments.crosswalk(name).get(code, {}).items():
                weights[position, catalogue.index[skill_id]] = entry.weight
        return cls(weights)

    def shares(self, observed: Bools) -> Array:
        """(teachers, items, skills) weights over the scored items; each skill's sum to 1, or to 0 if none.

        ``observed`` is (teachers, items).
        """
        weights = self.weights[None, :, :] * observed[:, :, None]
        total = weights.sum(axis=1, keepdims=True)
        shares: Array = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        return shares


def steering_shares(shares: Array, gain: Array, observed: Bools) -> Array:
    """(items, skills) shares for one teacher under which a lower score never lowers a skill the item speaks for.

    Needs are relative to the teacher's other items, so a lower score on an item that has a small share in a skill would
    lower the skill through its other items. Item i therefore gets at least the share
    ``(mean_j g_ji - min_j g_ji) / (g_ii - min_j g_ji)`` of every skill it speaks for, g being the gain of item j's true
    score from item i's observed mean; what is added is taken from the others in proportion to what they have above
    their own least share. Where the least shares leave nothing to tell apart (a skill that nearly every scored item
    speaks for) the skill gets no share at all. ``shares`` (items, skills), ``gain`` (items, items), ``observed``
    (items,).
    """
    scored = np.flatnonzero(observed)
    if not len(scored):
        return np.zeros_like(shares)
    block = gain[np.ix_(scored, scored)]
    least = np.zeros(len(observed))
    own, low = np.diag(block), block.min(axis=0)
    span = own - low
    least[scored] = np.divide(block.mean(axis=0) - low, span, out=np.ones(len(scored)), where=span > 0)
    floor = np.where(shares > 0, np.clip(least, 0.0, 1.0)[:, None], 0.0)
    missing = np.maximum(floor - shares, 0.0).sum(axis=0)
    spare = np.maximum(shares - floor, 0.0)
    available = spare.sum(axis=0)
    keep = np.divide(available - missing, available, out=np.zeros_like(available), where=available > 0)
    steered: Array = np.where(keep > LEAST_KEPT, np.where(shares > 0, floor + spare * keep, 0.0), 0.0)
    return steered
