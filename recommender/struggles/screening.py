"""Reads what kind of text a struggle is before anything is suggested."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from recommender.struggles.encoder import Floats
from recommender.struggles.language import is_other_language
from recommender.struggles.screening_network import ScreeningNetwork

THRESHOLDS_FILE = "screening.json"

ScreeningStatus = Literal["rankable", "not_enough", "out_of_scope", "safeguarding"]
STATUSES: tuple[ScreeningStatus, ...] = ("rankable", "not_enough", "out_of_scope", "safeguarding")
SAFEGUARDING = STATUSES.index("safeguarding")


@dataclass(frozen=True)
class Thresholds:
    """Probability from which a status is answered; chosen by cross-validation for the cost of each error.

    ``safeguarding`` is low: missing a child in danger costs far more than showing a contact too often.
    ``refuse`` is for both other statuses together: an ordinary struggle should rarely be turned away.
    """

    safeguarding: float
    refuse: float

    def save(self, version_folder: Path) -> None:
        """Write ``screening.json``."""
        (version_folder / THRESHOLDS_FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Screening:
    """The status of one struggle and whether it is in another language than English."""

    status: ScreeningStatus
    other_language: bool


class Screener:
    """The screening network with the thresholds of one model version."""

    def __init__(self, network: ScreeningNetwork, thresholds: Thresholds) -> None:
        self.network = network
        self.thresholds = thresholds

    @classmethod
    def load(cls, version_folder: Path, encoder_folder: Path) -> Screener:
        """Thresholds from ``screening.json`` of the version, the network from its encoder's folder."""
        document = json.loads((version_folder / THRESHOLDS_FILE).read_text(encoding="utf-8"))
        return cls(ScreeningNetwork.load(encoder_folder), Thresholds(**document))

    def screen(self, text: str, lower_states: Floats) -> Screening:
        """Status of ``text`` from its lower token states."""
        if not len(lower_states):
            return Screening("not_enough", other_language=False)
        other_language = is_other_language(text)
        return Screening(
            decide(self.network.probabilities(lower_states), other_language, self.thresholds), other_language
        )


def decide(probabilities: Floats, other_language: bool, thresholds: Thresholds) -> ScreeningStatus:
    """The answer for (4,) probabilities: safeguarding first, then refusals, else rankable."""
    if probabilities[SAFEGUARDING] >= thresholds.safeguarding:
        return "safeguarding"
    if other_language:
        return "out_of_scope"
    if 1 - probabilities[0] - probabilities[SAFEGUARDING] >= thresholds.refuse:
        return "not_enough" if probabilities[1] >= probabilities[2] else "out_of_scope"
    return "rankable"
