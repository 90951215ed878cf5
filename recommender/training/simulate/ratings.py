"""Simulated observation scores of teachers whose true needs are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.training.simulate.components import Components, Floats
from recommender.training.simulate.design import Design
from recommender.training.simulate.margins import cut
from recommender.training.simulate.parameters import Parameters, load_parameters
from recommender.training.simulate.population import (
    Integers,
    Population,
    draw_population,
    draw_visit_counts,
)
from recommender.training.simulate.raters import Assignment, assign_raters
from recommender.training.simulate.rubrics import SimulatedRubric, simulated_rubric
from recommender.training.simulate.score_parameters import Walkthroughs
from recommender.training.simulate.score_table import Rated, score_table

Booleans = npt.NDArray[np.bool_]

# One random stream a subject, so that designs that differ in raters only have the same teachers and lessons.
_STREAMS = (
    "teachers", "visits", "lessons", "assignment", "raters", "residuals", "missing", "dates", "district",
    "needs", "texts", "notes", "self-report", "demo",
)  # fmt: skip


class Streams:
    """Independent random generators of one seed, by name."""

    def __init__(self, seed: int) -> None:
        children = np.random.SeedSequence(seed).spawn(len(_STREAMS))
        self._by_name = {name: np.random.default_rng(child) for name, child in zip(_STREAMS, children, strict=True)}

    def __getitem__(self, name: str) -> np.random.Generator:
        return self._by_name[name]


@dataclass(frozen=True)
class SimulatedScores:
    """A score table and the truth behind it.

    ``scores``: the score table, by teacher, visit, rater and item. ``latent`` (rows of ``scores``,): the score before
    it was cut to a level, unit variance, higher is better. ``theta`` and ``true_need`` (teachers, items).
    """

    scores: pd.DataFrame
    latent: Floats
    theta: Floats
    true_need: Floats
    teacher_ids: tuple[str, ...]
    items: tuple[str, ...]


def simulate_scores(
    design: Design,
    seed: int,
    *,
    parameters: Parameters | None = None,
    instruments: Mapping[str, Instrument] | None = None,
) -> SimulatedScores:
    """Draw teachers and rate them; the same design and seed give the same table, byte for byte.

    ``instruments``: default the shipped ones. Raises GrowthError when the instrument has no such margins.
    """
    parameters = parameters or load_parameters()
    margins = parameters.presets[design.preset].margins
    rubric = simulated_rubric(design.instrument, margins, parameters, instruments)
    components = Components.of(rubric.domains, design.preset, parameters)
    streams = Streams(seed)
    population = draw_population(streams["teachers"], components.teacher, design.teachers, design.prefix)
    return rate(population, rubric, components, design, streams, parameters)


def rate(
    population: Population,
    rubric: SimulatedRubric,
    components: Components,
    design: Design,
    streams: Streams,
    parameters: Parameters,
    visit_counts: Integers | None = None,
) -> SimulatedScores:
    """Visit and rate teachers that are already drawn; ``theta`` has the rubric's items.

    ``visit_counts`` (teachers,): visits of each teacher, when neither the design nor the parameters say.
    """
    if design.vary_top_share:
        operational = parameters.operational_margins
        rubric = rubric.with_top_share(
            streams["district"].beta(operational.top_share_alpha, operational.top_share_beta)
        )
    if visit_counts is not None:
        counts = visit_counts
    elif design.visits is None:
        counts = draw_visit_counts(streams["visits"], parameters.visits, len(population))
    else:
        counts = np.full(len(population), design.visits, dtype=np.int64)
    assignment = assign_raters(streams["assignment"], design, counts, parameters.visits.one_rater)
    latent = _latent(population.theta, counts, assignment, components, streams)
    walkthrough_share = design.walkthrough_share
    if walkthrough_share is None:
        walkthrough_share = parameters.walkthroughs.share if design.preset == "operational" else 0.0
    walkthrough = streams["missing"].random(len(assignment.rater_of)) < walkthrough_share
    scored = _scored(streams["missing"], walkthrough, len(rubric.items), parameters.walkthroughs)
    absent = 1 - (1 - rubric.usually_missing) * (1 - design.missing_share)
    scored = scored[:, None, :] & (streams["missing"].random(latent.shape) >= absent)
    values = cut(latent.reshape(-1, len(rubric.items)), rubric.shares, rubric.levels, rubric.directions)
    rated = Rated(population.teacher_ids, rubric, counts, assignment, walkthrough, scored, values)
    table = score_table(rated, design, streams["dates"], parameters.visits.school_days)
    return SimulatedScores(
        table, latent[scored], population.theta, population.true_need, population.teacher_ids, rubric.items
    )


def _latent(
    theta: Floats, counts: Integers, assignment: Assignment, components: Components, streams: Streams
) -> Floats:
    """(visits, raters per visit, items) sum of the four parts."""
    visits, per_visit = assignment.rater_of.shape
    items = theta.shape[1]
    latent = components.residual.draw(streams["residuals"], visits * per_visit).reshape(visits, per_visit, items)
    latent += components.rater.draw(streams["raters"], assignment.raters)[assignment.rater_of]
    seen = components.lesson.draw(streams["lessons"], visits)
    seen += np.repeat(theta, counts, axis=0)
    latent += seen[:, None, :]
    return latent


def _scored(rng: np.random.Generator, walkthrough: Booleans, items: int, walkthroughs: Walkthroughs) -> Booleans:
    """(visits, items) what a visit looks at: everything, or a walkthrough's few items drawn at random."""
    scored = np.ones((len(walkthrough), items), dtype=bool)
    short = int(walkthrough.sum())
    few = rng.integers(walkthroughs.min_items, walkthroughs.max_items, size=short, endpoint=True)
    order = rng.random((short, items)).argsort(axis=1).argsort(axis=1)
    scored[walkthrough] = order < few[:, None]
    return scored
