"""What observers saw as a person reads it: item by item a need with its interval, under our own labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pandas as pd

from recommender.cases import Case
from recommender.catalogue.instruments import Instruments
from recommender.observations import scores as columns
from recommender.observations.norms import Norms
from recommender.ranking.observed import ItemNeed
from recommender.ranking.recommender import Recommender
from service.casework import ITEM_NEEDS
from service.interval_plot import Interval, IntervalPlot, interval_plot
from service.store.outcomes import Z_95

NeedWord = Literal["more", "less", "even"]
# Most needs lie within two SD of the teacher's own middle; a smaller range would make small needs look large.
LEAST_AXIS = 2.0


@dataclass(frozen=True)
class NeedLine:
    """One item: ``need`` in own-normed SD units against the teacher's other items, with its 95% interval.

    ``rubric`` is the instrument's title, ``visits`` how many visits the need rests on.
    """

    label: str
    rubric: str
    need: float
    low: float
    high: float
    visits: int

    @property
    def word(self) -> NeedWord:
        """``more`` or ``less`` room to grow than elsewhere; ``even`` while the interval holds 0."""
        if self.low > 0:
            return "more"
        return "less" if self.high < 0 else "even"


@dataclass(frozen=True)
class ObservedNeeds:
    """The lines in the order of the rubric."""

    lines: tuple[NeedLine, ...]

    @property
    def is_flat(self) -> bool:
        """Whether all scores of each lesson were alike: such scores leave every need at exactly 0."""
        return len(self.lines) > 1 and all(line.need == 0 for line in self.lines)

    @property
    def stands_out(self) -> bool:
        """Whether any item is told apart from the teacher's others."""
        return any(line.word != "even" for line in self.lines)

    @cached_property
    def plot(self) -> IntervalPlot:
        """The lines as a picture: 0 in the middle, more room to grow to the right."""
        reach = max([LEAST_AXIS, *(max(-line.low, line.high) for line in self.lines)])
        intervals = [Interval(line.label, line.low, line.need, line.high) for line in self.lines]
        return interval_plot(intervals, -reach, reach, marks=[0.0])


def current_needs(recommender: Recommender, tenant_id: str, norms: Norms, scores: pd.DataFrame) -> ObservedNeeds:
    """Needs from a teacher's stored scores, as a ranking of this moment would read them; empty without scores.

    ``norms`` are the tenant's, fitted on scores that these are among. Scores of a rubric that is not known here any
    more are left out.
    """
    known = scores[scores[columns.INSTRUMENT].isin(list(recommender.instruments))]
    if known.empty:
        return ObservedNeeds(())
    reader = recommender.for_tenant(tenant_id, norms, norms_hold_scores=True)
    return needs_shown(reader.item_needs(Case(case_id="scores"), known), recommender.instruments)


def frozen_needs(features: Mapping[str, Any], instruments: Instruments) -> ObservedNeeds:
    """Needs as a ranking saw them when it was shown, from its frozen features; empty where it saw none."""
    found = []
    for frozen in features.get(ITEM_NEEDS, ()):
        instrument = instruments.get(frozen["instrument"])
        codes: Sequence[str] = [] if instrument is None else list(instrument.by_code)
        # A rubric can be replaced by a shorter one after a list was shown.
        if frozen["place"] < len(codes):
            code = codes[frozen["place"]]
            found.append(ItemNeed(frozen["instrument"], code, frozen["need"], frozen["sd"], frozen["visits"]))
    return needs_shown(found, instruments)


def needs_shown(needs: Iterable[ItemNeed], instruments: Instruments) -> ObservedNeeds:
    """Needs as they are shown, in the order they come in (the rubric's), with intervals need +- 1.96 SD."""
    return ObservedNeeds(tuple(_line(need, instruments) for need in needs))


def _line(need: ItemNeed, instruments: Instruments) -> NeedLine:
    instrument, half = instruments[need.instrument], Z_95 * need.sd
    label = instrument.by_code[need.item].label
    return NeedLine(label, instrument.title, need.need, need.need - half, need.need + half, need.visits)
