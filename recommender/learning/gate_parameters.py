"""Margins of the gates: read from gates.yaml, validated, each with its reason; and the gates' sentences."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from recommender.catalogue.yaml_files import read_validated, read_yaml
from recommender.training.simulate.sourced import AtLeastOne, Count, Positive, Share, StrictModel, Value

GATES_FILE = Path(__file__).parent / "gates.yaml"
SENTENCES_FILE = Path(__file__).parent / "gate_sentences.yaml"


class DevelopmentGate(StrictModel):
    """On the fixed development struggles: how far the mean difference in nDCG@5 may be below 0."""

    margin: Value[Positive]


class HeldBackGate(StrictModel):
    """On the newest reviews: the share of rows held back, the margin of non-inferiority in nDCG@5, the fewest lists."""

    share: Value[Share]
    margin: Value[Positive]
    least_n: Value[AtLeastOne]


class CalibrationGate(StrictModel):
    """How much larger an expected calibration error may be."""

    held_back: Value[Positive]
    development: Value[Positive]


class SliceGate(StrictModel):
    """A slice fails when even the upper end of its interval is below ``-margin``; below ``least_n`` none is judged."""

    margin: Value[Positive]
    least_n: Value[AtLeastOne]


class ScreeningGate(StrictModel):
    """How far a share of rightly screened texts may fall."""

    margin: Value[Positive]


class LatencyGate(StrictModel):
    """Largest median ratio of interleaved ``runs``."""

    ratio: Value[Positive]
    runs: Value[AtLeastOne]


class GoldenGate(StrictModel):
    """Among how many first suggestions of before the new first one must be, and how many cases may miss that."""

    places: Value[AtLeastOne]
    may_move: Value[Count]


class GateParameters(StrictModel):
    """All margins."""

    development: DevelopmentGate
    held_back: HeldBackGate
    calibration: CalibrationGate
    slices: SliceGate
    screening: ScreeningGate
    latency: LatencyGate
    golden: GoldenGate


@lru_cache(maxsize=2)
def load_gate_parameters(file: Path = GATES_FILE) -> GateParameters:
    """Read and validate the file. Raises DataFileError with the group and field of the first broken rule."""
    return read_validated(file, GateParameters)


@lru_cache(maxsize=1)
def gate_sentences() -> dict[str, dict[str, str]]:
    """By gate and outcome, with places for figures."""
    return {str(name): dict(texts) for name, texts in read_yaml(SENTENCES_FILE).items()}
