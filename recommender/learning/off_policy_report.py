"""How often off-policy intervals hold the truth, on simulated logs: what `enough` may claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from recommender.learning.off_policy import (
    LISTS,
    RATIOS,
    ROBUST,
    OffPolicyParameters,
    Support,
    list_columns,
    load_off_policy_parameters,
    shortfalls,
    support_of,
    teacher_sums,
)
from recommender.learning.off_policy_lists import ExaminationModel, Floats, ListLog
from recommender.learning.ratio_intervals import RatioIntervals, Ratios, more_than, ratio_intervals
from recommender.learning.simulated_logs import (
    CURVE,
    FLAT_CURVE,
    Candidate,
    DrawnLogs,
    Integers,
    LogWorld,
    ShownLists,
    candidate_order,
    draw_logs,
    make_world,
    per_pattern,
    shown_lists,
    true_shown,
    true_value,
    with_model,
)
from recommender.training.intervals import wilson

Say = Callable[[str], None]

# The limits in off_policy.yaml were set on the world of seed 5.
JUDGING_SEED = 41
SIZES, RATES = (300, 1_000, 3_000), (0.05, 0.1, 0.2)
BAND = (0.93, 0.97)
ROBUST_WRONG = ROBUST + 1
GOOD, WRONG = "doubly robust, good model", "doubly robust, wrong model"
JUDGED: Ratios = {**RATIOS, GOOD: (ROBUST, LISTS), WRONG: (ROBUST_WRONG, LISTS)}
# Resamples a log; fewer than a real figure gets, so that thousands of logs take minutes.
DRAWS = 500


@dataclass(frozen=True)
class Setting:
    """A candidate, the examination model and curve its estimates believe, the size of a log and the swap rate."""

    candidate: Candidate
    model: ExaminationModel
    lists: int
    rate: float
    curve: tuple[float, ...] = CURVE

    @property
    def wrong_curve(self) -> bool:
        """Whether people look otherwise than believed."""
        return self.curve != CURVE


def settings(sizes: tuple[int, ...] = SIZES, rates: tuple[float, ...] = RATES) -> Iterator[Setting]:
    """Every candidate at every size and rate, then one whose curve is wrong."""
    for lists, rate in product(sizes, rates):
        for candidate in ("near", "far", "new"):
            yield Setting(candidate, "position_based", lists, rate)
        yield Setting("near", "item_position", lists, rate)
    yield Setting("far", "position_based", sizes[-1], rates[-1], FLAT_CURVE)


def off_policy_report(
    logs: int = 1_000, seed: int = JUDGING_SEED, chosen: Iterable[Setting] | None = None, say: Say = lambda _: None
) -> dict[str, Any]:
    """Bias, SD, coverage and width of every estimate in every setting, and how many coverages lie in 93 to 97%.

    A setting is called enough where most of its logs are; coverage is then over those logs, else over all of them.
    """
    parameters, world = load_off_policy_parameters(), make_world(seed)
    rows = []
    for index, setting in enumerate(settings() if chosen is None else chosen):
        rows.append(_judge(setting, world, logs, (seed, index), parameters))
        say(f"{setting.candidate}, {setting.model}, {setting.lists} lists, rate {setting.rate}")
    judged = [
        figures["coverage"]["mean"]
        for row in rows
        if row["enough"] and not row["wrong_curve"]
        for figures in row["estimates"].values()
    ]
    return {
        "logs": logs,
        "seed": seed,
        "settings": rows,
        "coverages": {
            "judged": len(judged),
            "within": sum(BAND[0] <= value <= BAND[1] for value in judged),
            "lowest": min(judged, default=None),
            "highest": max(judged, default=None),
        },
    }


def _judge(
    setting: Setting, world: LogWorld, logs: int, seed: tuple[int, int], parameters: OffPolicyParameters
) -> dict[str, Any]:
    """Each setting has draws of its own, so that a coverage missed by chance is not missed in all of them."""
    shown = shown_lists(world, setting.rate)
    order = candidate_order(world, setting.candidate)
    entries = per_pattern(world, shown, order, setting.model, setting.curve)
    wrong = with_model(entries, world, shown, order, world.wrong_model)
    found: list[RatioIntervals] = []
    enough: list[bool] = []
    supports: list[Support] = []
    for part, drawn in enumerate(draw_logs(world, shown, setting.lists, logs, seed)):
        log = _drawn(entries, drawn)
        clip = parameters.clip.value
        columns = [list_columns(log, clip), list_columns(_drawn(wrong, drawn), clip)[..., ROBUST:]]
        sums = teacher_sums(np.concatenate(columns, axis=-1), log.teacher)
        found.append(ratio_intervals(sums, JUDGED, "shown", DRAWS, part))
        supports.append(support_of(log, clip))
        enough += _enough(supports[-1], sums, found[-1], parameters)
    truth = _truth(world, shown, order, found[0].names)
    counted = np.array(enough) if 2 * sum(enough) >= logs else np.ones(logs, dtype=np.bool_)
    return {
        "candidate": setting.candidate,
        "model": setting.model,
        "lists": setting.lists,
        "rate": setting.rate,
        "wrong_curve": setting.wrong_curve,
        "enough": 2 * sum(enough) >= logs,
        "enough_share": sum(enough) / logs,
        "effective_lists": round(float(np.concatenate([one.effective_lists for one in supports]).mean()), 1),
        "effective_events": round(float(np.concatenate([one.effective_events for one in supports]).mean()), 1),
        "unsupported": round(float(np.concatenate([one.unsupported for one in supports]).mean()), 4),
        "estimates": _figures(found, truth, counted),
    }


def _drawn(entries: ListLog, drawn: DrawnLogs) -> ListLog:
    """The entries that were drawn, with their events: arrays (logs, n, places)."""

    def at(values: Floats | None) -> Floats | None:
        return None if values is None else values[drawn.entry]

    return replace(
        entries,
        teacher=drawn.teacher,
        events=drawn.events,
        examination=entries.examination[drawn.entry],
        weight=entries.weight[drawn.entry],
        supported=entries.supported[drawn.entry],
        predicted_shown=at(entries.predicted_shown),
        predicted_candidate=at(entries.predicted_candidate),
    )


def _enough(support: Support, sums: Floats, found: RatioIntervals, parameters: OffPolicyParameters) -> list[bool]:
    logs, teachers, _ = sums.shape
    return [not shortfalls(support.of(log), teachers, float(found.least_sd[log]), parameters) for log in range(logs)]


def _truth(world: LogWorld, shown: ShownLists, order: Integers, names: tuple[str, ...]) -> Floats:
    logged, value = true_shown(world, shown), true_value(world, order)
    return np.array([logged if name == "shown" else value - logged * (" - " in name) for name in names])


def _figures(found: list[RatioIntervals], truth: Floats, counted: Any) -> dict[str, dict[str, Any]]:
    names = found[0].names
    value = np.concatenate([part.value for part in found], axis=1)[:, counted]
    half = np.concatenate([part.half_width for part in found], axis=1)[:, counted]
    error = value - truth[:, None]
    held = np.abs(error) <= half
    figures = {}
    for index, name in enumerate(names):
        coverage = wilson(int(held[index].sum()), held.shape[1])
        figures[name] = {
            "truth": round(float(truth[index]), 4),
            "bias": round(float(error[index].mean()), 4),
            "sd": round(float(value[index].std(ddof=1)), 4),
            "coverage": {"mean": coverage.mean, "low": round(coverage.low, 4), "high": round(coverage.high, 4)},
            "width": round(float(2 * half[index].mean()), 4),
        }
    return figures


def print_off_policy_report(report: dict[str, Any], console: Console) -> None:
    """Two tables for a person, and how many of the coverages that count lie in the band."""
    _print_coverage(report, console)
    _print_errors(report, console)
    found = report["coverages"]
    if found["judged"]:
        console.print(
            f"{found['within']} of {found['judged']} coverages in settings called enough lie in "
            f"{BAND[0]:.0%} to {BAND[1]:.0%}; lowest {found['lowest']:.1%}, highest {found['highest']:.1%}",
            highlight=False,
        )


def _print_coverage(report: dict[str, Any], console: Console) -> None:
    margin = 100 * (0.95 - wilson(0.95 * report["logs"], report["logs"]).low)
    table = Table(
        *("candidate", "examination", "lists", "rate", "effective", "unseen", "enough"),
        *JUDGED,
        title=f"95% intervals that held the truth, {report['logs']} logs, each +-{margin:.1f}: value / difference, %",
        title_justify="left",
    )
    for row in report["settings"]:
        figures = {name: row["estimates"][name]["coverage"]["mean"] for name in row["estimates"]}
        held = [f"{100 * figures['shown']:.1f}"]
        held += [f"{100 * figures[n]:.1f} / {100 * figures[more_than(n, 'shown')]:.1f}" for n in JUDGED if n != "shown"]
        about = (f"{row['effective_lists']:.0f}", f"{row['unsupported']:.0%}", f"{row['enough_share']:.0%}")
        table.add_row(*_named(row), *about, *held)
    console.print(table)


def _print_errors(report: dict[str, Any], console: Console) -> None:
    table = Table(
        *("candidate", "examination", "lists", "rate", "truth"),
        *(name for name in JUDGED if name != "shown"),
        title="Difference from the shown lists, events a list: bias, SD, mean width of the interval",
        title_justify="left",
    )
    for row in report["settings"]:
        figures = [row["estimates"][more_than(name, "shown")] for name in JUDGED if name != "shown"]
        errors = [f"{one['bias']:+.3f} {one['sd']:.3f} {one['width']:.3f}" for one in figures]
        table.add_row(*_named(row), f"{figures[0]['truth']:+.3f}", *errors)
    console.print(table)


def _named(row: dict[str, Any]) -> tuple[str, ...]:
    curve = ", wrong curve" if row["wrong_curve"] else ""
    return row["candidate"], row["model"].replace("_", " ") + curve, str(row["lists"]), f"{row['rate']:g}"
