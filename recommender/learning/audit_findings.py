"""One figure of the audit beside its threshold, and what it says in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from recommender.catalogue.yaml_files import read_validated
from recommender.learning.audit_parameters import Text
from recommender.training.intervals import Interval
from recommender.training.report import as_data
from recommender.training.simulate.sourced import StrictModel

WORDS_FILE = Path(__file__).parent / "audit_words.yaml"

Verdict = Literal["within", "open", "beyond"]
Part = Literal["groups", "swaps", "stress"]


@dataclass(frozen=True)
class Finding:
    """A figure with its 95% interval, held to ``margin``.

    ``about``: the contrast, the stress, or the attribute; ``measure``: a name of audit_words.yaml. ``figure`` counts
    against the margin, for a swap less what its control changed. ``effect`` and ``control`` are those two alone;
    ``detail`` names the domain, the skill or the groups meant. ``most`` False: the figure must not be below the margin.
    """

    part: Part
    about: str
    measure: str
    figure: Interval
    margin: float
    effect: Interval | None = None
    control: Interval | None = None
    detail: str = ""
    most: bool = True

    @property
    def verdict(self) -> Verdict:
        """Within: the whole interval is. Beyond: none of it is. Open: too few texts or people to tell."""
        inside, outside = (self.figure.high, self.figure.low) if self.most else (-self.figure.low, -self.figure.high)
        margin = self.margin if self.most else -self.margin
        if inside <= margin:
            return "within"
        return "beyond" if outside > margin else "open"

    @property
    def share_of_margin(self) -> tuple[float, float, float]:
        """Mean, low and high as multiples of the margin, 1 at the threshold; a margin of 0 is taken as .01."""
        if not self.most:
            # A ratio: how far from 1, against how far it may be.
            room = max(1 - self.margin, 0.01)
            return ((1 - self.figure.mean) / room, (1 - self.figure.high) / room, (1 - self.figure.low) / room)
        room = max(self.margin, 0.01)
        return self.figure.mean / room, self.figure.low / room, self.figure.high / room

    @property
    def sentence(self) -> str:
        """What was measured and what follows, for a person."""
        words = audit_words()
        sign = "" if self.part == "groups" else "+"
        return (words.swap_sentence if self.control is not None and self.part == "swaps" else words.sentence).format(
            subject=words.measures[self.measure].format(about=self.about, detail=self.detail),
            value=f"{self.figure.mean:{sign}.3f} [{self.figure.low:{sign}.3f}, {self.figure.high:{sign}.3f}]",
            bound="at most" if self.most else "at least",
            margin=f"{self.margin:.2f}",
            verdict=words.verdicts[self.verdict],
        )

    def as_data(self) -> dict[str, Any]:
        """The finding as rounded plain data."""
        return {
            "part": self.part,
            "about": self.about,
            "measure": self.measure,
            "detail": self.detail,
            "figure": as_data(self.figure),
            "effect": None if self.effect is None else as_data(self.effect),
            "control": None if self.control is None else as_data(self.control),
            "margin": self.margin,
            "at": "most" if self.most else "least",
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


class PartWords(StrictModel):
    """What a part is called, and what must be known to read it."""

    title: Text
    plot: Text
    note: Text


class AuditWords(StrictModel):
    """The wording of the audit."""

    sentence: Text
    swap_sentence: Text
    control_sentence: Text
    verdicts: dict[Verdict, Text]
    measures: dict[Text, Text]
    title: Text
    intro: Text
    parts: dict[Part, PartWords]


@lru_cache(maxsize=1)
def audit_words() -> AuditWords:
    """Read and validate the wording. Raises DataFileError with the field of the first broken rule."""
    return read_validated(WORDS_FILE, AuditWords)
