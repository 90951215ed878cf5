"""What texts that teachers agree to pass on are worth to the text head, by number and by what is read in the reviews.

The encoder is frozen, as in ``learning_curve``, and the head is learned anew. Retraining holds its head closer to the
one it starts from, so that the same texts move a version less. Coaches are simulated: they hold what the labellers
said, and look down the list as in reviewing.yaml. Reviews are read by the code and with the curve of retraining.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table

from recommender.catalogue.loader import load_catalogue
from recommender.errors import GrowthError
from recommender.learning.text_study import ALONE, Arm, FoldFigures, StudyTexts, TextStudy, Way, study_fold
from recommender.ranking.batch import available_cores
from recommender.training.corpus import REAL, WRITTEN, load_rows
from recommender.training.folds import make_folds
from recommender.training.intervals import bootstrap_mean, paired_difference
from recommender.training.measured import rankable
from recommender.training.report import Values, as_data, interval
from recommender.training.stored_vectors import StoredVectors

Say = Callable[[str], None]

REPORT_SEEDS = (801, 802)
# What a reviewed text weighs was looked at on these; the report never prints them.
TUNING_SEEDS = (811, 812)
SIZES = (100, 300, None)
BY_SIZE: tuple[Way, ...] = ("reviewed", "counted as they are", "labelled in full")
CONTROLS: tuple[Way, ...] = ("not reviewed", "reviews of other texts")
ARMS = (ALONE, *(Arm(way, size) for way in BY_SIZE for size in SIZES), *(Arm(way) for way in CONTROLS))
TEXT_FIGURES = ("nDCG@5", "hit@1", "hit@3")


def text_report(
    study: TextStudy | None = None,
    texts: StudyTexts | None = None,
    say: Say = lambda _: None,
    *,
    jobs: int | None = None,
) -> dict[str, Any]:
    """Every arm's figures and its paired difference from the corpus alone, as plain data; three minutes on two cores.

    In each fold of ``folds.make_folds`` the real rows outside it are split into a corpus and texts that are reviewed;
    every real row is answered by the one head that learned from no row of its group. A row's value is the mean over
    seeds, each with another split and other luck; intervals are 95% bootstrap intervals over rows. ``study`` None:
    ``REPORT_SEEDS`` and ``ARMS``. ``texts`` None: the shipped ones. ``jobs`` None: all cores.

    Raises GrowthError for a study without the corpus alone, or with a corpus that leaves no text of a fold.
    """
    study = study or TextStudy(REPORT_SEEDS, ARMS)
    texts = texts or _shipped_texts()
    _check(study, texts)
    say(f"learning {len(study.arms)} heads in each of {len(texts.folds)} folds, {len(study.seeds)} times")
    places = [(seed, fold) for seed in study.seeds for fold in range(len(texts.folds))]
    figures = Parallel(n_jobs=jobs or available_cores())(
        delayed(study_fold)(seed, fold, texts, study) for seed, fold in places
    )
    values = {arm: _mean_over_seeds(arm, figures, len(texts.real), len(study.seeds)) for arm in study.arms}
    return {
        "seeds": list(study.seeds),
        "folds": len(texts.folds),
        "written rows": len(texts.written),
        "real rows": len(texts.real),
        "corpus": study.corpus,
        "arms": [
            {
                "way": arm.way,
                "size": arm.size,
                "texts taught": round(float(np.mean([each.taught[arm] for each in figures]))),
                "figures": {name: as_data(bootstrap_mean(values[arm][name])) for name in TEXT_FIGURES},
                "more than corpus alone": _differences(values[arm], values[ALONE]),
            }
            for arm in study.arms
        ],
    }


def _shipped_texts() -> StudyTexts:
    real = rankable([row for file in REAL for row in load_rows(file)])
    return StudyTexts(load_rows(WRITTEN), real, tuple(make_folds(real)), load_catalogue(), StoredVectors.load())


def _check(study: TextStudy, texts: StudyTexts) -> None:
    if ALONE not in study.arms:
        raise GrowthError("no corpus alone", wanted="an arm to compare the others with", where="text report")
    fewest = min(len(train) for train, _ in texts.folds)
    if not 0 <= study.corpus < fewest:
        raise GrowthError(
            f"a corpus of {study.corpus}", wanted=f"0 to {fewest - 1}, a fold has {fewest}", where="text report"
        )


def _mean_over_seeds(arm: Arm, figures: Sequence[FoldFigures], n_rows: int, n_seeds: int) -> Values:
    """(rows,) of every figure; each seed answers every row once."""
    sums = {name: np.zeros(n_rows) for name in TEXT_FIGURES}
    for each in figures:
        for name in TEXT_FIGURES:
            sums[name][each.test] += each.values[arm][name]
    return {name: total / n_seeds for name, total in sums.items()}


def _differences(values: Values, base: Values) -> dict[str, dict[str, float]]:
    result = {}
    for name in TEXT_FIGURES:
        difference = paired_difference(values[name], base[name])
        result[name] = {**as_data(difference), "p": round(difference.p_value, 4)}
    return result


def print_text_report(report: dict[str, Any], console: Console) -> None:
    """The report as a table for a person."""
    title = (
        f"Frozen MiniLM vectors, {report['folds']} folds, {report['real rows']:,} real struggles, "
        f"corpus of {report['corpus']:,} of them; seeds {', '.join(map(str, report['seeds']))}"
    )
    columns = ("texts beside it", "number", "nDCG@5", *(f"{name}, gained" for name in TEXT_FIGURES))
    table = Table(*columns, title=title, title_justify="left")
    for arm in report["arms"]:
        gains = (interval(arm["more than corpus alone"][name], signed=True) for name in TEXT_FIGURES)
        figures = ("", "", "") if arm["way"] == ALONE.way else gains
        table.add_row(arm["way"], str(arm["texts taught"]), interval(arm["figures"]["nDCG@5"]), *figures)
    console.print(table)
