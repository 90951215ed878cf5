"""How the parts of a Grow (Whetstone) observation are understood: its rubric, its measurements, scores and people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.raw_scores import fold_label
from recommender.errors import ScoreError
from recommender.exchange.grow_objects import identity, member
from recommender.exchange.import_maps import GrowMap, folded
from recommender.exchange.pseudonyms import Kind, Pseudonyms
from recommender.exchange.row_checks import CellProblem

_LEADING_CODE = re.compile(r"\s*\(?([^\s:()]+?)[.:)\-–—]*(?:\s|:|$)")
_NOT_SCORED = ""


@dataclass(frozen=True)
class GrowReading:
    """A map, the instruments, the names of measurements and the pseudonyms that observations are read with."""

    grow_map: GrowMap
    instruments: Mapping[str, Instrument]
    measurement_names: Mapping[str, str]
    pseudonyms: Pseudonyms

    @cached_property
    def _rubrics(self) -> dict[str, Any]:
        return folded(self.grow_map.rubrics)

    @cached_property
    def _measurements(self) -> dict[str, Any]:
        return folded(self.grow_map.measurements)

    @cached_property
    def _labels(self) -> dict[str, Any]:
        return folded(self.grow_map.labels)

    def instrument(self, observation: Mapping[str, Any]) -> Instrument | None:
        """The instrument of an observation's rubric; None for a rubric to leave out. Raises ScoreError for another."""
        rubric = observation.get("rubric")
        for name in (identity(rubric), member(rubric, "name")):
            if isinstance(name, str) and fold_label(name) in self._rubrics:
                found = self._rubrics[fold_label(name)]
                return None if found is None else self.instruments[found]
        if self.grow_map.instrument is None:
            raise ScoreError("a rubric that the map does not name", wanted="its id or name under `rubrics`")
        return self.instruments[self.grow_map.instrument]

    def item(self, measurement: object, instrument: Instrument) -> str | None:
        """The item of a measurement; None for one to leave out. Raises ScoreError for an unknown one."""
        name = self.measurement_names.get(measurement) if isinstance(measurement, str) else None
        for word in (measurement, name):
            if isinstance(word, str) and fold_label(word) in self._measurements:
                found: str | None = self._measurements[fold_label(word)]
                return found
        if name is not None:
            for code, item in instrument.by_code.items():
                if fold_label(name) in (fold_label(code), fold_label(item.label)):
                    return code
            leading = _LEADING_CODE.match(name)
            if leading and leading[1] in instrument.by_code:
                return leading[1]
        raise ScoreError("a measurement that the map does not name", wanted="its id or name under `measurements`")

    def value(self, score: Mapping[str, Any], instrument: Instrument, code: str) -> object:
        """The raw value of a score, "" for none.

        A label that the map has counts before the number. A number whose label means another number on the instrument
        comes from another scale and is a CellProblem.
        """
        number, text = score.get("valueScore"), score.get("valueText")
        label = fold_label(text) if isinstance(text, str) else ""
        if label in self._labels:
            meaning = self._labels[label]
            return _NOT_SCORED if meaning is None else meaning
        if number is None or (label and _is_missing_label(instrument, code, label)):
            return _NOT_SCORED
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            return CellProblem(f"a value of type {type(number).__name__}", "a number")
        if label and instrument.scale_of(code).by_label.get(label, number) != number:
            return CellProblem("a number and a label that disagree", "the label under `labels` of the map")
        return number

    def person(self, kind: Kind, reference: object) -> object:
        """The id of a reference, as its pseudonym where there is a key; "" for none."""
        cell = identity(reference)
        if cell is None:
            return ""
        if not isinstance(cell, str):
            return CellProblem(f"a value of type {type(cell).__name__}", "an id")
        return self.pseudonyms.of(kind, cell) if self.pseudonyms.has_key and cell.strip() else cell


def _is_missing_label(instrument: Instrument, code: str, label: str) -> bool:
    try:
        return instrument.score(code, label) is None
    except ScoreError:
        return False
