"""The numbers the simulator uses: read from parameters.yaml, validated, each with its source."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from recommender.catalogue.yaml_files import read_validated
from recommender.training.simulate.district_parameters import (
    DemoParameters,
    DistrictParameters,
    SelfReportParameters,
    TalkCountParameters,
)
from recommender.training.simulate.score_parameters import (
    OperationalMargins,
    Preset,
    ResearchMargins,
    Structure,
    VarianceShares,
    Visits,
    Walkthroughs,
)
from recommender.training.simulate.sourced import StrictModel

PARAMETERS_FILE = Path(__file__).parent / "parameters.yaml"

PresetName = Literal["research", "optimistic", "operational"]


class Parameters(StrictModel):
    """All numbers of the simulator."""

    shares: dict[Literal["measured", "optimistic"], VarianceShares]
    structure: Structure
    presets: dict[PresetName, Preset]
    research_margins: ResearchMargins
    operational_margins: OperationalMargins
    visits: Visits
    walkthroughs: Walkthroughs
    self_report: SelfReportParameters
    talk_counts: TalkCountParameters
    district: DistrictParameters
    demo: DemoParameters


@lru_cache(maxsize=4)
def load_parameters(file: Path = PARAMETERS_FILE) -> Parameters:
    """Read and validate the parameters. Raises DataFileError naming file and field."""
    return read_validated(file, Parameters)
