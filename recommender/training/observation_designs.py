"""Simulated studies for measuring rankers against the true need: designs, teachers' interests and the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.yaml_files import read_validated
from recommender.training.observation_baselines import item_domains
from recommender.training.simulate.components import Components
from recommender.training.simulate.design import Design, RaterMode
from recommender.training.simulate.parameters import PresetName, load_parameters
from recommender.training.simulate.population import need_of
from recommender.training.simulate.ratings import SimulatedScores
from recommender.training.simulate.rubrics import GTI, simulated_rubric
from recommender.training.simulate.self_report import named_domains, simulate_self_report
from recommender.training.simulate.sourced import AtLeastOne, Share, StrictModel

Array = npt.NDArray[np.float64]

DESIGNS_FILE = Path(__file__).with_name("observation_designs.yaml")
PRESET: PresetName = "research"


class StudyDesign(StrictModel):
    """One simulated study; every visit has one rater. ``reference``: the posterior's hit@3 when first simulated."""

    visits: AtLeastOne
    raters: RaterMode
    teachers_per_rater: AtLeastOne
    reference: Share

    def of(self, teachers: int) -> Design:
        """The simulator's design for this many teachers; colleagues who share a rater are one school."""
        return Design(
            teachers=teachers,
            visits=self.visits,
            raters=self.raters,
            teachers_per_rater=self.teachers_per_rater,
            school_size=self.teachers_per_rater,
            instrument=GTI,
            preset=PRESET,
        )


@lru_cache(maxsize=2)
def load_designs(file: Path = DESIGNS_FILE) -> Mapping[str, StudyDesign]:
    """Name -> design, in the file's order. Raises DataFileError with design and field."""
    return read_validated(file, dict[str, StudyDesign])


def simulated_interests(
    simulated: SimulatedScores, instruments: Mapping[str, Instrument], seed: int
) -> dict[str, list[str]] | None:
    """Teacher -> catalogue domains they name, by a self-report of the domains the items speak about.

    A domain's truth is the mean true score of its items, less the teacher's mean; the self-report has the simulator's
    correlation with it. None where the items have no crosswalk.
    """
    domains = item_domains([(GTI, code) for code in simulated.items], instruments)
    named = sorted({domain for domain in domains if domain is not None})
    if not named:
        return None
    parameters = load_parameters().self_report
    member = np.array([[domain == name for name in named] for domain in domains], dtype=np.float64)
    truth = -need_of(simulated.theta) @ (member / member.sum(axis=0))
    standardised = (truth - truth.mean(axis=0)) / truth.std(axis=0)
    report = simulate_self_report(np.random.default_rng([seed, 1]), standardised, parameters)
    lowest = named_domains(report.first, parameters.interests_named.value)
    return {
        teacher: [named[domain] for domain in row]
        for teacher, row in zip(simulated.teacher_ids, lowest.tolist(), strict=True)
    }


def oracle_need(theta: Array, visits: int, seed: int) -> Array:
    """(teachers, items) need that the best estimate gives: scores not cut to levels, every rater's effect known.

    The mean of ``visits`` scores is then theta + noise of covariance ``(lesson + residual) / visits``, drawn here anew
    for the same teachers, and the estimate the posterior mean under the true covariances.
    """
    parameters = load_parameters()
    domains = simulated_rubric(GTI, "research", parameters).domains
    parts = Components.of(domains, PRESET, parameters)
    rng = np.random.default_rng([seed, 2])
    noise = parts.lesson.draw(rng, len(theta)) + parts.residual.draw(rng, len(theta))
    seen = theta + noise / np.sqrt(visits)
    true = parts.teacher.covariance()
    error = (parts.lesson.covariance() + parts.residual.covariance()) / visits
    mean = np.linalg.solve(true + error, true).T @ seen.T
    return need_of(mean.T)
