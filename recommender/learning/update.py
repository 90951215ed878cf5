"""The update: small corrections of the shipped log-odds, as large as what coaches and teachers said supports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from recommender.catalogue.loader import Catalogue
from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.objective import N_SHARED, Layout, Objective
from recommender.learning.parameters import LearningParameters, PriorSd, UpdateParameters
from recommender.learning.positions import Positions
from recommender.learning.signals import FEATURES, Judgements, Picks, read_signals
from recommender.learning.weights import kish, signal_weights, without_copies

Floats = npt.NDArray[np.float64]

# Offsets are written to four decimals, as scores are printed.
DECIMALS = 4
# Evidence maximisation stops when no SD moves by more than this share.
SD_TOLERANCE = 0.02


@dataclass(frozen=True)
class Update:
    """Corrections of the shipped log-odds, all 0 where nothing was learned.

    ``skill_offsets`` count for everyone, ``tenant_offsets`` beside them for one tenant's cases; zeros are left out.
    ``factors``: what is added to 1 as the factor of words, observations and context. ``intercept`` is added to every
    score. ``prior_sds``: SD of skill and tenant offsets that the evidence supports. ``effective_sizes``: Kish's sample
    size of judgements and of picks, after all weights. ``figures``: counts and fit, without an id.
    """

    skill_offsets: dict[str, float] = field(default_factory=dict)
    tenant_offsets: dict[str, dict[str, float]] = field(default_factory=dict)
    factors: dict[str, float] = field(default_factory=lambda: dict.fromkeys(FEATURES, 0.0))
    intercept: float = 0.0
    prior_sds: dict[str, float] = field(default_factory=dict)
    effective_sizes: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    def offsets(self, catalogue: Catalogue, tenant: str | None = None) -> Floats:
        """(skills,) offsets that count for a tenant's cases; None: for a tenant nothing is known of."""
        own = {} if tenant is None else self.tenant_offsets.get(tenant, {})
        return np.array([self.skill_offsets.get(skill, 0.0) + own.get(skill, 0.0) for skill in catalogue.ids])


def fit_update(
    evidence: Evidence, catalogue: Catalogue, positions: Positions, parameters: LearningParameters
) -> Update:
    """Fit the corrections: maximum a posteriori (Laplace) logistic regression on top of the shipped log-odds.

    Priors are Gaussian around 0, the shipped model. The SDs of skill and of tenant offsets are learned by evidence
    maximisation within their bounds (MacKay 1992, Bayesian interpolation): a few reviews move little, many as far as
    they agree. In the posterior variances only the offsets of one skill hang together (its own and its tenants').
    Copies of a row count once. Deterministic: from zero, rows in the order of (shown_at, id), float64; the order rows
    are given in does not matter.
    """
    rows = without_copies(Evidence.of(evidence.rows).rows)
    judgements, picks = read_signals(rows, catalogue, parameters)
    weights = _weights(rows, judgements, picks, parameters)
    layout = Layout(len(catalogue), tuple(sorted({row.tenant for row in rows})))
    objective = Objective(layout, rows, judgements, picks, positions, weights)
    theta, sds, rounds = _maximise_evidence(objective, parameters.update)
    return Update(
        skill_offsets=_named(layout.skill_offsets(theta), catalogue),
        tenant_offsets={
            tenant: named
            for tenant, own in zip(layout.tenants, layout.tenant_offsets(theta), strict=True)
            if (named := _named(own, catalogue))
        },
        factors={name: _rounded(value) for name, value in zip(FEATURES, theta[1:N_SHARED], strict=True)},
        intercept=_rounded(theta[0]),
        prior_sds={"skills": _rounded(sds[0]), "tenants": _rounded(sds[1])},
        effective_sizes={
            "judgements": round(kish(objective.judgement_weight), 1), "picks": round(kish(objective.pick_weight), 1)
        },
        figures=_figures(rows, judgements, picks, layout, rounds),
    )  # fmt: skip


def _weights(
    rows: Sequence[EvidenceRow], judgements: Judgements, picks: Picks, parameters: LearningParameters
) -> tuple[Floats, Floats]:
    """Weights of judgements and picks by kind and by who gave how many."""
    n = len(judgements)
    said = [*judgements.about.skill.tolist(), *picks.among.skill[picks.picked].tolist()]
    row = np.concatenate([judgements.row, picks.row])
    shared = signal_weights(rows, row, [*judgements.kinds, *picks.kinds], said, parameters.weights)
    return judgements.weight * shared[:n], picks.weight * shared[n:]


def _maximise_evidence(objective: Objective, parameters: UpdateParameters) -> tuple[Floats, tuple[float, float], int]:
    """Parameters, SDs of the two groups of offsets, and the rounds it took."""
    layout = objective.layout
    shared = np.full(N_SHARED, parameters.factor_sd.value**-2)
    shared[0] = parameters.intercept_sd.value**-2
    theta = np.zeros(layout.size)
    sds = (parameters.skill_sd.start, parameters.tenant_sd.start)
    for done in range(1, parameters.rounds.value + 1):
        theta = _most_probable(objective, layout.spread(shared, sds[0] ** -2, sds[1] ** -2), theta)
        found = _supported_sds(objective, theta, sds, parameters)
        settled = all(abs(new / old - 1) <= SD_TOLERANCE for new, old in zip(found, sds, strict=True))
        if settled:
            return theta, sds, done
        sds = found
    return _most_probable(objective, layout.spread(shared, sds[0] ** -2, sds[1] ** -2), theta), sds, done


def _most_probable(objective: Objective, precision: Floats, start: Floats) -> Floats:
    """The posterior's mode by L-BFGS, each parameter in units of its own posterior SD."""
    scale = 1 / np.sqrt(precision + objective.curvature(start))

    def loss(phi: Floats) -> tuple[float, Floats]:
        theta = scale * phi
        value, gradient = objective.loss(theta)
        return value + 0.5 * float(precision @ theta**2), scale * (gradient + precision * theta)

    options = {"maxiter": 500, "ftol": 1e-13, "gtol": 1e-5, "maxcor": 20}
    fitted = minimize(loss, start / scale, jac=True, method="L-BFGS-B", options=options).x
    result: Floats = scale * fitted
    return result


def _supported_sds(
    objective: Objective, theta: Floats, sds: tuple[float, float], parameters: UpdateParameters
) -> tuple[float, float]:
    """MacKay's fixed point: sum of squared offsets over the number of offsets the data determine.

    For one skill the Hessian of its offset b and its tenants' offsets d is an arrow: ``h_t + 1/sd_t^2`` for each d,
    the sum of all h_t plus ``1/sd_b^2`` for b, h_t between them; its inverse is written out below.
    """
    layout = objective.layout
    h = layout.tenant_offsets(objective.curvature(theta))
    skill_precision, tenant_precision = (sd**-2 for sd in sds)
    own = h + tenant_precision
    skill_variance = 1 / (skill_precision + (h * tenant_precision / own).sum(axis=0))
    tenant_variance = 1 / own + (h / own) ** 2 * skill_variance
    return (
        _supported_sd(layout.skill_offsets(theta), skill_variance, skill_precision, parameters.skill_sd),
        _supported_sd(layout.tenant_offsets(theta), tenant_variance, tenant_precision, parameters.tenant_sd),
    )


def _supported_sd(offsets: Floats, variance: Floats, precision: float, bounds: PriorSd) -> float:
    determined = float((1 - precision * variance).sum())
    squares = float((offsets**2).sum())
    # Where nothing is determined nothing speaks for another SD than the one assumed.
    if determined < 1e-9:
        return bounds.start
    return float(np.clip(np.sqrt(squares / determined), bounds.least, bounds.most))


def _named(offsets: Floats, catalogue: Catalogue) -> dict[str, float]:
    rounded = zip(catalogue.ids, map(_rounded, offsets), strict=True)
    return {skill: offset for skill, offset in rounded if offset}


def _rounded(value: float) -> float:
    return round(float(value), DECIMALS) + 0.0


def _figures(
    rows: Sequence[EvidenceRow], judgements: Judgements, picks: Picks, layout: Layout, rounds: int
) -> dict[str, float]:
    kinds: Mapping[str, int] = Counter([*judgements.kinds, *picks.kinds])
    return {
        "rows": len(rows),
        "reviews": sum(row.review is not None for row in rows),
        "tenants": len(layout.tenants),
        "practised": sum(row.outcome is not None for row in rows),
        **{kind: kinds[kind] for kind in sorted(kinds)},
        "rounds": rounds,
    }
