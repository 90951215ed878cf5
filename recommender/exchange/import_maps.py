"""What a user says about a foreign file in a YAML map: which column, label or measurement is what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.raw_scores import fold_label
from recommender.catalogue.yaml_files import first_error, read_yaml
from recommender.errors import DataFileError
from recommender.observations import scores as table

MAPPED_COLUMNS = (
    table.TEACHER,
    table.OBSERVED_ON,
    table.OBSERVER,
    table.VISIT,
    table.NOTE,
    table.SCHOOL,
    table.TENANT,
    table.OBSERVATION_TYPE,
    table.OBSERVER_ROLE,
)


def _mapped_column(name: str) -> str:
    if name not in MAPPED_COLUMNS:
        raise ValueError(f"{name!r} is none of {', '.join(MAPPED_COLUMNS)}")
    return name


MappedColumn = Annotated[str, AfterValidator(_mapped_column)]
Header = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ItemCode = Annotated[str, StringConstraints(min_length=1, max_length=60)]


def _label_keys(value: Any) -> Any:
    """Whole numbers may be labels without quotes; what YAML makes of Yes, No or 1.10 may not."""
    if isinstance(value, dict):
        return {str(key) if type(key) is int else key: number for key, number in value.items()}
    return value


# None: the label means "not scored".
Labels = Annotated[dict[Header, float | None], BeforeValidator(_label_keys)]
TypeWords = dict[Header, table.ObservationType]


class ImportMap(BaseModel):
    """Base of the maps: unknown fields are refused, nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SheetMap(ImportMap):
    """A spreadsheet with one row an observation and one column an item.

    ``columns``: column of the score table -> header; ``teacher_id`` and ``observed_on`` are required. ``items``: header
    -> item code. ``labels``: cell -> number, or null for "not scored"; numbers and the instrument's own labels need no
    entry. ``dates``: how a date is written (strptime), where it is text and not YYYY-MM-DD. ``observation_types``:
    cell -> type. ``sheet``: of an XLSX file, default the first. ``header_row``: default 1.
    """

    instrument: Header
    columns: dict[MappedColumn, Header]
    items: Annotated[dict[Header, ItemCode], Field(min_length=1)]
    labels: Labels = {}
    dates: Header | None = None
    observation_types: TypeWords = {}
    sheet: Header | None = None
    header_row: Annotated[int, Field(ge=1, le=100)] = 1


class SegmentMap(ImportMap):
    """A research file with one row a teacher, video and rater, and one column an item and segment.

    ``columns`` as in SheetMap; ``visit`` (the video) and ``teacher_id`` are required. ``observed_on``: the day of all
    rows, where no column has it. ``dates`` as in SheetMap.
    """

    instrument: Header
    columns: dict[MappedColumn, Header]
    observed_on: date | None = None
    dates: Header | None = None


class TeachMap(ImportMap):
    """A file of Teach clips, whose columns are known; it does not say when the lessons were."""

    instrument: Literal["teach-primary-v1", "teach-primary-2"]
    observed_on: date
    observation_type: table.ObservationType = "video"


class GrowMap(ImportMap):
    """A Grow (Whetstone) export.

    ``rubrics``: rubric id or name -> instrument id, where there are several; ``instrument``: of all others.
    ``measurements``: measurement id or name -> item code, or null for one to leave out. ``labels``: valueText ->
    number, or null for "not scored". ``observation_types``: observationType -> type.
    """

    instrument: Header | None = None
    rubrics: dict[Header, Header | None] = {}
    measurements: dict[Header, ItemCode | None] = {}
    labels: Labels = {}
    observation_types: TypeWords = {}


AnyMap = TypeVar("AnyMap", bound=ImportMap)


def read_map(path: Path, kind: type[AnyMap]) -> AnyMap:
    """The map a YAML file holds. Raises DataFileError naming file and field."""
    document = read_yaml(path)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise first_error(error, document, path.name) from None


def instrument_of(name: str, instruments: Mapping[str, Instrument], where: str) -> Instrument:
    """The instrument a map names. Raises DataFileError for one there is not."""
    try:
        return instruments[name]
    except KeyError:
        raise DataFileError(
            f"the instrument {name!r}",
            wanted="the id of an instrument",
            way_out="`growth instruments list` shows them; --instrument FILE.yaml adds your own.",
            where=where,
        ) from None


def check_mapped(required: Sequence[str], columns: Mapping[str, str], where: str) -> None:
    """Refuse a map without a column that its rows cannot do without. Raises DataFileError."""
    for column in required:
        if column not in columns:
            raise DataFileError(f"no column for {column}", wanted=f"columns: {column}", where=where)


def check_items(codes: Mapping[str, str | None], instrument: Instrument, where: str) -> None:
    """Refuse item codes an instrument does not have, and one named twice. Raises DataFileError."""
    seen: dict[str, str] = {}
    for name, code in codes.items():
        if code is None:
            continue
        if code not in instrument.by_code:
            raise DataFileError(f"the item {code!r}", wanted=f"an item of {instrument.id}", where=f"{where}: {name}")
        if code in seen:
            raise DataFileError(
                f"the item {code!r} for {seen[code]!r} and {name!r}", wanted="every item once", where=where
            )
        seen[code] = name


def folded(words: Mapping[str, Any]) -> dict[str, Any]:
    """Words of a map as keys without regard to case and spacing."""
    return {fold_label(word): meaning for word, meaning in words.items()}


def observation_kind(cell: object, words: Mapping[str, Any]) -> object:
    """The observation type a cell means: by the folded ``words`` of a map, or else the one type it names.

    "Formal Observation 2" is formal by itself. Any other cell is returned as it is, for its check to refuse.
    """
    if not isinstance(cell, str):
        return cell
    if fold_label(cell) in words:
        return words[fold_label(cell)]
    named = [kind for kind in get_args(table.ObservationType) if kind in re.findall(r"[a-z]+", cell.casefold())]
    return named[0] if len(named) == 1 else cell
