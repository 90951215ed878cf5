"""How much better rankings get with more real struggles to learn from, by cross-validation.

The encoder is frozen: stored MiniLM vectors and the linear head of ``leave_out``. Figures are therefore lower than a
model version's, whose encoder is tuned, but anyone can run the curve again in minutes and without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table

from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.errors import GrowthError
from recommender.ranking.batch import available_cores
from recommender.training.corpus import REAL, REAL_DEV, WRITTEN, Row, load_rows
from recommender.training.folds import Integers, make_folds
from recommender.training.intervals import bootstrap_mean
from recommender.training.leave_out import scores_by_frozen_head
from recommender.training.measured import Measured, rankable
from recommender.training.report import Values, as_data, compare, interval, per_request
from recommender.training.stored_vectors import StoredVectors

# Numbers of real training struggles, each about twice the one before; None is all a fold leaves.
SIZES = (250, 500, 1000, 2000, None)
SUBSET_SEED = 1
CURVE_FIGURES = ("nDCG@5", "hit@1", "hit@3")

Say = Callable[[str], None]
Floats: TypeAlias = npt.NDArray[np.float64]


def learning_curve_report(say: Say = lambda _: None) -> dict[str, Any]:
    """The curve of the project's own data; one to four minutes on two cores."""
    real = rankable([row for file in REAL for row in load_rows(file)])
    return learning_curve(written=load_rows(WRITTEN), real=real, development=rankable(load_rows(REAL_DEV)), say=say)


def learning_curve(
    sizes: Sequence[int | None] = SIZES,
    *,
    written: Sequence[Row],
    real: Sequence[Row],
    development: Sequence[Row],
    catalogue: Catalogue | None = None,
    vectors: StoredVectors | None = None,
    say: Say = lambda _: None,
    jobs: int | None = None,
) -> dict[str, Any]:
    """Figures by number of real training struggles, from written texts alone (size 0) up, as plain data.

    In each fold of ``folds.make_folds`` the ``real`` rows outside it are cut to a size (``nested_subset``) and learnt
    from together with all ``written`` rows. ``held out`` pools the folds: every real row is answered by the one model
    that learnt from no row of its group. ``development`` rows are answered by the models of all folds, and a row's
    value is the mean over them. Each figure is a mean with its 95% bootstrap interval over rows; ``more than the size
    before`` is the paired difference in nDCG@5 on the held-out rows. A size that some fold cannot fill is left out:
    it is the same as None. ``catalogue`` and ``vectors`` default to the shipped ones, ``jobs`` to all cores.

    Raises GrowthError for a size below 1, DataFileError for a text without a stored vector.
    """
    curve = _Curve(
        written, real, development, catalogue or load_catalogue(), vectors or StoredVectors.load(), make_folds(real)
    )
    points: list[dict[str, Any]] = []
    before: Values | None = None
    for size in (0, *_usable(sizes, min(len(train) for train, _ in curve.folds), say)):
        say(f"learning curve: {'all' if size is None else size} real training struggles")
        subsets = [nested_subset(train, size, fold) for fold, (train, _) in enumerate(curve.folds)]
        held_out, on_development = curve.measure(subsets, jobs or available_cores())
        points.append(
            {
                "size": size,
                "real rows trained on": round(float(np.mean([len(subset) for subset in subsets]))),
                "held out": _figures(held_out),
                "development": _figures(on_development),
                "more than the size before": None if before is None else compare(held_out, before),
            }
        )
        before = held_out
    return {
        "written rows": len(written),
        "real rows": len(real),
        "development rows": len(development),
        "folds": len(curve.folds),
        "points": points,
    }


@dataclass(frozen=True)
class _Curve:
    """What every point of one curve has in common."""

    written: Sequence[Row]
    real: Sequence[Row]
    development: Sequence[Row]
    catalogue: Catalogue
    vectors: StoredVectors
    folds: list[tuple[Integers, Integers]]

    def measure(self, subsets: Sequence[Integers], jobs: int) -> tuple[Values, Values]:
        """Each row's values, held out and development, by one model a fold learnt from the fold's subset."""
        answers = Parallel(n_jobs=jobs)(
            delayed(scores_by_frozen_head)(
                [*self.written, *(self.real[i] for i in subset)],
                [*(self.real[i] for i in test), *self.development],
                self.catalogue,
                self.vectors,
            )
            for subset, (_, test) in zip(subsets, self.folds, strict=True)
        )
        held_out = np.zeros((len(self.real), len(self.catalogue)))
        by_fold = []
        for (_, test), scores in zip(self.folds, answers, strict=True):
            held_out[test] = scores[: len(test)]
            by_fold.append(self._values(self.development, scores[len(test) :]))
        mean = {name: np.mean([values[name] for values in by_fold], axis=0) for name in CURVE_FIGURES}
        return self._values(self.real, held_out), mean

    def _values(self, rows: Sequence[Row], scores: Floats) -> Values:
        return per_request(Measured(tuple(rows), scores, None, np.ones(len(rows), dtype=bool)), self.catalogue)


def nested_subset(train: Integers, size: int | None, fold: int) -> Integers:
    """``size`` of a fold's training positions, in order; the smaller subsets are parts of the larger, None is all."""
    drawn = np.random.default_rng([SUBSET_SEED, fold]).permutation(train)
    return np.sort(drawn[:size])


def _usable(sizes: Sequence[int | None], available: int, say: Say) -> list[int | None]:
    numbers = sorted({size for size in sizes if size is not None})
    if numbers and numbers[0] < 1:
        raise GrowthError(f"a size of {numbers[0]}", wanted="1 or more, or None for all", where="learning curve")
    for size in numbers:
        if size >= available:
            say(f"learning curve: {size} left out, a fold leaves {available}")
    return [*(size for size in numbers if size < available), *([None] if None in sizes else [])]


def _figures(values: Values) -> dict[str, dict[str, float]]:
    return {name: as_data(bootstrap_mean(values[name])) for name in CURVE_FIGURES}


def print_learning_curve(report: dict[str, Any], console: Console) -> None:
    """The curve as a table for a person."""
    table = Table("real struggles", "held out, nDCG@5", "hit@1", "hit@3", "development, nDCG@5", title_justify="left")
    table.title = f"Frozen MiniLM vectors, {report['folds']} folds, {report['real rows']} real struggles"
    for point in report["points"]:
        held, development = point["held out"], point["development"]
        cells = (held["nDCG@5"], held["hit@1"], held["hit@3"], development["nDCG@5"])
        size = str(point["size"]) if point["size"] is not None else f"all ({point['real rows trained on']})"
        table.add_row(size, *(interval(cell) for cell in cells))
    console.print(table)
