"""Ed-Fi results as numbers: rating levels, data types, and the way from the file's own scale to the instrument's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from recommender.catalogue.instrument import Instrument, Scale
from recommender.errors import ScoreError
from recommender.exchange.ed_fi_records import ElementScale, Level, Result
from recommender.exchange.ed_fi_trees import Scalar, decimal, descriptor_code

RATING_FIELD = "results.rating"
LEVEL_FIELD = "evaluationElementRatingLevelDescriptor"
_NUMBER_TYPES = ("integer", "decimal", "")
_LEVEL_TYPE = "level"
_PERCENTAGE_TYPE = "percentage"
_PERCENT = (0.0, 100.0)
# Equal ends and equal results are told by what a file's decimals can hold.
_TOLERANCE = 1e-9


class Value(NamedTuple):
    """A score on the instrument's scale; ``rescaled`` says that the file's own scale was another."""

    number: float
    rescaled: bool


def score_of(
    results: Sequence[Result], level: str, file_scale: ElementScale, instrument: Instrument, item: str
) -> Value | None:
    """One element rating as a number on the item's scale; None when it holds no score.

    Numbers said to be integers or decimals come first, then levels, then percentages, which run from 0 to 100
    whatever the element's scale; the rating's own level is read only without such a result.

    Raises ScoreError for results that differ, for an unknown level or data type, and for a number outside the scale.
    """
    scored = [result for result in results if _has_score(result)]
    reader = _Reader(file_scale, instrument, item)
    for datatypes in (_NUMBER_TYPES, (_LEVEL_TYPE,), (_PERCENTAGE_TYPE,)):
        values = [reader.result(result) for result in scored if result.datatype in datatypes]
        if values:
            return _one(values)
    if level:
        return reader.level(level, LEVEL_FIELD)
    if scored:
        wanted = "Integer, Decimal, Level or Percentage"
        raise ScoreError("a result of another data type", wanted=wanted, where=RATING_FIELD)
    return None


def file_ends(file_scale: ElementScale, scale: Scale) -> tuple[float, float] | None:
    """The ends of the file's own scale; None when it names no upper end.

    A lower end that is not given is the instrument's where the upper ends agree, the lowest level where the levels are
    whole steps of one (1, 2, 3 ...), and otherwise 0, as the standard has it.
    """
    highs = [level.highest for level in file_scale.levels if level.highest is not None]
    lows = [level.lowest for level in file_scale.levels if level.lowest is not None]
    high = file_scale.highest if file_scale.highest is not None else max(highs, default=None)
    if high is None:
        return None
    if file_scale.lowest is not None:
        low = file_scale.lowest
    elif lows:
        low = min(lows)
    elif abs(high - scale.max) < _TOLERANCE:
        low = scale.min
    else:
        low = min(highs) if _are_points(highs) else 0.0
    if low >= high:
        raise ScoreError(
            "a rating scale whose lowest is not below its highest", wanted="two ends apart", where="maxRating"
        )
    return low, high


class _Reader:
    """Reads the results of one element."""

    def __init__(self, file_scale: ElementScale, instrument: Instrument, item: str) -> None:
        self._levels = file_scale.levels
        self._instrument = instrument
        self._item = item
        self._scale = instrument.scale_of(item)
        self._ends = file_ends(file_scale, self._scale)

    def result(self, result: Result) -> Value | None:
        """One result by its data type."""
        number = decimal(result.rating)
        if result.datatype == _LEVEL_TYPE:
            return self._level_result(result, number)
        if number is None:
            return self.level(_label(result.rating), RATING_FIELD)
        if result.datatype == "integer" and math.isfinite(number) and not number.is_integer():
            raise ScoreError("a fraction said to be an integer", wanted="a whole number", where=RATING_FIELD)
        return self._on_scale(number, _PERCENT if result.datatype == _PERCENTAGE_TYPE else self._ends)

    def level(self, name: str, field: str) -> Value | None:
        """One level by its name: its number in the file, or else the instrument's, or else the middle of its band."""
        number = decimal(name)
        if number is not None:
            return self._on_scale(number, self._ends)
        try:
            labelled = self._instrument.score(self._item, name)
        except ScoreError:
            labelled = math.nan
        if labelled is None:
            return None
        band = self._band(name)
        if band is not None and band[0] == band[1]:
            return self._on_scale(band[0], self._ends)
        if not math.isnan(labelled):
            return Value(labelled, rescaled=False)
        if band is not None:
            return self._on_scale((band[0] + band[1]) / 2, self._ends)
        known = [*self._scale.labels] or ["a number"]
        raise ScoreError(
            "a level that neither the file nor the instrument explains",
            wanted=f"one of {', '.join(known)}",
            where=field,
        )

    def _level_result(self, result: Result, number: float | None) -> Value | None:
        """The number of a level is only its position, so that the title is asked first."""
        own = "" if number is not None or result.rating is None else _label(result.rating)
        texts = [text for text in (own, result.title) if text]
        for position, text in enumerate(texts):
            try:
                return self.level(text, RATING_FIELD)
            except ScoreError:
                if number is None and position == len(texts) - 1:
                    raise
        if number is None:
            return None
        if self._has_bands():
            raise ScoreError("a level by number where levels are bands", wanted="its title", where=RATING_FIELD)
        return self._on_scale(number, self._ends)

    def _has_bands(self) -> bool:
        bands = [self._band(level.name) for level in self._levels]
        return any(band is not None and band[0] != band[1] for band in bands)

    def _band(self, name: str) -> tuple[float, float] | None:
        level = next((level for level in self._levels if level.name == name), None)
        if level is None or level.highest is None:
            return None
        if level.lowest is not None:
            return level.lowest, level.highest
        highs = sorted(other.highest for other in self._levels if other.highest is not None)
        if _are_points(highs):
            return level.highest, level.highest
        below = [high for high in highs if high < level.highest]
        return (below[-1] if below else self._lowest(level)), level.highest

    def _lowest(self, level: Level) -> float:
        # A level with an upper end gives the scale one.
        assert level.highest is not None
        assert self._ends is not None
        return min(self._ends[0], level.highest)

    def _on_scale(self, number: float, ends: tuple[float, float] | None) -> Value:
        scale = self._scale
        low, high = ends or (scale.min, scale.max)
        if not low <= number <= high:
            raise ScoreError("a number outside the scale", wanted=f"{low:g} to {high:g}", where=RATING_FIELD)
        if abs(low - scale.min) < _TOLERANCE and abs(high - scale.max) < _TOLERANCE:
            return Value(min(max(number, scale.min), scale.max), rescaled=False)
        share = (number - low) / (high - low)
        moved = round(scale.min + share * (scale.max - scale.min), 9)
        return Value(min(max(moved, scale.min), scale.max), rescaled=True)


def _has_score(result: Result) -> bool:
    """Whether a result says anything; a title without a rating counts for a level only."""
    is_blank = result.rating is None or (isinstance(result.rating, str) and not result.rating.strip())
    return not is_blank or (result.datatype == _LEVEL_TYPE and bool(result.title))


def _label(rating: Scalar) -> str:
    if not isinstance(rating, str):
        raise ScoreError("a rating that is neither number nor text", wanted="a number or a level", where=RATING_FIELD)
    return descriptor_code(rating)


def _one(values: Sequence[Value | None]) -> Value | None:
    first, *others = values
    for other in others:
        if (first is None) != (other is None) or (first and other and abs(first.number - other.number) > _TOLERANCE):
            raise ScoreError(
                f"{len(values)} results that differ", wanted="one result an element rating", where=RATING_FIELD
            )
    return first


def _are_points(highs: Sequence[float]) -> bool:
    """Whether the upper ends of levels are whole steps of one, so that each stands for itself and not for a band."""
    steps = sorted(highs)
    return len(steps) > 1 and all(abs(b - a - 1) < _TOLERANCE for a, b in pairwise(steps))
