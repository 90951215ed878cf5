"""The penalised loss of the update, its gradient and its curvature, over signals as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from recommender.learning.evidence import EvidenceRow
from recommender.learning.positions import Positions
from recommender.learning.signals import FEATURES, Alternatives, Integers, Judgements, Picks

Floats = npt.NDArray[np.float64]

# Parameters before the offsets: the intercept and one factor a feature.
N_SHARED = 1 + len(FEATURES)


@dataclass(frozen=True)
class Layout:
    """Where parameters stand in one flat vector: intercept, factors, skill offsets, offsets of each tenant's skills."""

    n_skills: int
    tenants: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return N_SHARED + self.n_skills * (1 + len(self.tenants))

    def skill_offsets(self, theta: Floats) -> Floats:
        """(skills,)"""
        return theta[N_SHARED : N_SHARED + self.n_skills]

    def tenant_offsets(self, theta: Floats) -> Floats:
        """(tenants, skills)"""
        return theta[N_SHARED + self.n_skills :].reshape(len(self.tenants), self.n_skills)

    def spread(self, shared: Floats, skill: float | Floats, tenant: float | Floats) -> Floats:
        """One flat vector from ``shared`` (4,) and values for the two groups of offsets, single or one an offset."""
        offsets = np.broadcast_to(skill, self.n_skills)
        own = np.broadcast_to(tenant, (len(self.tenants), self.n_skills)).ravel()
        result: Floats = np.concatenate([shared, offsets, own])
        return result


class Objective:
    """Weighted negative log-likelihood of judgements and picks under additive log-odds.

    ``z = shipped log-odds + intercept + factors . features + skill offset + tenant's skill offset``. A judgement with
    target y adds ``log(1 + exp z) - y z`` (gradient p - y, convex for any y); a pick adds the log-loss of a
    conditional logit over its alternatives with ``log e_k`` added to each, z negated where it is a worst pick.
    """

    def __init__(
        self,
        layout: Layout,
        rows: Sequence[EvidenceRow],
        judgements: Judgements,
        picks: Picks,
        positions: Positions,
        weights: tuple[Floats, Floats],
    ) -> None:
        self.layout = layout
        about, among = judgements.about, picks.among
        place_of = {tenant: at for at, tenant in enumerate(layout.tenants)}
        tenant = np.array([place_of[row.tenant] for row in rows], dtype=np.int64)
        self._judged = _Terms.of(about, tenant[judgements.row], layout)
        self._picked = _Terms.of(among, tenant[picks.row[picks.owner]], layout)
        self._target = positions.target(judgements.said, about.place)
        self.judgement_weight = weights[0] * positions.information(expit(about.log_odds), about.place)
        self._owner, self._start, self._pick = picks.owner, picks.start[:-1], picks.picked
        self._sign, self.pick_weight = picks.sign, weights[1]
        self._look = np.log(positions.at(among.place))

    def loss(self, theta: Floats) -> tuple[float, Floats]:
        """The loss and its gradient."""
        z = self._judged.log_odds(theta)
        value = float(self.judgement_weight @ (np.logaddexp(0, z) - self._target * z))
        gradient = self._judged.gather(self.judgement_weight * (expit(z) - self._target), intercept=True)
        if len(self._pick):
            share, chosen = self._shares(theta)
            value -= float(self.pick_weight @ chosen)
            pull = (self._sign * self.pick_weight)[self._owner] * share
            pull[self._pick] -= self._sign * self.pick_weight
            gradient += self._picked.gather(pull, intercept=False)
        return value, gradient

    def curvature(self, theta: Floats) -> Floats:
        """Diagonal of the Hessian."""
        p = expit(self._judged.log_odds(theta))
        result = self._judged.gather_squares(self.judgement_weight * p * (1 - p), intercept=True)
        if len(self._pick):
            share, _ = self._shares(theta)
            result += self._picked.gather_squares(self.pick_weight[self._owner] * share * (1 - share), intercept=False)
        return result

    def _shares(self, theta: Floats) -> tuple[Floats, Floats]:
        """Each alternative's chance of being picked, and each pick's log-chance."""
        u = self._sign[self._owner] * self._picked.log_odds(theta) + self._look
        u -= np.maximum.reduceat(u, self._start)[self._owner]
        total = np.add.reduceat(np.exp(u), self._start)
        log_share = u - np.log(total)[self._owner]
        return np.exp(log_share), log_share[self._pick]


@dataclass(frozen=True)
class _Terms:
    """Alternatives with the positions of their offsets among the parameters."""

    known: Floats
    features: Floats
    skill: Integers
    own: Integers
    layout: Layout

    @classmethod
    def of(cls, about: Alternatives, tenant: Integers, layout: Layout) -> _Terms:
        return cls(about.log_odds, about.features, about.skill, tenant * layout.n_skills + about.skill, layout)

    def log_odds(self, theta: Floats) -> Floats:
        offsets = self.layout.skill_offsets(theta)[self.skill] + self.layout.tenant_offsets(theta).ravel()[self.own]
        result: Floats = self.known + theta[0] + self.features @ theta[1:N_SHARED] + offsets
        return result

    def gather(self, pull: Floats, *, intercept: bool) -> Floats:
        """The gradient for a pull on each entry's log-odds; picks leave the intercept alone, which cancels in them."""
        return self._sum(pull, pull @ self.features, intercept)

    def gather_squares(self, pull: Floats, *, intercept: bool) -> Floats:
        """As ``gather`` with features squared."""
        return self._sum(pull, pull @ self.features**2, intercept)

    def _sum(self, pull: Floats, factors: Floats, intercept: bool) -> Floats:
        n_skills, n_tenants = self.layout.n_skills, len(self.layout.tenants)
        shared = np.concatenate([[pull.sum() if intercept else 0.0], factors])
        return self.layout.spread(
            shared,
            np.bincount(self.skill, pull, n_skills).astype(np.float64),
            np.bincount(self.own, pull, n_skills * n_tenants).astype(np.float64).reshape(n_tenants, n_skills),
        )
