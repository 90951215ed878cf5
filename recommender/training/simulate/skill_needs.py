"""Simulated need per skill: a part the rubric's scores can see and a part they cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.catalogue.loader import Catalogue
from recommender.errors import GrowthError
from recommender.training.simulate.components import Floats

# Below this variance a skill's items say nothing beyond the teacher's mean (all items alike).
_NOTHING_SEEN = 1e-9


@dataclass(frozen=True)
class SkillNeeds:
    """How true item scores become true skill needs: ``need = theta @ visible + specific_sd x noise``.

    ``visible`` (items, skills), 0 for skills without an item; ``specific_sd`` (skills,). Every need has mean 0 and
    variance 1 over teachers.
    """

    visible: Floats
    specific_sd: Floats

    @classmethod
    def of(
        cls,
        crosswalk: Mapping[str, Mapping[str, float]],
        items: Sequence[str],
        catalogue: Catalogue,
        covariance: Floats,
        visible_share: float,
    ) -> SkillNeeds:
        """Needs for a crosswalk (item -> skill -> weight) and the covariance (items, items) of true scores.

        ``visible_share`` of a mapped skill's variance comes from its items: minus the weighted mean distance of their
        true scores from the teacher's own mean. Raises GrowthError when no item is mapped.
        """
        weights = np.zeros((len(items), len(catalogue)))
        for row, item in enumerate(items):
            for skill_id, weight in crosswalk.get(item, {}).items():
                weights[row, catalogue.index[skill_id]] = weight
        total = weights.sum(axis=0)
        if not total.any():
            raise GrowthError("no item with a skill", wanted="a crosswalk of these items", where="crosswalk")
        weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        # Taking the teacher's mean off theta is the same as taking the items' mean off the weights.
        contrast = weights.mean(axis=0, keepdims=True) - weights
        variance = np.einsum("is,ij,js->s", contrast, covariance, contrast)
        seen = variance > _NOTHING_SEEN
        scale = np.where(seen, np.sqrt(visible_share / np.where(seen, variance, 1)), 0)
        return cls(contrast * scale, np.sqrt(np.where(seen, 1 - visible_share, 1.0)))

    def draw(self, rng: np.random.Generator, theta: Floats) -> Floats:
        """(teachers, skills) true needs of teachers with true scores ``theta`` (teachers, items)."""
        specific = rng.standard_normal((len(theta), len(self.specific_sd))) * self.specific_sd
        need: Floats = theta @ self.visible + specific
        return need

    def covariance(self, theta_covariance: Floats) -> Floats:
        """(skills, skills) covariance of the needs over teachers."""
        covariance: Floats = self.visible.T @ theta_covariance @ self.visible + np.diag(self.specific_sd**2)
        return covariance


def domain_averages(catalogue: Catalogue) -> Floats:
    """(skills, domains) weights that average skills within the catalogue's domains."""
    position = {domain: column for column, domain in enumerate(catalogue.domains)}
    table = np.zeros((len(catalogue), len(position)))
    for row, skill in enumerate(catalogue):
        table[row, position[skill.domain]] = 1
    averages: Floats = table / table.sum(axis=0)
    return averages
