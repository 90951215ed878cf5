"""The mapping file a district writes when titles alone do not tell which Ed-Fi element is which item."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from recommender.catalogue.instrument import Instrument
from recommender.errors import DataFileError
from recommender.exchange.import_maps import ImportMap, read_map
from recommender.observations.scores import ObservationType

_LONGEST_QUOTED = 60


class ElementMapping(ImportMap):
    """The instrument, and which element is which item of it.

    ``elements``: element title -> item code; a title that is not in it is matched as without a mapping, but with this
    instrument only. ``observation_types``: a district's own performance evaluation type -> observation type.
    """

    instrument: str
    elements: dict[str, str] = Field(default_factory=dict)
    observation_types: dict[str, ObservationType] = Field(default_factory=dict)


def read_mapping(path: Path, instruments: Mapping[str, Instrument]) -> ElementMapping:
    """Read a mapping file. Raises DataFileError naming file and field, for an unknown instrument or item too."""
    mapping = read_map(path, ElementMapping)
    instrument = instruments.get(mapping.instrument)
    if instrument is None:
        raise DataFileError(
            repr(mapping.instrument)[:_LONGEST_QUOTED],
            wanted=f"one of {', '.join(sorted(instruments))}",
            way_out="A rubric of your own is read from its own file, named beside this one.",
            where=f"{path.name}: instrument",
        )
    for title, code in mapping.elements.items():
        if code not in instrument.by_code:
            raise DataFileError(
                repr(code)[:_LONGEST_QUOTED],
                wanted=f"an item of {instrument.id}",
                way_out="A code that looks like a number is written in quotes.",
                where=f"{path.name}: elements: {title[:_LONGEST_QUOTED]}",
            )
    return mapping
