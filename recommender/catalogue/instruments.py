"""The shipped instruments with their crosswalks to skills, and a user's own rubrics beside them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from recommender.catalogue.families import FAMILIES_FILE, check_family
from recommender.catalogue.instrument import Instrument
from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.yaml_files import first_error, parse_yaml, read_yaml
from recommender.errors import DataFileError

INSTRUMENTS_FOLDER = Path(__file__).parent / "instruments"
CROSSWALKS_FOLDER = Path(__file__).parent / "crosswalks"
CROSSWALK_COLUMNS = ("item", "skill_id", "weight", "confidence", "provenance")

Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class CrosswalkEntry:
    """How much one item says about one skill: ``weight`` above 0 and at most 1, and how sure that judgement is."""

    weight: float
    confidence: Confidence
    provenance: str


Crosswalk = Mapping[str, Mapping[str, CrosswalkEntry]]
"""Item code -> skill id -> entry."""

# A user's crosswalk has no column for how sure they are.
_OWN_CONFIDENCE: Confidence = "medium"
_OWN_PROVENANCE = "the instrument's own file"


class Instruments(Mapping[str, Instrument]):
    """Instrument id -> instrument: the shipped ones by id, then a user's own in the order given.

    ``version``: first 12 hex digits of the SHA-256 over the shipped files (instruments, crosswalks, families).
    """

    def __init__(
        self, by_id: Mapping[str, Instrument], version: str, shipped_crosswalks: Mapping[str, Crosswalk]
    ) -> None:
        self._by_id = dict(by_id)
        self.version = version
        self._crosswalks = {
            instrument.id: shipped_crosswalks.get(instrument.id) or _own_crosswalk(instrument)
            for instrument in by_id.values()
        }

    def __getitem__(self, instrument_id: str) -> Instrument:
        return self._by_id[instrument_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def crosswalk(self, instrument_id: str) -> Crosswalk:
        """Item code -> skill id -> entry; items nobody mapped are not in it. Raises KeyError for an unknown id."""
        return self._crosswalks[instrument_id]

    def beside(self, own: Sequence[Instrument]) -> Instruments:
        """These instruments and ``own``, with the same ``version``."""
        replaced = {each.id for each in own}
        kept = {name: crosswalk for name, crosswalk in self._crosswalks.items() if name not in replaced}
        return Instruments({**self._by_id, **{each.id: each for each in own}}, self.version, kept)


def load_instruments(extra: Sequence[Path] = ()) -> Instruments:
    """The shipped instruments and those of the ``extra`` YAML files; one with a shipped id takes that one's place.

    A district's own edition of a known rubric, with its items, scale and crosswalk, counts as it says. Raises
    DataFileError naming file, item and field; also for an id given twice.
    """
    shipped = _load_shipped()
    return _beside_shipped(tuple((Path(file), _stamp(Path(file))) for file in extra)) if extra else shipped


@lru_cache(maxsize=1)
def _load_shipped() -> Instruments:
    digest = hashlib.sha256()
    by_id: dict[str, Instrument] = {}
    crosswalks: dict[str, Crosswalk] = {}
    digest.update(FAMILIES_FILE.name.encode() + b"\0" + FAMILIES_FILE.read_bytes())
    for file in sorted(INSTRUMENTS_FOLDER.glob("*.yaml")):
        content = file.read_bytes()
        digest.update(file.name.encode() + b"\0" + content)
        crosswalk: Crosswalk = {}
        crosswalk_file = CROSSWALKS_FOLDER / f"{file.stem}.csv"
        if crosswalk_file.exists():
            crosswalk_content = crosswalk_file.read_bytes()
            digest.update(crosswalk_file.name.encode() + b"\0" + crosswalk_content)
            crosswalk = read_crosswalk(crosswalk_content, crosswalk_file.name)
        by_id[file.stem] = _shipped_instrument(file.name, content, crosswalk)
        crosswalks[file.stem] = crosswalk
    return Instruments(by_id, digest.hexdigest()[:12], crosswalks)


@lru_cache(maxsize=8)
def _beside_shipped(extra: tuple[tuple[Path, tuple[int, int]], ...]) -> Instruments:
    shipped = _load_shipped()
    own: list[Instrument] = []
    for file, _ in extra:
        instrument = read_instrument(file)
        if any(instrument.id == other.id for other in own):
            raise DataFileError(f"{instrument.id!r} twice", wanted="every id once", where=f"{file.name}: id")
        own.append(instrument)
    return shipped.beside(own)


def _stamp(file: Path) -> tuple[int, int]:
    """Time and size of a file, so that an edited one is read again; (0, 0) for none, which reading then refuses."""
    try:
        status = file.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def read_instrument(file: Path) -> Instrument:
    """A user's own instrument: any family names, the crosswalk inside the file.

    Raises DataFileError naming file, item and field.
    """
    instrument = _validate(read_yaml(file), file.name)
    for code, weights in instrument.crosswalk.items():
        for skill_id in weights:
            _check_skill(skill_id, f"{file.name}: crosswalk: {code}")
    return instrument


def _shipped_instrument(name: str, content: bytes, crosswalk: Crosswalk) -> Instrument:
    document = parse_yaml(content, name)
    if "crosswalk" in document:
        raise DataFileError("a crosswalk", wanted="the crosswalk in crosswalks/, as CSV", where=f"{name}: crosswalk")
    weights = {code: {skill: entry.weight for skill, entry in row.items()} for code, row in crosswalk.items()}
    instrument = _validate({**document, "crosswalk": weights}, name)
    if name != f"{instrument.id}.yaml":
        raise DataFileError(f"id {instrument.id!r}", wanted="the file's own name", where=f"{name}: id")
    for item in instrument.items:
        if item.family is not None:
            check_family(item.family, f"{name}: {item.code}: family")
    return instrument


def _validate(document: Mapping[Any, Any], name: str) -> Instrument:
    try:
        return Instrument.model_validate(document)
    except ValidationError as error:
        raise first_error(error, document, name) from error


def read_crosswalk(content: bytes, name: str) -> Crosswalk:
    """A crosswalk CSV with the columns ``CROSSWALK_COLUMNS``; whether its items exist is the instrument's to check.

    Raises DataFileError naming file, line and column.
    """
    rows = csv.reader(content.decode("utf-8").splitlines())
    header = next(rows, [])
    if tuple(header) != CROSSWALK_COLUMNS:
        raise DataFileError(f"columns {header}", wanted=",".join(CROSSWALK_COLUMNS), where=f"{name}: line 1")
    crosswalk: dict[str, dict[str, CrosswalkEntry]] = {}
    for line, row in enumerate(rows, start=2):
        where = f"{name}: line {line}"
        if len(row) != len(CROSSWALK_COLUMNS):
            raise DataFileError(f"{len(row)} fields", wanted=f"{len(CROSSWALK_COLUMNS)} fields", where=where)
        item, skill_id, weight, confidence, provenance = row
        _check_skill(skill_id, f"{where}: skill_id")
        skills = crosswalk.setdefault(item, {})
        if skill_id in skills:
            raise DataFileError(f"{item} and {skill_id} twice", wanted="every pair once", where=where)
        skills[skill_id] = CrosswalkEntry(
            _weight(weight, f"{where}: weight"), _confidence(confidence, f"{where}: confidence"), provenance
        )
    return crosswalk


def _weight(text: str, where: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = float("nan")
    if not 0 < weight <= 1:
        raise DataFileError(repr(text), wanted="a weight above 0 and at most 1", where=where)
    return weight


def _confidence(text: str, where: str) -> Confidence:
    for confidence in get_args(Confidence):
        if text == confidence:
            return text  # type: ignore[return-value]
    raise DataFileError(repr(text), wanted=", ".join(get_args(Confidence)), where=where)


def _check_skill(skill_id: str, where: str) -> None:
    catalogue = load_catalogue()
    if skill_id not in catalogue:
        near = get_close_matches(skill_id, catalogue.ids, n=1)
        way_out = f"Did you mean {near[0]}?" if near else "`growth skills` lists them."
        raise DataFileError(repr(skill_id), wanted="the id of a skill", way_out=way_out, where=where)


def _own_crosswalk(instrument: Instrument) -> Crosswalk:
    return {
        code: {skill: CrosswalkEntry(weight, _OWN_CONFIDENCE, _OWN_PROVENANCE) for skill, weight in weights.items()}
        for code, weights in instrument.crosswalk.items()
    }
