"""Simulated districts: words, notes, scores and interests of teachers, with the grades a coach would give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recommender.catalogue.instruments import Instruments, load_instruments
from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.observations.scores import TEACHER, VISIT
from recommender.training.simulate.coach_grades import Grades, coach_grades, coach_value
from recommender.training.simulate.components import Component, Components, Floats
from recommender.training.simulate.design import Design, RaterMode
from recommender.training.simulate.labelled_texts import LabelledTexts, draw_texts
from recommender.training.simulate.parameters import Parameters, load_parameters
from recommender.training.simulate.population import Integers, draw_population
from recommender.training.simulate.ratings import Streams, rate
from recommender.training.simulate.rubrics import simulated_rubric
from recommender.training.simulate.self_report import named_domains, simulate_self_report
from recommender.training.simulate.skill_needs import SkillNeeds, domain_averages


@dataclass(frozen=True)
class District:
    """Teachers of one simulated district and the truth about them.

    ``text_rows`` (teachers,): position of each teacher's struggle in the texts given; ``note_rows``: for each teacher
    the positions of the observers' notes in the notes given. ``grades`` (teachers, skills) 0 to 3. ``u`` (teachers,
    skills): true need per skill, variance 1. ``theta`` (teachers, items): true scores. ``interests``: the catalogue
    domains each teacher names.
    """

    teacher_ids: tuple[str, ...]
    text_rows: Integers
    note_rows: list[Integers]
    scores: pd.DataFrame
    grades: Grades
    u: Floats
    theta: Floats
    items: tuple[str, ...]
    interests: list[list[str]]


def simulate_district(
    seed: int,
    teachers: int,
    visits: int | None,
    texts: LabelledTexts,
    notes: LabelledTexts | None = None,
    parameters: Parameters | None = None,
    *,
    raters: RaterMode = "mixed",
    instruments: Instruments | None = None,
) -> District:
    """Draw one district; the same arguments give the same district.

    ``visits``: lessons of every teacher, None for the usual spread of 1 to 10. ``notes``: observers' notes; None
    leaves them out. Scores are operational (most are "proficient"), the share of top scores drawn per district. The
    text goes by true need with ``kappa``, a note by ``kappa_note_factor`` times as much, one after about every second
    visit. Raises GrowthError when the instrument lacks the margins or the crosswalk.
    """
    parameters = parameters or load_parameters()
    instruments = instruments or load_instruments()
    catalogue = load_catalogue()
    district = parameters.district
    rubric = simulated_rubric(district.instrument, "operational", parameters, instruments)
    components = Components.of(rubric.domains, "operational", parameters)
    needs = skill_needs(instruments, rubric.items, catalogue, components.teacher, parameters)
    prefix = f"district{seed}"
    design = Design(
        teachers=teachers, visits=visits, raters=raters, teachers_per_rater=district.teachers_per_rater.value,
        instrument=district.instrument, preset="operational", vary_top_share=True, prefix=prefix,
    )  # fmt: skip
    streams = Streams(seed)
    population = draw_population(streams["teachers"], components.teacher, teachers, prefix)
    rated = rate(population, rubric, components, design, streams, parameters)
    u = needs.draw(streams["needs"], population.theta)
    kappa = district.kappa.value
    text_rows = draw_texts(streams["texts"], texts, u, kappa)
    note_rows = [np.empty(0, dtype=np.int64)] * teachers
    if notes is not None:
        counts = _note_counts(streams["notes"], rated.scores, population.teacher_ids, district.note_share.value)
        note_rows = _draw_notes(streams["notes"], notes, u, counts, kappa * district.kappa_note_factor.value)
    value = coach_value(texts.targets[text_rows], u, district.truth)
    return District(
        population.teacher_ids,
        text_rows,
        note_rows,
        rated.scores,
        coach_grades(value, district.truth),
        u,
        population.theta,
        rubric.items,
        _interests(streams["self-report"], u, needs.covariance(components.teacher.covariance()), catalogue, parameters),
    )


def skill_needs(
    instruments: Instruments,
    items: tuple[str, ...],
    catalogue: Catalogue,
    teacher: Component,
    parameters: Parameters,
) -> SkillNeeds:
    """How true scores on the district's instrument become true needs per skill."""
    district = parameters.district
    crosswalk: Mapping[str, Mapping[str, float]] = {
        item: {skill: entry.weight for skill, entry in row.items()}
        for item, row in instruments.crosswalk(district.instrument).items()
    }
    return SkillNeeds.of(crosswalk, items, catalogue, teacher.covariance(), district.visible_share.value)


def _note_counts(
    rng: np.random.Generator, scores: pd.DataFrame, teacher_ids: tuple[str, ...], note_share: float
) -> Integers:
    """(teachers,) notes: each visit leaves one with probability ``note_share``."""
    visits = scores.groupby(TEACHER, observed=True)[VISIT].nunique().reindex(list(teacher_ids), fill_value=0)
    counts: Integers = rng.binomial(visits.to_numpy(dtype=np.int64), note_share)
    return counts


def _draw_notes(
    rng: np.random.Generator, notes: LabelledTexts, u: Floats, counts: Integers, kappa: float
) -> list[Integers]:
    drawn = draw_texts(rng, notes, np.repeat(u, counts, axis=0), kappa)
    return np.split(drawn, np.cumsum(counts)[:-1])


def _interests(
    rng: np.random.Generator, u: Floats, covariance: Floats, catalogue: Catalogue, parameters: Parameters
) -> list[list[str]]:
    averages = domain_averages(catalogue)
    sd = np.sqrt(np.einsum("sd,st,td->d", averages, covariance, averages))
    report = simulate_self_report(rng, -(u @ averages) / sd, parameters.self_report)
    named = named_domains(report.first, parameters.self_report.interests_named.value)
    return [[catalogue.domains[domain] for domain in row] for row in named.tolist()]
