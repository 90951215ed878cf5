"""Measures a model version: ranking, calibration and screening, next to the baselines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from recommender.catalogue.instruments import load_instruments
from recommender.ranking.fusion import FusionWeights
from recommender.ranking.recommender import Recommender
from recommender.ranking.versions import open_version
from recommender.struggles.screening import Screener
from recommender.training.baseline_runs import run_baselines
from recommender.training.corpus import REAL, REAL_DEV, WRITTEN, Row, load_rows, screening_rows
from recommender.training.data_growth import data_growth_report
from recommender.training.figure_names import SLICES
from recommender.training.fusion_report import fusion_report, print_fusion_report
from recommender.training.learning_curve import learning_curve_report, print_learning_curve
from recommender.training.leave_out import leave_out
from recommender.training.measured import Measured, measure_out_of_fold, measure_version, rankable
from recommender.training.observation_report import holdout_report, simulated_report
from recommender.training.observation_tables import print_observation_report
from recommender.training.out_of_fold import OUT_OF_FOLD_FILE, OutOfFold
from recommender.training.report import (
    FIGURES,
    Values,
    by_slice,
    calibration,
    ceiling,
    compare,
    interval,
    per_request,
    summarise,
)
from recommender.training.screening_out_of_fold import ScreeningOutOfFold
from recommender.training.screening_report import development_refusals, screening_figures
from recommender.training.thresholds import ScreeningCase
from recommender.training.version_plots import RELIABILITY_PLOT, reliability_plot

Say = Callable[[str], None]
MODEL = "this version"


@dataclass(frozen=True)
class EvaluationRequest:
    """What `growth evaluate` was asked for."""

    models: Path
    version: str | None = None
    data: Path | None = None
    cross_validated: bool = False
    screening: bool = False
    baselines: bool = True
    output: Path | None = None
    observations: bool = False
    holdout_visit: Path | None = None
    learning_curve: bool = False
    data_growth: bool = False
    instrument_files: tuple[Path, ...] = ()


class Evaluation:
    """One version with everything needed to measure it."""

    def __init__(self, models: Path, version: str | None) -> None:
        manifest, folder, encoder_folder = open_version(models, version)
        self.screening_out_of_fold = ScreeningOutOfFold.load(encoder_folder)
        self.recommender = Recommender.load(models, manifest.version)
        self.catalogue = self.recommender.catalogue
        self.weights = FusionWeights.load(folder)
        self.thresholds = Screener.load(folder, encoder_folder).thresholds
        self.out_of_fold = OutOfFold.load(encoder_folder / OUT_OF_FOLD_FILE)
        self.written = load_rows(WRITTEN)
        self.real = tuple(row for file in REAL for row in load_rows(file))

    def cross_validated(self) -> Measured:
        """Answers to the real training struggles by models that never saw them."""
        rows = rankable(self.real)
        decisions = self._screened(rows).decisions(self.thresholds)
        answered = np.array([decision == "rankable" for decision in decisions])
        return measure_out_of_fold(self.out_of_fold, rows, self.catalogue, self.weights, answered)

    def _screened(self, rows: Sequence[Row]) -> ScreeningCase:
        return ScreeningCase.of(rows, self.screening_out_of_fold.take([row.id for row in rows]))

    def on(self, rows: tuple[Row, ...]) -> Measured:
        """Answers of the shipped version to rows it was not trained on."""
        return measure_version(self.recommender, rankable(rows))

    def table(self, measured: Measured, say: Say, *, with_baselines: bool, cross_validated: bool) -> dict[str, Any]:
        """Figures of the version and of the baselines on the same rows, with paired differences."""
        values = per_request(measured, self.catalogue)
        table: dict[str, Any] = {MODEL: summarise(values)}
        differences = {}
        if with_baselines:
            training = self.written if cross_validated else (*self.written, *self.real)
            runs = run_baselines(training, measured.rows, self.catalogue, say, cross_validated=cross_validated)
            for name, run in runs.items():
                other = per_request(run, self.catalogue)
                table[name] = summarise(other)
                differences[name] = compare(values, other)
        return {
            "rows": len(measured.rows),
            "refused": int((~measured.answered).sum()),
            "figures": table,
            "better than": differences,
            "labellers' agreement, nDCG@5": ceiling(measured.rows, self.catalogue),
            SLICES: by_slice(values, measured.rows),
        }

    def screening(self) -> dict[str, Any]:
        """Cross-validated screening and what the development struggles get."""
        rows = screening_rows()
        figures = screening_figures(self._screened(rows), rows, self.thresholds)
        return {**figures, "development": development_refusals(self.recommender, load_rows(REAL_DEV))}


def report_for(request: EvaluationRequest, say: Say = lambda _: None) -> dict[str, Any]:
    """The figures asked for, as plain data; per-request values and the plot go to ``request.output``."""
    if request.holdout_visit is not None:
        instruments = load_instruments(request.instrument_files)
        return {"needs": holdout_report(request.holdout_visit, instruments)}
    if request.observations:
        return {
            "needs": simulated_report(say=say),
            "fusion": fusion_report(request.models, request.version, say),
        }
    if request.data_growth:
        return {"data growth": data_growth_report(request.models, request.version, say)}
    if request.learning_curve:
        return {"learning curve": learning_curve_report(say)}
    evaluation = Evaluation(request.models, request.version)
    version = evaluation.recommender.model_version
    if request.screening:
        return {"version": version, "screening": evaluation.screening()}
    measured = (
        evaluation.cross_validated() if request.cross_validated else evaluation.on(load_rows(request.data or REAL_DEV))
    )
    table = evaluation.table(measured, say, with_baselines=request.baselines, cross_validated=request.cross_validated)
    report = {"version": version, **table, "calibration": calibration([measured], evaluation.catalogue)}
    if request.output is not None:
        _write_out(request.output, measured, per_request(measured, evaluation.catalogue), report["calibration"])
    return report


def version_figures(models: Path, version: str, say: Say) -> dict[str, Any]:
    """Everything a manifest and card state about a version."""
    evaluation = Evaluation(models, version)
    development, crossed = evaluation.on(load_rows(REAL_DEV)), evaluation.cross_validated()
    pooled = calibration([crossed, development], evaluation.catalogue)
    return {
        "development": evaluation.table(development, say, with_baselines=True, cross_validated=False),
        "cross-validation": evaluation.table(crossed, say, with_baselines=True, cross_validated=True),
        "calibration, pooled": pooled,
        "screening": evaluation.screening(),
        "needs": simulated_report(say=say),
        "fusion": fusion_report(models, version, say),
        "data growth": data_growth_report(models, version, say),
        "learning curve": learning_curve_report(say),
        "leave one out": leave_out(evaluation.written, rankable(evaluation.real), evaluation.catalogue, say),
    }


def _write_out(folder: Path, measured: Measured, values: Values, figures: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RELIABILITY_PLOT).write_text(reliability_plot(figures), encoding="utf-8")
    with (folder / "per_request.jsonl").open("w", encoding="utf-8") as stream:
        for i, row in enumerate(measured.rows):
            each = {name: round(float(values[name][i]), 6) for name in FIGURES}
            stream.write(json.dumps({"id": row.id, "answered": bool(measured.answered[i]), **each}) + "\n")


def print_report(report: dict[str, Any], console: Console) -> None:
    """The report as tables for a person."""
    if "needs" in report:
        print_observation_report(report["needs"], console)
        if "fusion" in report:
            print_fusion_report(report["fusion"], console)
        return
    if "learning curve" in report:
        print_learning_curve(report["learning curve"], console)
        return
    if "screening" in report or "data growth" in report:
        console.print_json(json.dumps(report.get("screening") or report["data growth"]))
        return
    table = Table(
        title=f"{report['version']}: {report['rows']} rows, {report['refused']} refused", title_justify="left"
    )
    table.add_column("ranker")
    for name in FIGURES:
        table.add_column(name)
    for ranker, figures in report["figures"].items():
        table.add_row(ranker, *(_cell(figures[name]) for name in FIGURES))
    console.print(table)
    agreement = report["labellers' agreement, nDCG@5"]
    if agreement is not None:
        console.print(f"ceiling, one labeller against the others: nDCG@5 {_cell(agreement)}", highlight=False)
    console.print(f"expected calibration error {report['calibration']['ece']:.3f}", highlight=False)
    for name, slices in report[SLICES].items():
        said = "; ".join(f"{label} {_cell(value)} (n={int(value['n'])})" for label, value in slices.items())
        console.print(f"by {name}: {said}", highlight=False)


def _cell(value: dict[str, float]) -> str:
    return "-" if np.isnan(value["mean"]) else interval(value)
