"""How well the gates tell good versions from bad ones, measured where the truth is known: simulated districts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table

from recommender.learning.gate_rules import DEVELOPMENT, HELD_BACK, GateResult
from recommender.learning.gate_study import BETTER, DROP, NEARLY_SAME, WORSE, GateStudy, Judged, study_seed
from recommender.learning.retrain import Base
from recommender.ranking.batch import available_cores
from recommender.training.intervals import wilson
from recommender.training.report import as_data, interval
from recommender.training.simulate.coach_truth import ShippedScores

Say = Callable[[str], None]

REPORT_SEEDS = tuple(range(701, 721))
# gates.yaml, and who says what unjudged skills are worth, were set on these; the report never prints them.
TUNING_SEEDS = (401, 402, 403, 404, 405, 406)


def power_report(
    models: Path,
    say: Say = lambda _: None,
    *,
    study: GateStudy | None = None,
    texts: ShippedScores | None = None,
    jobs: int | None = None,
) -> dict[str, Any]:
    """Better and worse versions of known worth before the gates, as plain data; a few minutes on two cores.

    Every seed is one world: districts whose coaches differ from the model, a version that learned from their honest
    reviews, and a version that is worse by ``DROP`` in true nDCG@5 and hardly more. ``study`` None: ``REPORT_SEEDS``.
    ``texts`` None: the real training struggles with out-of-fold log-odds of the version that answers.
    """
    study, base = study or GateStudy(REPORT_SEEDS), Base.of(models)
    texts = texts or ShippedScores.load(models, base.manifest.version)
    say(f"simulating {len(study.seeds)} worlds with {study.reviews:,} reviews each")
    worlds = Parallel(n_jobs=jobs or available_cores())(
        delayed(study_seed)(seed, texts, base.weights, study) for seed in study.seeds
    )
    judged = [one for world in worlds for one in world]
    better = [one for one in judged if one.kind == BETTER and one.true_difference >= DROP]
    worse = [one for one in judged if one.kind in WORSE]
    nearly_same = [one for one in judged if one.kind == NEARLY_SAME]
    return {
        "seeds": list(study.seeds),
        "reviews": study.reviews,
        "development": study.development,
        "versions": [_as_data(one) for one in judged],
        "better passed": _share([one.passed for one in better]),
        "worse refused": _share([not one.passed for one in worse]),
        "nearly same": {
            "true difference": round(float(np.mean([one.true_difference for one in nearly_same])), 4),
            "passed": _share([one.passed for one in nearly_same]),
            "passed, labellers": _share([one.would_pass_labellers for one in nearly_same]),
        },
        "left out, gained less": sum(one.kind == BETTER for one in judged) - len(better),
        "better refused by labellers who see it as the model does": sum(one.labellers_would_refuse for one in better),
        "held back gains of the true difference": _share_seen(judged),
    }


def _share(hits: list[bool]) -> dict[str, float] | None:
    return as_data(wilson(sum(hits), len(hits))) if hits else None


def _as_data(judged: Judged) -> dict[str, Any]:
    by_name = {result.name: result for result in judged.results}
    return {
        "kind": judged.kind,
        "seed": judged.seed,
        "true difference": judged.true_difference,
        "passed": judged.passed,
        "deciding": list(judged.deciding),
        DEVELOPMENT: _figure(by_name[DEVELOPMENT]),
        HELD_BACK: _figure(by_name[HELD_BACK]),
    }


def _figure(result: GateResult) -> dict[str, Any]:
    low, high = result.interval or (np.nan, np.nan)
    return {"mean": result.figure, "low": low, "high": high, "n": result.n}


def _share_seen(judged: list[Judged]) -> float:
    """Slope through 0 of the held-back figure over the true difference: 1 would be no bias towards what answers."""
    true = np.array([one.true_difference for one in judged])
    seen = np.array([next(r.figure for r in one.results if r.name == HELD_BACK) for one in judged], dtype=np.float64)
    return round(float(true @ seen / (true @ true)), 3)


def print_power_report(report: dict[str, Any], console: Console) -> None:
    """The report as a table for a person."""
    title = f"{len(report['seeds'])} worlds, {report['reviews']:,} reviews each, a fifth held back"
    table = Table(
        "version", "seed", "true difference", "decision", "development", "held back", "refused by",
        title=title, title_justify="left",
    )  # fmt: skip
    for one in report["versions"]:
        table.add_row(
            one["kind"], str(one["seed"]), f"{one['true difference']:+.3f}", "passed" if one["passed"] else "refused",
            interval(one[DEVELOPMENT], signed=True), interval(one[HELD_BACK], signed=True), ", ".join(one["deciding"]),
        )  # fmt: skip
    console.print(table)
    _print_share(console, f"better by {DROP} or more and passed", report["better passed"])
    _print_share(console, "worse and refused", report["worse refused"])
    nearly_same = report["nearly same"]
    gain = f"better by {nearly_same['true difference']:.3f} in mean ({NEARLY_SAME})"
    _print_share(console, f"{gain} and passed", nearly_same["passed"])
    _print_share(console, "  where development labels see as the shipped model does", nearly_same["passed, labellers"])
    console.print(
        f"better by less than {DROP} and not counted: {report['left out, gained less']}; better ones that development "
        f"labels made as the shipped model sees things would refuse: "
        f"{report['better refused by labellers who see it as the model does']}; the held-back figure shows "
        f"{report['held back gains of the true difference']:.2f} of a true difference.",
        highlight=False,
    )


def _print_share(console: Console, what: str, share: dict[str, float] | None) -> None:
    if share is not None:
        console.print(
            f"{what}: {round(share['mean'] * share['n'])} of {share['n']}, {interval(share)}", highlight=False
        )
