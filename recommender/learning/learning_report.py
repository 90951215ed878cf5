"""What reviews teach, measured where the truth is known: simulated districts whose coaches differ from the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table

from recommender.learning.learning_study import (
    BEST,
    CHOICES_ALONE,
    CORRECTED,
    HONEST,
    NAIVE,
    OUTCOMES_LEFT_OUT,
    SHIPPED,
    SHRUNK_NAIVE,
    SWAPS,
    UNCAPPED,
    UNSHRUNK,
    LearningStudy,
    SeedFigures,
    reviews_name,
    study_seed,
)
from recommender.ranking.batch import available_cores
from recommender.training.intervals import bootstrap_mean
from recommender.training.report import as_data, interval
from recommender.training.simulate.coach_truth import Booleans, Floats, ShippedScores
from recommender.training.simulate.reviewing_parameters import load_reviewing_parameters

Say = Callable[[str], None]

REPORT_SEEDS = (301, 302, 303, 304, 305)
# learning.yaml was set on these; the report never prints them.
TUNING_SEEDS = (201, 202, 203, 204)
RESAMPLES = 1_000


def learning_report(
    models: Path,
    version: str | None = None,
    say: Say = lambda _: None,
    *,
    study: LearningStudy | None = None,
    texts: ShippedScores | None = None,
    jobs: int | None = None,
) -> dict[str, Any]:
    """The learning curve, attacks and accidents, as plain data; two to three minutes on two cores.

    Every figure is nDCG@5 on later cases under the coaches' own grades, the cases of all seeds pooled, with a 95%
    bootstrap interval over cases; differences are paired and from the shipped model. ``study`` None: ``REPORT_SEEDS``.
    ``texts`` None: the real training struggles with the version's out-of-fold log-odds.
    """
    study = study or LearningStudy(REPORT_SEEDS)
    texts = texts or ShippedScores.load(models, version)
    say(f"simulating districts and learning from their reviews, seeds {', '.join(map(str, study.seeds))}")
    seeds = Parallel(n_jobs=jobs or available_cores())(delayed(study_seed)(seed, texts, study) for seed in study.seeds)
    say("taking intervals")
    return _Pooled(study, seeds).report()


class _Pooled:
    """The figures of all seeds together."""

    def __init__(self, study: LearningStudy, seeds: Sequence[SeedFigures]) -> None:
        self.study, self.seeds = study, seeds
        self.values = {key: np.concatenate([seed.values[key] for seed in seeds]) for key in seeds[0].values}
        self.masks = {name: np.concatenate([seed.masks[name] for seed in seeds]) for name in seeds[0].masks}

    def report(self) -> dict[str, Any]:
        return {
            "seeds": list(self.study.seeds),
            "tenants": self.study.tenants,
            "beside": self.study.beside,
            SHIPPED: self._mean("", SHIPPED),
            BEST: {"mean": self._mean("", BEST), "gain": self._gain("", BEST)},
            "curve": [self._point(size) for size in self.study.sizes],
            "best by part": {name: self._gain("", BEST, mask) for name, mask in self.masks.items()},
            "cases by part": {name: int(mask.sum()) for name, mask in self.masks.items()},
            "attacks": [self._attack(scenario) for scenario in self.seeds[0].findings],
            "choices": self._choices(),
            "looks": [self._look(scenario) for scenario in load_reviewing_parameters().other_looks],
        }

    def _point(self, size: int) -> dict[str, Any]:
        scenario = reviews_name(size)
        updates = [seed.fitted[size] for seed in self.seeds]
        return {
            "reviews": size,
            **{
                way: {"mean": self._mean(scenario, way), "gain": self._gain(scenario, way)}
                for way in (CORRECTED, UNSHRUNK, NAIVE, SHRUNK_NAIVE)
            },
            "better than counted": self._difference((scenario, CORRECTED), (scenario, NAIVE)),
            "better than counted and shrunk": self._difference((scenario, CORRECTED), (scenario, SHRUNK_NAIVE)),
            "by seed": [_gain(seed.values, scenario, CORRECTED) for seed in self.seeds],
            "by part": {name: self._gain(scenario, CORRECTED, mask) for name, mask in self.masks.items()},
            "by part, counted": {name: self._gain(scenario, SHRUNK_NAIVE, mask) for name, mask in self.masks.items()},
            "words factor": round(float(np.mean([1 + update.factors["words"] for update in updates])), 3),
            "skill sd": round(float(np.mean([update.prior_sds["skills"] for update in updates])), 3),
            "tenant sd": round(float(np.mean([update.prior_sds["tenants"] for update in updates])), 3),
            "effective judgements": round(float(np.mean([u.effective_sizes["judgements"] for u in updates]))),
        }

    def _attack(self, scenario: str) -> dict[str, Any]:
        found = [name for seed in self.seeds for name in seed.findings[scenario]]
        return {
            "name": scenario,
            CORRECTED: self._gain(scenario, CORRECTED),
            UNCAPPED: self._gain(scenario, UNCAPPED),
            "cost": self._difference((scenario, CORRECTED), (HONEST, CORRECTED)),
            "findings": {name: found.count(name) for name in sorted(set(found))},
            "seeds flagged": sum(bool(seed.findings[scenario]) for seed in self.seeds),
        }

    def _choices(self) -> dict[str, Any]:
        ways = (CORRECTED, OUTCOMES_LEFT_OUT)
        return {
            "lists": max(self.study.sizes),
            **{way: self._gain(CHOICES_ALONE, way) for way in ways},
            "worth of outcomes": self._difference((CHOICES_ALONE, CORRECTED), (CHOICES_ALONE, OUTCOMES_LEFT_OUT)),
        }

    def _look(self, scenario: str) -> dict[str, Any]:
        return {"name": scenario, **{way: self._gain(scenario, way) for way in (CORRECTED, SWAPS, SHRUNK_NAIVE)}}

    def _mean(self, scenario: str, way: str) -> dict[str, float]:
        return as_data(bootstrap_mean(self.values[scenario, way], RESAMPLES))

    def _gain(self, scenario: str, way: str, part: Booleans | None = None) -> dict[str, float]:
        return self._difference((scenario, way), ("", SHIPPED), part)

    def _difference(
        self, first: tuple[str, str], second: tuple[str, str], part: Booleans | None = None
    ) -> dict[str, float]:
        chosen = slice(None) if part is None else part
        difference: Floats = self.values[first][chosen] - self.values[second][chosen]
        return as_data(bootstrap_mean(difference, RESAMPLES))


def _gain(values: dict[tuple[str, str], Floats], scenario: str, way: str) -> float:
    return round(float(np.nanmean(values[scenario, way] - values["", SHIPPED])), 4)


def print_learning_report(report: dict[str, Any], console: Console) -> None:
    """The report as tables for a person."""
    seeds = ", ".join(map(str, report["seeds"]))
    console.print(
        f"nDCG@5 on later cases of simulated districts, seeds {seeds}: shipped model {interval(report[SHIPPED])}, "
        f"with the coaches' true log-odds {interval(report[BEST]['mean'])} "
        f"({interval(report[BEST]['gain'], signed=True)}).",
        highlight=False,
    )
    console.print(_choices(report["choices"]), highlight=False)
    for table in (_curve(report), _parts(report), _attacks(report), _looks(report)):
        console.print(table)


def _choices(part: dict[str, Any]) -> str:
    with_outcomes, without, worth = (
        interval(part[name], signed=True) for name in (CORRECTED, OUTCOMES_LEFT_OUT, "worth of outcomes")
    )
    return (
        f"{part['lists']:,} lists with choices and no review: {with_outcomes}; with what came of them left out "
        f"{without}, worth of outcomes {worth}."
    )


def _curve(report: dict[str, Any]) -> Table:
    ways = (CORRECTED, UNSHRUNK, NAIVE, SHRUNK_NAIVE)
    columns = ("reviews", *ways, "corrected better than the last", "corrected, single seeds")
    table = Table(*columns, title="Gain over the shipped model", title_justify="left")
    for point in report["curve"]:
        gains = (interval(point[way]["gain"], signed=True) for way in ways)
        lowest, highest = min(point["by seed"]), max(point["by seed"])
        better = interval(point["better than counted and shrunk"], signed=True)
        table.add_row(f"{point['reviews']:,}", *gains, better, f"{lowest:+.3f} to {highest:+.3f}")
    return table


def _parts(report: dict[str, Any]) -> Table:
    names = list(report["best by part"])
    title = "Gain on cases where coaches see things as the model does"
    counted = [f"{name} ({report['cases by part'][name]:,} cases)" for name in names]
    table = Table("reviews", *counted, *(f"{name}: {SHRUNK_NAIVE}" for name in names), title=title)
    table.title_justify = "left"
    for point in report["curve"]:
        gains = (interval(point[key][name], signed=True) for key in ("by part", "by part, counted") for name in names)
        table.add_row(f"{point['reviews']:,}", *gains)
    best = (interval(report["best by part"][name], signed=True) for name in names)
    table.add_row(BEST, *best)
    return table


def _attacks(report: dict[str, Any]) -> Table:
    title = f"Attacks and accidents beside {report['beside']:,} honest reviews, gain over the shipped model"
    table = Table("what", CORRECTED, UNCAPPED, "cost of it", "findings (seeds)", title=title, title_justify="left")
    for attack in report["attacks"]:
        found = ", ".join(f"{name} ({n})" for name, n in attack["findings"].items()) or "none"
        figures = (interval(attack[key], signed=True) for key in (CORRECTED, UNCAPPED, "cost"))
        table.add_row(attack["name"], *figures, found)
    return table


def _looks(report: dict[str, Any]) -> Table:
    title = f"{report['beside']:,} reviews by coaches who look otherwise than assumed, gain over the shipped model"
    table = Table("what", CORRECTED, SWAPS, SHRUNK_NAIVE, title=title, title_justify="left")
    for look in report["looks"]:
        table.add_row(look["name"], *(interval(look[way], signed=True) for way in (CORRECTED, SWAPS, SHRUNK_NAIVE)))
    return table
