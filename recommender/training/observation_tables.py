"""Prints what observation_report measured, for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from recommender.training.observation_report import HELD_BACK
from recommender.training.report import interval


def print_observation_report(report: Mapping[str, Any], console: Console) -> None:
    """The report of held-back visits or of simulated teachers as tables."""
    if report["kind"] == HELD_BACK:
        _print_held_back(report, console)
    else:
        _print_simulated(report, console)


def _print_held_back(report: Mapping[str, Any], console: Console) -> None:
    for name, figures in report["figures"].items():
        title = f"{name}: {report['teachers']} teachers, a held-back visit each, {report['items']:g} items"
        console.print(_table(title, figures))
    console.print(f"chance {report['chance']:.3f}", highlight=False)
    left_out = "; ".join(f"{reason}: {count}" for reason, count in report["left out"].items()) or "nobody"
    console.print(f"teachers left out: {left_out}", highlight=False)
    if report["rows refused"]:
        console.print(f"rows refused: {report['rows refused']}", highlight=False)


def _print_simulated(report: Mapping[str, Any], console: Console) -> None:
    for name, study in report["designs"].items():
        title = f"{name}: {report['teachers']} teachers, {study['raters']} raters, hit@3 against the true need"
        console.print(_table(title, study["figures"]["hit@3"]))
        fit = study["posterior"]
        coverage = next(key for key in fit if key.startswith("coverage"))
        console.print(
            f"chance {study['chance']:.3f}; reference for the posterior {study['reference']:.2f}; "
            f"{coverage} {interval(fit[coverage])}; correlation with true need {fit['correlation with true need']:.3f}",
            highlight=False,
        )


def _table(title: str, figures: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("ranker", "hit@3", "the posterior is better by", "p", "no answer"):
        table.add_column(column)
    for ranker, figure in figures.items():
        difference = figure.get("posterior is better by")
        better = ("", "") if difference is None else (interval(difference, signed=True), f"{difference['p']:.4f}")
        table.add_row(ranker, interval(figure), *better, str(figure["no answer"] or ""))
    return table
