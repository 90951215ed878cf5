"""How often the watch raises a false alarm on quiet windows, and how often it sees a shift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import expit, logit

from recommender.catalogue.loader import load_catalogue
from recommender.learning.calibration_drift import ReviewedSkills, calibration_findings
from recommender.learning.drift import DriftFinding, QuietThresholds, drift_findings
from recommender.learning.drift_parameters import DriftParameters, load_drift_parameters
from recommender.learning.drift_statistics import Floats, Integers
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.positions import Positions
from recommender.learning.reference_profile import ReferenceProfile, TrainingLists, measure_training
from recommender.learning.watched import NO_NAME, WatchedLists, WordPieces
from recommender.ranking.versions import open_version
from recommender.struggles.language import is_other_language
from recommender.training.calibration_error import FIRST
from recommender.training.corpus import SCREENING, load_rows
from recommender.training.intervals import wilson

Say = Callable[[str], None]
Shift = Callable[[np.random.Generator, WatchedLists, Integers, int], WatchedLists]

SEED = 71
SIZES = (50, 200, 1_000)
SPLITS = 500
# Reviews take draws of their own in each window, so fewer windows and draws are made of them.
REVIEW_SPLITS, REVIEW_DRAWS = 300, 300
STRICTER = -0.5
ALL = "any of them"


def drift_report(
    models: Path,
    version: str | None = None,
    splits: int = SPLITS,
    review_splits: int = REVIEW_SPLITS,
    sizes: Sequence[int] = SIZES,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """False alarms of each check and power against shifts, as plain data; five to ten minutes.

    Each split makes a profile of a random half of the training struggles and draws the window from the other half, so
    that no struggle is on both sides. Thresholds are those of a profile of that size. ``sizes``: lists in a window.
    """
    manifest, folder, encoder_folder = open_version(models, version)
    known = measure_training(folder, encoder_folder, load_catalogue())
    whole = ReferenceProfile.of(known.lists, known.suggestions, manifest.version, manifest.catalogue_version)
    foreign = _foreign(WordPieces(encoder_folder))
    return {
        "model_version": manifest.version,
        "seed": SEED,
        "rows": _list_rows(known, whole, foreign, splits, sizes, say),
        "reviews": _review_rows(known, whole, review_splits, sizes, say),
    }


def _list_rows(
    known: TrainingLists, whole: ReferenceProfile, foreign: WatchedLists, splits: int, sizes: Sequence[int], say: Say
) -> list[dict[str, Any]]:
    thresholds = QuietThresholds(whole, load_drift_parameters(), trained_share=0.5)
    shifts: dict[str, Shift] = {
        "none": _quiet,
        "3 in 10 from the longest tenth": _longer,
        "1 in 10 in another language": lambda rng, lists, rest, n: _other_language(rng, lists, rest, n, foreign),
        "half from mathematics": _mathematics,
    }
    rows = []
    for number, (name, shift) in enumerate(shifts.items()):
        for size in sizes:
            say(f"{name}, {size} lists")
            rng = np.random.default_rng([SEED, number, size])
            alarms = Counter[str]()
            for _ in range(splits):
                alarms.update(_alarms(rng, known, whole, shift, size, thresholds))
            rows.append(_row(name, size, splits, alarms))
    return rows


def _review_rows(
    known: TrainingLists, whole: ReferenceProfile, splits: int, sizes: Sequence[int], say: Say
) -> list[dict[str, Any]]:
    parameters = _with_draws(load_drift_parameters(), REVIEW_DRAWS)
    rows = []
    for number, (name, stricter) in enumerate((("none", 0.0), ("coaches stricter by half a unit", STRICTER))):
        for size in sizes:
            say(f"reviews, {name}, {size} lists")
            rng = np.random.default_rng([SEED, 9, number, size])
            rows.append(_row(name, size, splits, _review_alarms(rng, known, whole, stricter, size, splits, parameters)))
    return rows


def _row(shift: str, size: int, splits: int, alarms: Counter[str]) -> dict[str, Any]:
    return {"shift": shift, "lists": size, "splits": splits, "alarms": dict(sorted(alarms.items()))}


def _alarms(
    rng: np.random.Generator, known: TrainingLists, whole: ReferenceProfile, shift: Shift, size: int,
    thresholds: QuietThresholds,
) -> set[str]:  # fmt: skip
    """Names of the checks that called one window drifted."""
    order = rng.permutation(len(known.lists))
    half, rest = order[: len(order) // 2], order[len(order) // 2 :]
    lists = known.lists.take(half)
    reference = ReferenceProfile.of(lists, known.suggestions, whole.model_version, whole.catalogue_version)
    findings = drift_findings(shift(rng, known.lists, rest, size), reference, thresholds)
    drifted = _called(findings)
    return drifted | {ALL} if drifted else drifted


def _called(findings: Sequence[DriftFinding]) -> set[str]:
    return {f"{finding.name} {finding.statistic}" for finding in findings if finding.drifted}


def _quiet(_: np.random.Generator, lists: WatchedLists, rest: Integers, n: int) -> WatchedLists:
    return lists.take(rest[:n])


def _longer(rng: np.random.Generator, lists: WatchedLists, rest: Integers, n: int) -> WatchedLists:
    long = rest[np.argsort(-lists.numbers["characters"][rest], kind="stable")[: len(rest) // 10]]
    shifted = round(0.3 * n)
    return lists.take(np.concatenate([rest[: n - shifted], rng.choice(long, shifted)]))


def _mathematics(rng: np.random.Generator, lists: WatchedLists, rest: Integers, n: int) -> WatchedLists:
    own = rest[lists.names["subject"][rest] == "mathematics"]
    return lists.take(np.concatenate([rest[: n - n // 2], rng.choice(own, n // 2)]))


def _other_language(
    rng: np.random.Generator, lists: WatchedLists, rest: Integers, n: int, foreign: WatchedLists
) -> WatchedLists:
    shifted = n // 10
    parts = lists.take(rest[: n - shifted]), foreign.take(rng.integers(len(foreign), size=shifted))
    return WatchedLists(
        {name: np.concatenate([part.numbers[name] for part in parts]) for name in lists.numbers},
        {name: np.concatenate([part.names[name] for part in parts]) for name in lists.names},
        np.concatenate([part.ranked for part in parts]),
    )


def _foreign(pieces: WordPieces) -> WatchedLists:
    """Screening texts in other languages, as they are answered: with a message, of a class nobody knows."""
    texts = [row.text for file in SCREENING for row in load_rows(file) if is_other_language(row.text)]
    nothing = [None] * len(texts)
    return WatchedLists.of(
        texts, nothing, [(NO_NAME, NO_NAME)] * len(texts), [False] * len(texts), load_catalogue(), pieces
    )


def _review_alarms(
    rng: np.random.Generator,
    known: TrainingLists,
    whole: ReferenceProfile,
    stricter: float,
    size: int,
    splits: int,
    parameters: DriftParameters,
) -> Counter[str]:
    """In how many windows calibration is called drifted, labellers of the training struggles being the coaches.

    A struggle's suggestions then hold together as they do for real coaches. ``stricter``: log-odds by which a skill
    that a labeller would start with is less likely to be kept.
    """
    look = Positions.assumed(load_learning_parameters().examination).at(np.arange(1, FIRST + 1))
    suggestions = known.suggestions
    probability, events = (values.reshape(-1, FIRST) for values in (suggestions.probabilities, suggestions.events))
    alarms = Counter[str]()
    for _ in range(splits):
        order = rng.permutation(len(probability))
        half, window = order[: len(order) // 2], order[len(order) // 2 :][:size]
        flat = (half[:, None] * FIRST + np.arange(FIRST)).ravel()
        part = replace(
            suggestions, probabilities=suggestions.probabilities[flat], events=suggestions.events[flat],
            labellers=suggestions.labellers[flat], cases=suggestions.cases[flat],
        )  # fmt: skip
        profile = ReferenceProfile.of(known.lists, part, whole.model_version, whole.catalogue_version)
        reviewed = _reviewed(rng, probability[window], events[window], look, stricter)
        drifted = _called(calibration_findings(reviewed, profile, parameters))
        alarms.update(drifted | {ALL} if drifted else drifted)
    return alarms


def _reviewed(
    rng: np.random.Generator, probability: Floats, events: Floats, look: Floats, stricter: float
) -> ReviewedSkills:
    """One labeller of each struggle as its coach: all suggestions by one pair of eyes."""
    kept = rng.random((len(events), 1)) < events
    if stricter:
        kept &= rng.random(events.shape) < expit(logit(probability) + stricter) / probability
    examination = np.broadcast_to(look, events.shape)
    removed = (rng.random(events.shape) < examination) & ~kept
    numbers = np.repeat(np.arange(len(events)), FIRST)
    return ReviewedSkills(
        probability.ravel(), examination.ravel(), (1 - removed / examination).ravel(), numbers.astype(np.int64)
    )


def _with_draws(parameters: DriftParameters, draws: int) -> DriftParameters:
    """The same parameters with fewer draws and resamples."""
    fewer = parameters.draws.model_copy(update={"value": draws})
    return parameters.model_copy(update={"draws": fewer, "resamples": fewer})


def print_drift_report(report: dict[str, Any], console: Console) -> None:
    """Tables for a person: the share of windows each check called drifted."""
    for rows, title in ((report["rows"], "lists"), (report["reviews"], "reviewed lists")):
        checks = sorted({name for row in rows for name in row["alarms"]})
        for size in dict.fromkeys(row["lists"] for row in rows):
            here = [row for row in rows if row["lists"] == size]
            table = Table("check", *(row["shift"] for row in here), title_justify="left")
            table.title = f"Windows called drifted, %, of {here[0]['splits']} windows of {size} {title}"
            for check in checks:
                table.add_row(
                    check.replace("_", " "), *(_percent(row["alarms"].get(check, 0), row["splits"]) for row in here)
                )
            console.print(table)


def _percent(alarms: int, splits: int) -> str:
    share = wilson(alarms, splits)
    return f"{100 * share.mean:.1f} [{100 * share.low:.1f}, {100 * share.high:.1f}]"
