"""Runs every gate on a candidate version against the one that answers, and writes what they found to its manifest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recommender.cases import Case
from recommender.catalogue.loader import load_catalogue
from recommender.errors import ModelVersionError
from recommender.learning.compared_lists import ComparedLists
from recommender.learning.earlier_versions import restored
from recommender.learning.embedding_cache import EmbeddingCache
from recommender.learning.evidence import Evidence
from recommender.learning.fixed_cases import changed_cases, golden_cases
from recommender.learning.gate_parameters import load_gate_parameters
from recommender.learning.gate_rules import (
    GateResult,
    calibration_gate,
    determinism_gate,
    development_gate,
    golden_gate,
    guards_gate,
    held_back_gate,
    latency_gate,
    said,
    screening_gate,
    slice_gates,
)
from recommender.learning.gate_slices import development_labels, held_back_labels
from recommender.learning.gated_version import GatedVersion
from recommender.learning.guards import guard
from recommender.learning.held_back import Floats
from recommender.learning.off_policy_gate import off_policy_gate
from recommender.learning.registry import files_digest
from recommender.learning.retrain import LEARNED_FROM, Base, known_weights, write_manifest
from recommender.ranking.versions import MANIFEST_FILE, current_version
from recommender.struggles.screening import THRESHOLDS_FILE
from recommender.training.corpus import REAL_DEV, Row, load_rows
from recommender.training.encoder_record import EncoderRecord
from recommender.training.evaluate import MODEL
from recommender.training.figure_names import CALIBRATION, CURVE, DEVELOPMENT, GATES, SLICES
from recommender.training.measured import Measured, measure_version, rankable
from recommender.training.report import by_label, calibration, per_request, summarise
from recommender.training.restate import restate

Say = Callable[[str], None]

# Rows of a slice below which its interval says nothing.
LEAST_SHOWN = 5


@dataclass(frozen=True)
class GatedEvidence:
    """What a candidate learned from, and the newest reviews that it did not; see ``split_by_time``."""

    learned: Evidence
    held_back: Evidence


def gate_report(
    models: Path,
    candidate: str,
    evidence: GatedEvidence,
    say: Say = lambda _: None,
    *,
    remade: Path | None = None,
    scratch: Path | None = None,
) -> list[GateResult]:
    """Run every gate, write the results to the candidate's manifest and card, and return them.

    ``remade``: the folder of the same version made once more, whose bytes must be the same; None leaves that to the
    ranking of the fixed cases. ``scratch``: as in ``retrain``. Raises ModelVersionError when the candidate was not
    made from the base of the version that answers, for then reviews of one say nothing about the other.
    """
    run = _GateRun(models, candidate, evidence, EmbeddingCache(scratch))
    results = list(run.results(say, remade))
    say("learning curve")
    figures = {
        DEVELOPMENT: run.development_figures(),
        CURVE: run.compared.learning_curve(),
        GATES: run.as_data(results),
    }
    write_manifest(run.candidate.folder, run.candidate.manifest.model_copy(update={"figures": figures}))
    return results


def trained_gate_report(models: Path, candidate: str, say: Say = lambda _: None) -> list[GateResult]:
    """As ``gate_report`` for a version trained anew, which no review taught: reviews have nothing to decide in it.

    Raises ModelVersionError where a file of one of the two versions is not as its manifest says, or is for another
    catalogue than the program's.
    """
    nothing = Evidence.of([])
    run = _GateRun(models, candidate, GatedEvidence(nothing, nothing), EmbeddingCache())
    results = list(run.results(say, None))
    version = run.candidate
    figures = {**version.manifest.figures, GATES: run.as_data(results)}
    restate(version.folder, version.manifest, figures, EncoderRecord.load(version.encoder_folder))
    return results


class _GateRun:
    """Current and candidate version with everything the gates compare."""

    def __init__(self, models: Path, candidate: str, evidence: GatedEvidence, cache: EmbeddingCache) -> None:
        self.base = Base.of(models, candidate)
        self.current, self.candidate = (GatedVersion.of(models, name) for name in (current_version(models), candidate))
        self.learned_from_use = LEARNED_FROM in self.candidate.manifest.settings
        base_of_current = Base.of(models).manifest.version
        if self.learned_from_use and base_of_current != self.base.manifest.version:
            raise ModelVersionError(
                f"a candidate made from {self.base.manifest.version}", wanted=f"one made from {base_of_current}",
                way_out="Run `growth retrain` again: another version answers since.", where=candidate,
            )  # fmt: skip
        self.evidence, self.known = evidence, known_weights(models)
        self.catalogue, self.parameters = load_catalogue(), load_gate_parameters()
        self.compared = ComparedLists(
            self.base, self.current, self.candidate, evidence.learned, evidence.held_back, self.known, self.catalogue,
            cache,
        )  # fmt: skip

    def results(self, say: Say, remade: Path | None) -> Iterator[GateResult]:
        """Every gate in turn."""
        say("guards")
        yield self._guards()
        say("development struggles, both versions")
        difference = self._values[1] - self._values[0]
        yield development_gate(difference, self.parameters)
        compared = self.compared
        say(f"{len(compared)} reviewed lists held back")
        worth = compared.difference
        yield held_back_gate(worth, compared.lists.teachers, self.parameters, corpus_only=self._corpus_only)
        yield off_policy_gate(compared.lists, compared.log_odds[1], compared.positions)
        yield from self._calibrations()
        yield from slice_gates("development", difference, development_labels(self._rows), self.parameters)
        yield from slice_gates("held back", worth, held_back_labels(compared.lists), self.parameters)
        yield self._screening()
        say("speed, determinism and fixed cases")
        yield self._latency()
        yield from self._fixed_cases(remade)

    def as_data(self, results: Sequence[GateResult]) -> dict[str, Any]:
        """What a manifest keeps of the gates: whom they compared, on which files, with what result."""
        return {
            "against": self.current.manifest.version,
            "files": files_digest(self.candidate.manifest.files),
            "learned": len(self.evidence.learned.rows),
            "held_back": len(self.evidence.held_back.rows),
            "results": [result.as_data() for result in results],
        }

    def development_figures(self) -> dict[str, Any]:
        """As a trained version's manifest has them."""
        measured, values = self._measured[1], per_request(self._measured[1], self.catalogue)
        return {
            "rows": len(measured.rows),
            "refused": int((~measured.answered).sum()),
            "figures": {MODEL: summarise(values)},
            CALIBRATION: calibration([measured], self.catalogue),
            SLICES: {
                name: {label: value for label, value in slices.items() if value["n"] >= LEAST_SHOWN}
                for name, slices in by_label(values, development_labels(self._rows)).items()
            },
        }

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        return rankable(load_rows(REAL_DEV))

    @cached_property
    def _measured(self) -> tuple[Measured, Measured]:
        return (
            measure_version(self.current.recommender, self._rows),
            measure_version(self.candidate.recommender, self._rows),
        )

    @cached_property
    def _values(self) -> tuple[Floats, Floats]:
        before, now = (per_request(measured, self.catalogue)["nDCG@5"] for measured in self._measured)
        return before, now

    @property
    def _corpus_only(self) -> bool:
        """Whether no review moved an offset, a factor or the intercept since the version that answers."""
        return not self.learned_from_use or self.candidate.weights == self.current.weights

    def _guards(self) -> GateResult:
        rows = [*self.evidence.learned.rows, *self.evidence.held_back.rows]
        return guards_gate(guard(restored(Evidence.of(rows), self.known, self.base.weights, self.catalogue)))

    def _calibrations(self) -> Iterator[GateResult]:
        margins = self.parameters.calibration
        errors = [float(calibration([measured], self.catalogue)["ece"]) for measured in self._measured]
        yield calibration_gate("development", errors[0], errors[1], margins.development.value, len(self._rows))
        if len(self.compared):
            before, now = self.compared.calibration_errors()
            yield calibration_gate("held back", before, now, margins.held_back.value, len(self.compared))

    def _screening(self) -> GateResult:
        same = self.current.manifest.files[THRESHOLDS_FILE] == self.candidate.manifest.files[THRESHOLDS_FILE]
        if same and self.current.encoder_folder == self.candidate.encoder_folder:
            return said("screening", "passed")
        return screening_gate(self.current.screened(), self.candidate.screened(), self.parameters)

    def _latency(self) -> GateResult:
        runs = self.parameters.latency.runs.value
        cases = [Case(case_id=row.id, struggle=row.text) for row in self._rows[:runs]]
        seconds = np.zeros((2, runs))
        for run in range(runs):
            case = cases[run % len(cases)]
            # Who goes first takes turns, so that a warm cache favours neither.
            for which in (0, 1) if run % 2 else (1, 0):
                recommender = (self.current, self.candidate)[which].recommender
                # Of this thread's work alone: other programs on the machine must decide nothing.
                begun = time.thread_time()
                recommender.rank(case)
                seconds[which, run] = time.thread_time() - begun
        return latency_gate(seconds[0], seconds[1], self.parameters)

    def _fixed_cases(self, remade: Path | None) -> Iterator[GateResult]:
        cases = golden_cases()
        before = [self.current.recommender.rank(case) for case in cases]
        now, again = ([self.candidate.recommender.rank(case) for case in cases] for _ in range(2))
        differing = [case.case_id for case, one, two in zip(cases, now, again, strict=True) if one != two]
        if remade is not None:
            differing += [name for name in self._made_files if not self.candidate.has_same_bytes(remade, name)]
        yield determinism_gate(differing, made_twice=remade is not None)
        yield golden_gate(*changed_cases(before, now, self.parameters), len(cases), self.parameters)

    @property
    def _made_files(self) -> list[str]:
        return [*self.candidate.manifest.files, MANIFEST_FILE]
