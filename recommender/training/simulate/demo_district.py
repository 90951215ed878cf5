"""A seeded demo district to show the product with: made-up teachers, scores and machine-written struggles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.cases import CareerStage, GradeBandAnswer
from recommender.catalogue.instruments import Instruments, load_instruments
from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.catalogue.subjects import Subject
from recommender.errors import GrowthError
from recommender.observations import scores as column
from recommender.training.corpus import WRITTEN, Row, load_rows, soft_targets
from recommender.training.simulate.components import Component, Components, Floats
from recommender.training.simulate.design import Design
from recommender.training.simulate.district_parameters import DemoParameters, EarlyCareer
from recommender.training.simulate.districts import skill_needs
from recommender.training.simulate.parameters import Parameters, load_parameters
from recommender.training.simulate.population import Integers, Population, draw_population, numbered
from recommender.training.simulate.ratings import Streams, rate
from recommender.training.simulate.rubrics import simulated_rubric

PREFIX = "demo"
SOURCE = "demo"
MOST_VISITS = 6
MANAGEMENT = "management"
# Shorter texts say too little to show a ranking with, longer ones do not fit a screen.
SHORTEST, LONGEST = 80, 600
# A text that tells the writer's time in the profession would contradict a drawn career stage.
_TELLS_CAREER = re.compile(r"\b(?:years?|decades?|mentor|trainee|student[- ]teach\w*|retir\w+|nqt|ect|veteran)\b", re.I)


@dataclass(frozen=True)
class DemoTeacher:
    """One made-up teacher; ``struggle`` is a machine-written text of the training corpus, nobody's real words."""

    teacher_id: str
    school: str
    career_stage: CareerStage
    grade_band: GradeBandAnswer
    subject: Subject
    struggle: str


@dataclass(frozen=True)
class DemoDistrict:
    """Teachers and their scores; every id starts with ``demo-`` and every row's source system is ``demo``."""

    teachers: list[DemoTeacher]
    scores: pd.DataFrame


def demo_district(
    seed: int = 7,
    *,
    teachers: int = 24,
    observers: int = 3,
    schools: int = 2,
    first_day: date = date(2025, 9, 1),
    keep: Callable[[str], bool] | None = None,
    parameters: Parameters | None = None,
    instruments: Instruments | None = None,
) -> DemoDistrict:
    """Draw the demo district; the same arguments give the same district.

    Each teacher is visited 1 to 6 times in the school year from ``first_day`` by the coaches, who share all schools.
    The struggle's first skill is among the teacher's largest true needs; which of them depends on what teachers of
    that career stage name most. No two teachers have the same text. ``keep`` may refuse a text (one that a model's
    screening turns away, say); another is then drawn for that teacher. Raises GrowthError when there are fewer
    teachers than schools, or no text is left.
    """
    parameters = parameters or load_parameters()
    instruments = instruments or load_instruments()
    if not 1 <= schools <= teachers or observers < 1:
        raise GrowthError(
            f"{teachers} teachers, {schools} schools, {observers} observers",
            wanted="at least one of each and no school without a teacher",
            where="demo district",
        )
    catalogue = load_catalogue()
    rubric = simulated_rubric(parameters.district.instrument, "operational", parameters, instruments)
    components = Components.of(rubric.domains, "operational", parameters)
    streams = Streams(seed)
    rng = streams["demo"]
    stages = _stages(rng, teachers, parameters.demo)
    population = _with_experience(
        draw_population(streams["teachers"], components.teacher, teachers, PREFIX),
        components.teacher,
        stages,
        parameters.demo.early_career,
    )
    counts = rng.integers(1, MOST_VISITS, size=teachers, endpoint=True)
    design = Design(
        teachers=teachers, visits=None, raters="pool", teachers_per_rater=-(-int(counts.sum()) // observers),
        school_size=-(-teachers // schools), instrument=rubric.instrument, preset="operational",
        first_day=first_day, prefix=PREFIX,
    )  # fmt: skip
    rated = rate(population, rubric, components, design, streams, parameters, visit_counts=counts)
    needs = skill_needs(instruments, rubric.items, catalogue, components.teacher, parameters)
    u = needs.draw(streams["needs"], population.theta)
    rows = [row for row in load_rows(WRITTEN) if _fit_to_show(row)]
    chosen = _choose_rows(streams["texts"], rows, u, stages, catalogue, parameters.demo, keep)
    school_ids = numbered(f"{PREFIX}-s", -(-teachers // design.school_size))
    people = [
        _teacher(teacher_id, school_ids[place // design.school_size], stage, row)
        for place, (teacher_id, stage, row) in enumerate(zip(population.teacher_ids, stages, chosen, strict=True))
    ]
    return DemoDistrict(people, _marked(rated.scores))


def _stages(rng: np.random.Generator, teachers: int, demo: DemoParameters) -> list[CareerStage]:
    weights: dict[CareerStage, int] = {
        "student": demo.stages.student,
        "early": demo.stages.early,
        "mid": demo.stages.mid,
        "veteran": demo.stages.veteran,
    }
    names = list(weights)
    shares = np.array(list(weights.values()), dtype=np.float64)
    # As even as whole teachers allow, then shuffled.
    edges = np.rint(np.cumsum(shares) / shares.sum() * teachers).astype(int)
    ordered = np.searchsorted(edges, np.arange(teachers), side="right")
    return [names[place] for place in rng.permutation(ordered)]


def _with_experience(
    population: Population, component: Component, stages: Iterable[CareerStage], early: EarlyCareer
) -> Population:
    """Teachers in their first years stand a little lower, most of all in classroom management."""
    shift = np.array([early.management if domain == MANAGEMENT else early.overall for domain in component.domains])
    new = np.array([stage in ("student", "early") for stage in stages])
    return Population(population.teacher_ids, population.theta + np.sqrt(component.share) * np.outer(new, shift))


def _fit_to_show(row: Row) -> bool:
    known = row.context.grade_band != "unknown" and row.context.subject is not None
    if row.kind != "struggle" or not row.labels or not known:
        return False
    return SHORTEST <= len(row.text) <= LONGEST and not _TELLS_CAREER.search(row.text)


def _choose_rows(
    rng: np.random.Generator,
    rows: list[Row],
    u: Floats,
    stages: list[CareerStage],
    catalogue: Catalogue,
    demo: DemoParameters,
    keep: Callable[[str], bool] | None,
) -> list[Row]:
    first = soft_targets(rows, catalogue).argmax(axis=1)
    domains = np.array([skill.domain for skill in catalogue])
    taken = np.zeros(len(rows), dtype=bool)
    chosen: list[Row] = []
    for need, stage in zip(u, stages, strict=True):
        row = None
        while row is None or (keep is not None and not keep(row.text)):
            if taken.all():
                raise GrowthError("no text left", wanted="as many texts to keep as teachers", where="demo district")
            skill = _struggled_with(rng, need, first[~taken], domains, stage, demo)
            place = int(rng.choice(np.flatnonzero((first == skill) & ~taken)))
            taken[place] = True
            row = rows[place]
        chosen.append(row)
    return chosen


def _struggled_with(
    rng: np.random.Generator,
    need: Floats,
    available: Integers,
    domains: npt.NDArray[np.str_],
    stage: CareerStage,
    demo: DemoParameters,
) -> int:
    """One of the teacher's largest needs that a text is about, drawn by how often the stage names its domain."""
    having = np.unique(available)
    largest = having[np.argsort(-need[having], kind="stable")[: demo.fitting_skills.value]]
    named = {domain: area.share(stage) for area in demo.struggle_areas for domain in area.domains}
    weights = np.array([named.get(str(domain), demo.other_areas.value) for domain in domains[largest]])
    return int(rng.choice(largest, p=weights / weights.sum()))


def _teacher(teacher_id: str, school: str, stage: CareerStage, row: Row) -> DemoTeacher:
    context = row.case_context()
    return DemoTeacher(teacher_id, school, stage, context.grade_band, context.subject, row.text)


def _marked(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(**{column.TENANT: PREFIX, column.OBSERVER_ROLE: "coach", column.SOURCE_SYSTEM: SOURCE})
