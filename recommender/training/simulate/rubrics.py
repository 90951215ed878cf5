"""What a simulated observer scores: an instrument's items with domain, levels and how often each level is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommender.catalogue.families import Family, load_families
from recommender.catalogue.instrument import Instrument, Item
from recommender.catalogue.instruments import load_instruments
from recommender.errors import GrowthError
from recommender.training.simulate.components import Floats
from recommender.training.simulate.margins import research_shares, scaled, shares_with_mean, with_top_share
from recommender.training.simulate.parameters import Parameters
from recommender.training.simulate.score_parameters import Margins

GTI = "gti-2018"
GTI_LEVELS = (1.0, 2.0, 3.0, 4.0)


@dataclass(frozen=True)
class SimulatedRubric:
    """Items in order, all on one scale.

    ``domains``: the domain of each item; ``levels`` (levels,) evenly spaced; ``shares`` (items, levels), rows sum to
    1; ``directions`` (items,) 1 or -1; ``usually_missing`` (items,) share of visits that leave the item out.
    """

    instrument: str
    items: tuple[str, ...]
    domains: tuple[str, ...]
    levels: Floats
    shares: Floats
    directions: Floats
    usually_missing: Floats

    def with_top_share(self, top: float) -> SimulatedRubric:
        """The rubric in a district that gives the highest level to the share ``top`` of its scores."""
        return replace(self, shares=with_top_share(self.shares, top))


def simulated_rubric(
    instrument_id: str, margins: Margins, parameters: Parameters, instruments: Mapping[str, Instrument] | None = None
) -> SimulatedRubric:
    """The rubric with the level shares of ``margins``.

    ``gti-2018`` comes from the parameters. Of other instruments the components seen in a lesson are taken; under
    research margins each has its own norm or else its family's. ``instruments``: default the shipped ones. Raises
    GrowthError for an unknown instrument, one without such items or with unequal scales, and for operational margins
    on a scale of another number of levels.
    """
    if instrument_id == GTI:
        return _gti(margins, parameters)
    instruments = load_instruments() if instruments is None else instruments
    if instrument_id not in instruments:
        raise GrowthError(repr(instrument_id), wanted=f"one of {', '.join(instruments)}", where="instrument")
    return _of_instrument(instruments[instrument_id], margins, parameters)


def _gti(margins: Margins, parameters: Parameters) -> SimulatedRubric:
    research = parameters.research_margins
    levels = np.array(GTI_LEVELS)
    items = tuple(research.items)
    if margins == "research":
        by_item = research_shares(research, levels)
        shares = np.stack([by_item[code] for code in items])
    else:
        shares = _operational(len(items), levels, parameters, GTI)
    domains = tuple(item.domain for item in research.items.values())
    return SimulatedRubric(GTI, items, domains, levels, shares, np.ones(len(items)), np.zeros(len(items)))


def _of_instrument(instrument: Instrument, margins: Margins, parameters: Parameters) -> SimulatedRubric:
    items = [item for item in instrument.items if item.level == "component" and item.observable and not item.derived]
    if not items:
        raise GrowthError("no component seen in a lesson", wanted="at least one", where=instrument.id)
    levels = _levels(instrument, items)
    if margins == "research":
        shares = np.stack([_norm_shares(instrument, item, levels) for item in items])
    else:
        shares = _operational(len(items), levels, parameters, instrument.id)
    return SimulatedRubric(
        instrument.id,
        tuple(item.code for item in items),
        tuple(_domain(item) for item in items),
        levels,
        shares,
        np.array([float(item.direction) for item in items]),
        np.array([item.usually_missing for item in items]),
    )


def _levels(instrument: Instrument, items: list[Item]) -> Floats:
    scales = {(s.min, s.max, s.step) for s in (instrument.scale_of(item.code) for item in items)}
    if len(scales) > 1:
        raise GrowthError(f"{len(scales)} different scales", wanted="one scale for all items", where=instrument.id)
    low, high, step = scales.pop()
    levels: Floats = low + step * np.arange(round((high - low) / step) + 1, dtype=np.float64)
    return levels


def _operational(items: int, levels: Floats, parameters: Parameters, where: str) -> Floats:
    shares = scaled(parameters.operational_margins.shares)
    if len(shares) != len(levels):
        raise GrowthError(
            f"{len(levels)} levels", wanted=f"{len(shares)} levels, as operational margins have", where=where
        )
    return np.tile(shares, (items, 1))


def _norm_shares(instrument: Instrument, item: Item, levels: Floats) -> Floats:
    if item.norm is not None and item.norm.shares is not None:
        return scaled([item.norm.shares.get(float(level), 0.0) for level in levels])
    if item.norm is not None and item.norm.mean is not None and item.norm.sd is not None:
        return shares_with_mean(item.norm.mean, item.norm.sd, levels)
    family = _family(item)
    if family is None:
        raise GrowthError("no norm and no known family", wanted="either", where=f"{instrument.id} {item.code}")
    width = levels[-1] - levels[0]
    return shares_with_mean(levels[0] + width * family.position_mean, width * family.position_sd, levels)


def _domain(item: Item) -> str:
    """The family's domain; an item of a family of its own, or of none, is a domain by itself."""
    family = _family(item)
    return family.domain if family is not None else item.family or item.code


def _family(item: Item) -> Family | None:
    return load_families().get(item.family) if item.family is not None else None
