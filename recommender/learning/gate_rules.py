"""The rules of the gates, over values per row: each says whether a candidate passed, on what figure, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.learning.gate_parameters import GateParameters, gate_sentences
from recommender.learning.guards import Finding
from recommender.training.intervals import Groups, Interval, bootstrap_mean

Floats = npt.NDArray[np.float64]

DEVELOPMENT, HELD_BACK, GUARDS = "development", "held back", "guards"
RESAMPLES = 2_000


@dataclass(frozen=True)
class GateResult:
    """One gate: the ``figure`` it looked at, its 95% ``interval`` where it has one, and the ``margin`` allowed."""

    name: str
    passed: bool
    figure: float | None
    interval: tuple[float, float] | None
    margin: float | None
    sentence: str
    n: int | None = None

    def as_data(self) -> dict[str, Any]:
        """As plain data for a manifest."""
        data = asdict(self)
        return data | {"interval": None if self.interval is None else list(self.interval)}


def said(
    gate: str, outcome: str, *, name: str | None = None, figure: float | None = None, passed: bool | None = None,
    interval: Interval | None = None, margin: float | None = None, n: int | None = None, **more: Any,
) -> GateResult:  # fmt: skip
    """A result with its sentence of gate_sentences.yaml; ``passed`` None: whether the outcome is "passed"."""
    if interval is not None:
        figure, n = interval.mean, interval.n
        more |= {"mean": interval.mean, "low": interval.low, "high": interval.high}
    sentence = gate_sentences()[gate][outcome].format(figure=figure, margin=margin, n=n, **more)
    return GateResult(
        name or gate.replace("_", " "),
        outcome == "passed" if passed is None else passed,
        None if figure is None else round(float(figure), 4),
        None if interval is None else (round(interval.low, 4), round(interval.high, 4)),
        margin,
        sentence,
        n,
    )


def development_gate(difference: Floats, parameters: GateParameters) -> GateResult:
    """Fails when the difference's upper end is below 0, or its mean below the margin."""
    margin = parameters.development.margin.value
    found = bootstrap_mean(difference, RESAMPLES)
    worse = found.high < 0 or found.mean < -margin
    return said("development", "worse" if worse else "passed", interval=found, margin=margin)


def held_back_gate(
    difference: Floats, groups: Groups, parameters: GateParameters, *, corpus_only: bool = False
) -> GateResult:
    """Non-inferiority: passes when the difference's lower end is above the margin.

    Too few rows to tell is no pass, however alike their lists are. ``corpus_only``: no review taught the candidate, so
    that there is nothing in it for reviews to decide, unless they show that it is worse.
    """
    margin = parameters.held_back.margin.value
    if not len(difference):
        return said("held_back", "corpus_only" if corpus_only else "none", passed=corpus_only, margin=margin, n=0)
    found = bootstrap_mean(difference, RESAMPLES, groups=groups)
    if found.high < 0 or found.mean < -margin:
        return said("held_back", "worse", interval=found, margin=margin)
    least = parameters.held_back.least_n.value
    outcome = "too_few" if found.n < least else "passed" if found.low > -margin else "cannot_tell"
    if corpus_only and outcome != "passed":
        return said("held_back", "corpus_only", passed=True, interval=found, margin=margin)
    return said("held_back", outcome, interval=found, margin=margin, least=least)


def calibration_gate(where: str, before: float, now: float, margin: float, n: int) -> GateResult:
    """Fails when the expected calibration error is larger by more than the margin."""
    outcome = "worse" if now - before > margin else "passed"
    return said("calibration", outcome, name=f"calibration, {where}", figure=now, before=before, margin=margin, n=n)


def slice_gates(
    where: str, difference: Floats, labels: Mapping[str, Sequence[str]], parameters: GateParameters
) -> Iterator[GateResult]:
    """One result a slice: by each of ``labels`` (one label a row; empty ones are left out).

    Slices with too few rows are counted and not named: a manifest is public, and few rows are few people.
    """
    margin, least = parameters.slices.margin.value, parameters.slices.least_n.value
    defined = ~np.isnan(difference)
    for dimension, of_rows in labels.items():
        label_of, few = np.array(of_rows, dtype=object), 0
        for label in sorted({label for label in of_rows if label}):
            chosen = difference[(label_of == label) & defined]
            name = f"{where}, {dimension}: {label}"
            if len(chosen) < least:
                few += 1
                continue
            found = bootstrap_mean(chosen, RESAMPLES)
            yield said("slice", "worse" if found.high < -margin else "passed", name=name, interval=found, margin=margin)
        if few:
            name = f"{where}, {dimension}: few rows"
            yield said("slice", "few", name=name, passed=True, margin=margin, n=few, least=least)


def screening_gate(before: Mapping[str, float], now: Mapping[str, float], parameters: GateParameters) -> GateResult:
    """Shares of rightly screened texts by name; none may fall beyond the margin, safeguarding's not at all."""
    margin = parameters.screening.margin.value
    falls = {name: before[name] - now[name] for name in before}
    worse = any(fall > (0.0 if name == "safeguarding" else margin) for name, fall in falls.items())
    largest = max(falls.values())
    return said("screening", "worse" if worse else "not_worse", passed=not worse, figure=largest, margin=margin)


def latency_gate(before: Floats, now: Floats, parameters: GateParameters) -> GateResult:
    """Median ratio of interleaved runs, the same case in each pair, in seconds of processor time.

    One that passes is said to a tenth, so that two runs on the same rows write the same manifest.
    """
    limit = parameters.latency.ratio.value
    ratio = float(np.median(now / before))
    if ratio > limit:
        return said("latency", "worse", figure=ratio, margin=limit, n=len(now))
    return said("latency", "passed", figure=round(ratio, 1), margin=limit, n=len(now))


def determinism_gate(differing: Sequence[str], *, made_twice: bool = True) -> GateResult:
    """``differing``: files or fixed cases that did not come out the same twice."""
    passed = "passed" if made_twice else "ranked_twice"
    return said("determinism", "worse" if differing else passed, passed=not differing, what=", ".join(differing))


def golden_gate(status: Sequence[str], moved: Sequence[str], n: int, parameters: GateParameters) -> GateResult:
    """Names of fixed cases that have another ``status``, or whose first suggestion was not in sight before."""
    limits = parameters.golden
    worse = bool(status) or len(moved) > limits.may_move.value
    return said(
        "golden", "worse" if worse else "passed", figure=len(moved), margin=limits.may_move.value, n=n,
        places=limits.places.value, status=", ".join(status) or "none", moved=", ".join(moved) or "none",
    )  # fmt: skip


def guards_gate(findings: Sequence[Finding]) -> GateResult:
    """Refuses on any finding; a manifest is public, so it tells kinds and counts and nobody's pseudonym."""
    names = [finding.name for finding in findings]
    what = ", ".join(f"{name} ({names.count(name)})" for name in sorted(set(names)))
    return said(GUARDS, "worse" if findings else "passed", figure=len(findings), what=what, n=len(findings))
