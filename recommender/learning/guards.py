"""Guards: patterns in the evidence that somebody should look at before a model learns from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.yaml_files import read_yaml
from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.parameters import GuardParameters, LearningParameters, load_learning_parameters
from recommender.learning.positions import Positions
from recommender.learning.signals import Judgements, Picks, read_signals
from recommender.learning.weights import burst_of, fingerprint

FINDINGS_FILE = Path(__file__).parent / "findings.yaml"

FindingName = Literal[
    "coach_share", "keeps_everything", "stricter_or_milder", "other_scale", "burst", "duplicates"
]  # fmt: skip
Coach = tuple[str, str | None]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """One pattern beyond its threshold.

    ``about``: the tenant, and the coach or skill; people are pseudonyms. ``n``: the reviews or rows looked at, for a
    burst the stretches of time with one.
    """

    name: FindingName
    about: tuple[str, ...]
    value: float
    threshold: float
    n: int
    sentence: str


@lru_cache(maxsize=1)
def _sentences() -> dict[str, str]:
    return {str(name): str(text) for name, text in read_yaml(FINDINGS_FILE).items()}


def guard(
    evidence: Evidence, parameters: LearningParameters | None = None, positions: Positions | None = None
) -> list[Finding]:
    """All findings, in a fixed order; none means that nothing in the evidence stands out.

    A coach is compared with the middle coach of all tenants, so that coaches may well disagree with the model as long
    as they do so together. ``parameters`` and ``positions`` default to learning.yaml and its assumed curve.
    """
    parameters = parameters or load_learning_parameters()
    positions = positions or Positions.assumed(parameters.examination)
    rows = Evidence.of(evidence.rows).rows
    judgements, picks = read_signals(rows, load_catalogue(), parameters)
    limits = parameters.guards
    return [
        *_coach_share(rows, limits),
        *_coaches(rows, judgements, positions, limits),
        *_bursts(rows, judgements, picks, parameters),
        *_duplicates(rows, limits),
    ]


def _finding(
    name: FindingName, about: Sequence[str | None], value: float, threshold: float, n: int, **more: float
) -> Finding:
    sentence = _sentences()[name].format(value=value, threshold=threshold, n=n, **more)
    return Finding(name, tuple(part or "" for part in about), round(value, 4), threshold, n, sentence)


def _coach_share(rows: Sequence[EvidenceRow], limits: GuardParameters) -> Iterator[Finding]:
    count = Counter((row.tenant, row.coach) for row in rows if row.review is not None)
    if len(count) < limits.least_coaches.value:
        return
    total = count.total()
    for coach in sorted(count, key=_by_name):
        if count[coach] / total > limits.coach_share.value:
            yield _finding("coach_share", coach, count[coach] / total, limits.coach_share.value, total)


@dataclass(frozen=True)
class _CoachView:
    """One coach's reviews against the model: one-step estimates of strictness and scale with their variances."""

    coach: Coach
    reviews: int
    judged: int
    removed: int
    changed: bool
    milder: float
    milder_variance: float
    scale: float
    scale_variance: float


def _coaches(
    rows: Sequence[EvidenceRow], judgements: Judgements, positions: Positions, limits: GuardParameters
) -> Iterator[Finding]:
    views = _views(rows, judgements, positions, limits)
    removed, judged = int((judgements.said == 0).sum()), len(judgements)
    for view in views:
        others = (removed - view.removed) / max(judged - view.judged, 1)
        chance = (1 - others) ** view.judged
        if not view.changed and chance < limits.keep_chance.value:
            yield _finding(
                "keeps_everything", view.coach, chance, limits.keep_chance.value, view.reviews, others=others
            )
    if len(views) < limits.least_coaches.value:
        return
    yield from _far("stricter_or_milder", [(view, view.milder, view.milder_variance) for view in views], limits)
    yield from _far("other_scale", [(view, view.scale, view.scale_variance) for view in views], limits)


def _far(
    name: FindingName, estimates: Sequence[tuple[_CoachView, float, float]], limits: GuardParameters
) -> Iterator[Finding]:
    """Coaches whose estimate is many standard errors from the middle coach's."""
    middle = float(np.median([estimate for _, estimate, _ in estimates]))
    for view, estimate, variance in estimates:
        distance = (estimate - middle) / float(np.sqrt(variance + limits.honest_sd.value**2))
        if abs(distance) > limits.coach_distance.value:
            yield _finding(name, view.coach, distance, limits.coach_distance.value, view.reviews)


def _views(
    rows: Sequence[EvidenceRow], judgements: Judgements, positions: Positions, limits: GuardParameters
) -> list[_CoachView]:
    reviews = Counter((row.tenant, row.coach) for row in rows if row.review is not None)
    changed = {
        (row.tenant, row.coach)
        for row in rows
        if row.review is not None and any(change.action != "keep" for change in row.review.changes)
    }
    coach_of = [(row.tenant, row.coach) for row in rows]
    coaches = sorted((coach for coach, n in reviews.items() if n >= limits.least_reviews.value), key=_by_name)
    place = {coach: at for at, coach in enumerate(coaches)}
    of = np.array([place.get(coach_of[row], -1) for row in judgements.row], dtype=np.int64)
    removed = judgements.said == 0
    score, information = _score_of_removals(judgements, removed, positions)
    views = []
    for coach in coaches:
        mine = of == place[coach]
        milder, scale = _one_step(score[mine], information[mine], judgements.about.log_odds[mine])
        views.append(
            _CoachView(
                coach, reviews[coach], int(mine.sum()), int(removed[mine].sum()), coach in changed, *milder, *scale
            )
        )
    return views


def _score_of_removals(
    judgements: Judgements, removed: npt.NDArray[np.bool_], positions: Positions
) -> tuple[Floats, Floats]:
    """Derivative by the log-odds of each judgement's log-likelihood, and its information.

    A skill is removed with chance ``r = e (1 - p)``, whose derivative is ``-e p (1 - p)``.
    """
    e, p = positions.at(judgements.about.place), expit(judgements.about.log_odds)
    chance = np.clip(e * (1 - p), 1e-6, 1 - 1e-6)
    slope = -e * p * (1 - p)
    spread = chance * (1 - chance)
    return (removed - chance) / spread * slope, slope**2 / spread


def _one_step(score: Floats, information: Floats, log_odds: Floats) -> tuple[tuple[float, float], tuple[float, float]]:
    """Estimates and variances of a shift of the log-odds and of a change of their scale: Fisher scoring from 0."""
    total = float(information.sum())
    if total <= 0:
        return (0.0, np.inf), (0.0, np.inf)
    centred = log_odds - float(information @ log_odds) / total
    about_scale = float(information @ centred**2)
    scale = (float(score @ centred) / about_scale, 1 / about_scale) if about_scale > 0 else (0.0, np.inf)
    return (float(score.sum()) / total, 1 / total), scale


def _bursts(
    rows: Sequence[EvidenceRow], judgements: Judgements, picks: Picks, parameters: LearningParameters
) -> Iterator[Finding]:
    skills = [*judgements.about.skill.tolist(), *picks.among.skill[picks.picked].tolist()]
    places = zip([*judgements.row, *picks.row], [*judgements.kinds, *picks.kinds], skills, strict=True)
    count = Counter(burst_of(rows[row], kind, skill, parameters.weights) for row, kind, skill in places)
    most: dict[tuple[str, int], tuple[int, int]] = {}
    for (tenant, skill, _), n in sorted(count.items()):
        hours, largest = most.get((tenant, skill), (0, 0))
        if n > parameters.guards.burst_signals.value:
            most[tenant, skill] = hours + 1, max(largest, n)
    ids, limit = load_catalogue().ids, float(parameters.guards.burst_signals.value)
    for (tenant, skill), (hours, largest) in most.items():
        minutes = parameters.weights.burst_minutes.value
        yield _finding("burst", (tenant, ids[skill]), largest, limit, hours, minutes=minutes)


def _duplicates(rows: Sequence[EvidenceRow], limits: GuardParameters) -> Iterator[Finding]:
    count = Counter(map(fingerprint, rows))
    share = 1 - len(count) / len(rows) if rows else 0.0
    if share > limits.duplicate_share.value:
        yield _finding("duplicates", (), share, limits.duplicate_share.value, len(rows))


def _by_name(coach: Coach) -> tuple[str, str]:
    return coach[0], coach[1] or ""
