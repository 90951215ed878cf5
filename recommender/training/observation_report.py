"""Measures how well rankers find what a teacher needs: on a held-back visit, and on simulated teachers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.instruments import load_instruments
from recommender.errors import DataFileError
from recommender.exchange.observation_files import read_observations
from recommender.observations.needs import estimate_needs
from recommender.training.holdout import HeldBack, held_back_target, hold_back
from recommender.training.intervals import bootstrap_mean, paired_difference
from recommender.training.item_hits import Hits, Question, aligned, hits
from recommender.training.observation_baselines import (
    POSTERIOR,
    ItemRanks,
    posterior_needs,
    rankers,
    raw_lowest,
)
from recommender.training.observation_designs import load_designs, oracle_need, simulated_interests
from recommender.training.report import as_data
from recommender.training.simulate.ratings import SimulatedScores, simulate_scores
from recommender.training.simulate.rubrics import GTI

Array = npt.NDArray[np.float64]
Say = Callable[[str], None]

HELD_BACK = "held-back visit"
SIMULATED = "simulated teachers"
TRUTH = "oracle: true need"
ORACLE = "oracle: continuous scores, raters known"
TEACHERS = 2000
COVERED = 0.90
# Half-width of a 90% interval in SDs.
Z_90 = 1.6448536269514722
PLACES = 4


def holdout_report(
    observations: Path | pd.DataFrame,
    instruments: Mapping[str, Instrument] | None = None,
    seed: int = 0,
    interests: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """hit@3 of every ranker on visits held back from it, by observers who saw the teacher at no other visit.

    ``observations``: a score table, or a file of one (bad rows are counted). ``interests``: teacher -> catalogue
    domains. Raises DataFileError when no teacher can be measured.
    """
    instruments = load_instruments() if instruments is None else instruments
    refused = None
    if isinstance(observations, Path):
        file = read_observations(observations, instruments)
        observations, refused = file.scores, len(file.rejects)
    held_back = hold_back(observations)
    if not held_back.teachers:
        raise DataFileError(
            "no teacher with a visit to hold back", wanted="teachers seen at two visits or more by different observers"
        )
    answers = {name: rank(held_back.kept, instruments) for name, rank in rankers(interests).items()}
    scored = raw_lowest(held_back.kept, instruments)
    targets = {
        "hit@3": held_back_target(held_back.held, instruments, adjusted=False),
        "hit@3, held-back raters adjusted": held_back_target(held_back.held, instruments, adjusted=True),
    }
    questions = {name: Question.of(scored, target) for name, target in targets.items()}
    return _holdout_figures(held_back, questions, answers, seed, refused)


def _holdout_figures(
    held_back: HeldBack,
    questions: Mapping[str, Question],
    answers: Mapping[str, ItemRanks],
    seed: int,
    refused: int | None,
) -> dict[str, Any]:
    question = next(iter(questions.values()))
    if not question.teachers:
        raise DataFileError(
            "no teacher with four items scored both before and at the held-back visit",
            wanted="visits that score the same items",
        )
    left_out = {**held_back.left_out, **({"three common items or fewer": question.too_few} if question.too_few else {})}
    return {
        "kind": HELD_BACK,
        "seed": seed,
        "teachers": len(question.teachers),
        "left out": left_out,
        "rows refused": refused,
        "items": round(float(question.candidates.sum(axis=1).mean()), 2),
        "chance": round(question.chance, PLACES),
        "figures": {
            name: _figures({ranker: hits(each, ranked, seed) for ranker, ranked in answers.items()})
            for name, each in questions.items()
        },
    }


def simulated_report(
    teachers: int = TEACHERS,
    seed: int = 0,
    instruments: Mapping[str, Instrument] | None = None,
    designs: Iterable[str] | None = None,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """hit@3 of every ranker against the true need of simulated teachers, design by design, with the oracle ceiling.

    ``designs``: names of observation_designs.yaml, default all. All designs have the same teachers.
    """
    instruments = load_instruments() if instruments is None else instruments
    known = load_designs()
    studies = {}
    for name in known if designs is None else designs:
        say(f"design: {name}")
        simulated = simulate_scores(known[name].of(teachers), seed, instruments=instruments)
        figures = _study(simulated, known[name].visits, instruments, seed)
        studies[name] = {
            "teachers a rater": known[name].teachers_per_rater,
            "raters": int(simulated.scores["observer"].nunique()),
            "reference": known[name].reference,
            **figures,
        }
    return {"kind": SIMULATED, "seed": seed, "teachers": teachers, "designs": studies}


def _study(simulated: SimulatedScores, visits: int, instruments: Mapping[str, Instrument], seed: int) -> dict[str, Any]:
    scores = simulated.scores
    items = tuple((GTI, code) for code in simulated.items)
    truth = ItemRanks(simulated.teacher_ids, items, simulated.true_need)
    question = Question.of(raw_lowest(scores, instruments), truth)
    wishes = simulated_interests(simulated, instruments, seed)
    answers = {name: rank(scores, instruments) for name, rank in rankers(wishes).items()}
    answers[ORACLE] = ItemRanks(simulated.teacher_ids, items, oracle_need(simulated.theta, visits, seed))
    answers[TRUTH] = truth
    return {
        "items": len(items),
        "chance": round(question.chance, PLACES),
        "figures": {"hit@3": _figures({name: hits(question, ranked, seed) for name, ranked in answers.items()})},
        "posterior": _posterior_fit(scores, instruments, truth),
    }


def _posterior_fit(scores: pd.DataFrame, instruments: Mapping[str, Instrument], truth: ItemRanks) -> dict[str, Any]:
    """How the posterior's needs and intervals sit with the truth, over all teachers and scored items."""
    estimate = estimate_needs(scores, instruments)
    mean, sd = (
        aligned(ItemRanks(estimate.ratings.teachers, estimate.ratings.items, part), truth.teachers, truth.items)
        for part in posterior_needs(estimate)
    )
    inside = np.where(np.isnan(mean), np.nan, np.abs(mean - truth.need) <= Z_90 * sd)
    seen = ~np.isnan(mean)
    return {
        f"coverage of {COVERED:.0%} intervals": as_data(bootstrap_mean(np.nanmean(inside, axis=1))),
        "correlation with true need": round(float(np.corrcoef(mean[seen], truth.need[seen])[0, 1]), PLACES),
        "mean SD": round(float(sd[seen].mean()), PLACES),
        "flat teachers": int(sum(group.flat.sum() for group in estimate.groups)),
    }


def _figures(measured: Mapping[str, Hits]) -> dict[str, dict[str, Any]]:
    """Ranker -> its figure, how often it gave no answer, and what the posterior is above it."""
    posterior = measured[POSTERIOR].share
    figures: dict[str, dict[str, Any]] = {}
    for name, each in measured.items():
        figure: dict[str, Any] = as_data(bootstrap_mean(each.share))
        figure["no answer"] = int((~each.answered).sum())
        if name != POSTERIOR:
            difference = paired_difference(posterior, each.share)
            figure["posterior is better by"] = {**as_data(difference), "p": round(difference.p_value, PLACES)}
        figures[name] = figure
    return figures
