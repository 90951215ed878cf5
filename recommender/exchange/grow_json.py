"""Imports Grow (Whetstone) observations from the JSON of its API; names, addresses and private notes stay behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.errors import DataFileError, ScoreError
from recommender.exchange.grow_notes import observation_note
from recommender.exchange.grow_objects import GrowFile, identity, member, members, read_grow_file
from recommender.exchange.grow_reading import GrowReading
from recommender.exchange.import_maps import GrowMap, folded, instrument_of, observation_kind, read_map
from recommender.exchange.imported import NOT_SCORED, ROWS, Imported
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.raw_tables import object_array, raw_table
from recommender.exchange.rejects import Reject
from recommender.exchange.row_checks import CellProblem, check_rows
from recommender.exchange.value_checks import FIELD, check_values
from recommender.exchange.wide_scores import NOTES_CUT, short_notes
from recommender.observations import scores as table

OLDER_COPIES = "older copies of an observation"
ARCHIVED = "archived observations"
UNPUBLISHED = "unpublished observations"
PRIVATE = "private observations"
OTHER_RUBRICS = "observations by rubrics the map leaves out"
OTHER_MEASUREMENTS = "scores of measurements the map leaves out"
UNKNOWN_KIND = "observations of an unknown type"

_MEASUREMENT, _VALUE = "observationScores.measurement", "observationScores.valueScore"
_NAMES = {
    table.TEACHER: "teacher",
    table.VISIT: "_id",
    table.OBSERVED_ON: "observedAt",
    table.OBSERVER: "observer",
    table.SCHOOL: "teachingAssignment.school",
    table.OBSERVATION_TYPE: "observationType",
}


def read(
    paths: Sequence[Path],
    instruments: Mapping[str, Instrument],
    mapping: Path,
    pseudonyms: Pseudonyms | None = None,
    today: date | None = None,
) -> Imported:
    """Import files of observations, and of measurements and rubrics beside them, as the YAML map says (see GrowMap).

    Of several copies of an observation the one last modified counts; archived, unpublished and private ones are left
    out. A null valueScore is no score. A measurement is found in the map by id or name, or else by a name that is, or
    starts with, an item's code, or is its label. Glows, grows and shared notes become the note of every score of the
    observation. ``line`` of a reject is the observation's place in its file.

    Raises DataFileError for a file or map that cannot be used.
    """
    grow_map = read_map(mapping, GrowMap)
    _check_map(grow_map, instruments, mapping.name)
    files = [read_grow_file(path) for path in paths]
    names = {measurement: name for file in files for measurement, name in file.measurement_names.items()}
    reading = GrowReading(grow_map, instruments, names, pseudonyms or Pseudonyms())
    counts: Counter[str] = Counter({ROWS: sum(len(file.observations) for file in files), NOT_SCORED: 0})
    usable = _usable(files, counts)
    parts, rejects = [], []
    holders = [path.name for path, file in zip(paths, files, strict=True) if file.observations or file.rejects]
    for path, file, observations in zip(paths, files, usable, strict=True):
        scores, refused = _read_file(observations, reading, counts, today)
        parts.append(scores)
        prefix = f"{path.name}: " if len(holders) > 1 else ""
        rejects += [Reject(each.line, prefix + each.field, each.found, each.wanted) for each in file.rejects + refused]
    if not counts[ROWS]:
        raise DataFileError("no observation", wanted="objects with observationScores", where=str(paths[0]))
    return Imported(pd.concat(parts, ignore_index=True), rejects, dict(counts))


def _check_map(grow_map: GrowMap, instruments: Mapping[str, Instrument], where: str) -> None:
    ids = [each for each in (grow_map.instrument, *grow_map.rubrics.values()) if each is not None]
    if not ids:
        raise DataFileError("no instrument", wanted="`instrument`, or one for each of `rubrics`", where=where)
    named = [instrument_of(each, instruments, where) for each in ids]
    for measurement, code in grow_map.measurements.items():
        if code is not None and not any(code in instrument.by_code for instrument in named):
            place = f"{where}: measurements: {measurement}"
            raise DataFileError(f"the item {code!r}", wanted="an item of the instrument", where=place)


def _usable(files: Sequence[GrowFile], counts: Counter[str]) -> list[list[tuple[int, dict[str, Any]]]]:
    """Of every file the observations that count; the newest copy decides whether an observation does."""
    newest: dict[str, tuple[str, int, int]] = {}
    for number, file in enumerate(files):
        for place, (_, observation) in enumerate(file.observations):
            key = member(observation, "_id")
            if isinstance(key, str):
                modified = member(observation, "lastModified")
                stamp = (modified if isinstance(modified, str) else "", number, place)
                newest[key] = max(newest.get(key, stamp), stamp)
    usable: list[list[tuple[int, dict[str, Any]]]] = []
    for number, file in enumerate(files):
        usable.append([])
        for place, (line, observation) in enumerate(file.observations):
            key = member(observation, "_id")
            if isinstance(key, str) and newest[key][1:] != (number, place):
                counts[OLDER_COPIES] += 1
            elif member(observation, "archivedAt") is not None:
                counts[ARCHIVED] += 1
            elif member(observation, "isPublished") is not True:
                counts[UNPUBLISHED] += 1
            elif member(observation, "isPrivate") not in (None, False):
                counts[PRIVATE] += 1
            else:
                usable[-1].append((line, observation))
    return usable


def _read_file(
    observations: Sequence[tuple[int, dict[str, Any]]], reading: GrowReading, counts: Counter[str], today: date | None
) -> tuple[pd.DataFrame, list[Reject]]:
    rejects: list[Reject] = []
    kept: list[tuple[int, dict[str, Any], Instrument]] = []
    for line, observation in observations:
        try:
            instrument = reading.instrument(observation)
        except ScoreError as error:
            rejects.append(Reject(line, "rubric", error.found, error.wanted))
            continue
        if instrument is None:
            counts[OTHER_RUBRICS] += 1
        else:
            kept.append((line, observation, instrument))
    rows, refused = _read_observations([(line, each) for line, each, _ in kept], reading, counts, today)
    scores, bad_scores = _read_scores(rows, kept, reading, counts)
    return scores, sorted([*rejects, *refused, *bad_scores], key=lambda reject: reject.line)


def _read_observations(
    observations: Sequence[tuple[int, dict[str, Any]]], reading: GrowReading, counts: Counter[str], today: date | None
) -> tuple[pd.DataFrame, list[Reject]]:
    cells: dict[str, list[object]] = {column: [] for column in (*_NAMES, table.OBSERVER_ROLE, table.NOTE)}
    for _, each in observations:
        teacher, observer = reading.person("teacher", each.get("teacher")), each.get("observer")
        is_self = identity(observer) is not None and identity(observer) == identity(each.get("teacher"))
        cells[table.TEACHER].append(teacher)
        cells[table.VISIT].append(_text(each.get("_id")))
        cells[table.OBSERVED_ON].append(_text(each.get("observedAt")))
        cells[table.OBSERVER].append(reading.person("observer", observer))
        cells[table.SCHOOL].append(reading.person("school", member(each.get("teachingAssignment"), "school")))
        cells[table.OBSERVATION_TYPE].append(_kind(each.get("observationType"), reading, counts))
        cells[table.OBSERVER_ROLE].append("self" if is_self else "")
        cells[table.NOTE].append(observation_note(each))
    cells[table.NOTE], notes_cut = short_notes(cells[table.NOTE])
    if notes_cut:
        counts[NOTES_CUT] += notes_cut
    return check_rows(raw_table([line for line, _ in observations], cells), reading.pseudonyms, _NAMES, today=today)


def _read_scores(
    rows: pd.DataFrame,
    kept: Sequence[tuple[int, dict[str, Any], Instrument]],
    reading: GrowReading,
    counts: Counter[str],
) -> tuple[pd.DataFrame, list[Reject]]:
    positions: list[int] = []
    cells: dict[str, list[object]] = {table.INSTRUMENT: [], table.ITEM: [], table.VALUE: []}
    rejects: list[Reject] = []
    for position in rows.index:
        line, observation, instrument = kept[position]
        for score in members(observation, "observationScores"):
            if not isinstance(score, dict):
                continue
            try:
                code = reading.item(score.get("measurement"), instrument)
            except ScoreError as error:
                rejects.append(Reject(line, _MEASUREMENT, error.found, error.wanted))
                continue
            if code is None or code not in instrument.by_code:
                counts[OTHER_MEASUREMENTS] += 1
                continue
            positions.append(position)
            cells[table.INSTRUMENT].append(instrument.id)
            cells[table.ITEM].append(code)
            cells[table.VALUE].append(reading.value(score, instrument, code))
    long = rows.loc[positions].reset_index(drop=True)
    for column, values in cells.items():
        long[column] = pd.Series(object_array(values), dtype=object)
    long[FIELD] = _VALUE
    scores, refused, not_scored = check_values(long, reading.instruments)
    counts[NOT_SCORED] += not_scored
    return scores, rejects + refused


def _kind(cell: object, reading: GrowReading, counts: Counter[str]) -> object:
    name = member(cell, "name") or identity(cell)
    words = folded(reading.grow_map.observation_types)
    kind = observation_kind(name, words)
    if name is None or (not words and kind not in get_args(table.ObservationType)):
        counts[UNKNOWN_KIND] += 1
        return ""
    return kind


def _text(cell: object) -> object:
    if cell is None or isinstance(cell, str):
        return cell
    return CellProblem(f"a value of type {type(cell).__name__}", "text")
