"""Simulated self-report: what teachers say of themselves, domain by domain, and which domains they name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.training.simulate.components import Floats
from recommender.training.simulate.district_parameters import SelfReportParameters
from recommender.training.simulate.population import Integers


@dataclass(frozen=True)
class SelfReport:
    """Two occasions of the same questions, (teachers, domains) each, unit variance, higher = more at ease."""

    first: Floats
    second: Floats


def simulate_self_report(rng: np.random.Generator, truth: Floats, parameters: SelfReportParameters) -> SelfReport:
    """Self-report of teachers whose standardised true level per domain is ``truth`` (teachers, domains).

    report = r_true x truth + general positivity + a stable and a passing part per domain. General positivity is
    ``general_share`` of the noise variance and stable; the stable part is what brings two occasions to ``retest``.
    """
    teachers, domains = truth.shape
    noise = 1 - parameters.r_true.value**2
    general = parameters.general_share.value * noise
    stable = parameters.retest.value - parameters.r_true.value**2 - general
    lasting = parameters.r_true.value * truth
    lasting = lasting + np.sqrt(general) * rng.standard_normal((teachers, 1))
    lasting += np.sqrt(max(stable, 0.0)) * rng.standard_normal((teachers, domains))
    passing = np.sqrt(1 - parameters.retest.value)
    return SelfReport(
        lasting + passing * rng.standard_normal((teachers, domains)),
        lasting + passing * rng.standard_normal((teachers, domains)),
    )


def named_domains(report: Floats, count: int) -> Integers:
    """(teachers, count) positions of the domains each teacher reports lowest, the lowest first."""
    lowest: Integers = np.argsort(report, axis=1, kind="stable")[:, :count]
    return lowest
