"""The parts a score is made of: normal over items, with what all items share, what a domain shares and the rest.

Covariance of one part: ``share x [general 11' + same_domain (1 where two items have one domain) + rest I]``, with
``general + same_domain + rest = 1`` (reference: Global Teaching InSights, variance components of 18 items).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.training.simulate.parameters import Parameters, PresetName
from recommender.training.simulate.score_parameters import PartStructure

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Component:
    """One part of a score over a fixed list of items.

    ``share`` is its variance per item, in units of an item score's whole variance (1).
    """

    domains: tuple[str, ...]
    share: float
    general: float
    same_domain: float

    @classmethod
    def of(cls, domains: Sequence[str], share: float, structure: PartStructure) -> Component:
        """The part with this variance share and structure, over items of these domains."""
        return cls(tuple(domains), share, structure.general, structure.same_domain)

    def covariance(self) -> Floats:
        """(items, items) covariance, exact."""
        codes = self._codes()
        together = (codes[:, None] == codes[None, :]).astype(np.float64)
        items = len(self.domains)
        rest = 1 - self.general - self.same_domain
        matrix: Floats = self.share * (self.general + self.same_domain * together + rest * np.eye(items))
        return matrix

    def draw(self, rng: np.random.Generator, rows: int) -> Floats:
        """(rows, items) independent draws; made from the factors, so no matrix is decomposed."""
        codes = self._codes()
        rest = 1 - self.general - self.same_domain
        drawn = rng.standard_normal((rows, len(codes)))
        drawn *= np.sqrt(self.share * rest)
        drawn += np.sqrt(self.share * self.general) * rng.standard_normal((rows, 1))
        if self.same_domain:
            by_domain = np.sqrt(self.share * self.same_domain) * rng.standard_normal((rows, int(codes.max()) + 1))
            drawn += by_domain[:, codes]
        return drawn

    def _codes(self) -> npt.NDArray[np.int64]:
        order = {domain: code for code, domain in enumerate(dict.fromkeys(self.domains))}
        return np.array([order[domain] for domain in self.domains], dtype=np.int64)


@dataclass(frozen=True)
class Components:
    """The four parts of an item score; their variances sum to 1."""

    teacher: Component
    lesson: Component
    rater: Component
    residual: Component

    @classmethod
    def of(cls, domains: Sequence[str], preset: PresetName, parameters: Parameters) -> Components:
        """The parts of a preset over items of these domains."""
        shares = parameters.shares[parameters.presets[preset].shares]
        structure = parameters.structure
        return cls(
            Component.of(domains, shares.teacher, structure.teacher),
            Component.of(domains, shares.lesson, structure.lesson),
            Component.of(domains, shares.rater, structure.rater),
            Component.of(domains, shares.residual, structure.residual),
        )
