"""Imports files of another system into one score table: read, cleaned of names, deduplicated, checked and written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import pandas as pd
from rich.console import Console

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.instruments import load_instruments
from recommender.errors import DataFileError, SettingsError
from recommender.exchange import district_sheets, grow_json, segment_wide, teach_wide
from recommender.exchange.imported import NOT_SCORED, ROWS, Imported
from recommender.exchange.observation_files import read_observations
from recommender.exchange.pseudonyms import Pseudonyms, read_pseudonyms, redacted
from recommender.exchange.rejects import Reject, RejectsFile
from recommender.exchange.row_checks import MAX_NOTE_CHARACTERS, read_id
from recommender.exchange.score_files import WRITTEN_COLUMNS, appended, check_score_output, row_hashes, write_scores
from recommender.exchange.score_schema import check_score_table
from recommender.observations import scores as table

FORMAL = "formal, left out (--include-formal takes them)"
DUPLICATES = "duplicates"
CORRECTED = "corrected"


class ImportFormat(StrEnum):
    """The shapes that can be imported."""

    CANONICAL = "canonical"
    DISTRICT = "district"
    GROW = "grow"
    TEACH = "teach"
    SEGMENTS = "segments"
    ED_FI = "ed-fi"


def import_format(name: str) -> ImportFormat:
    """The format of a name. Raises SettingsError for an unknown one."""
    try:
        return ImportFormat(name)
    except ValueError:
        raise SettingsError(f"the format {name!r}", wanted=f"one of {', '.join(ImportFormat)}") from None


_READ_ONE = {
    ImportFormat.DISTRICT: district_sheets.read,
    ImportFormat.TEACH: teach_wide.read,
    ImportFormat.SEGMENTS: segment_wide.read,
}


@dataclass(frozen=True)
class ImportRequest:
    """What to import, how and whereto; ``instruments`` are YAML files of the user's own rubrics.

    ``tenant`` goes to rows that have none. ``include_formal``: formal evaluations are left out by default, because the
    ranking is for growth only. ``append``: keep what ``output`` holds.
    """

    files: Sequence[Path]
    file_format: ImportFormat
    output: Path
    mapping: Path | None = None
    instruments: Sequence[Path] = ()
    tenant: str = ""
    include_formal: bool = False
    key_file: Path | None = None
    append: bool = False


@dataclass(frozen=True)
class ImportCounts:
    """``usable``: scores that are in the output now, new or not; ``new``: added by this run; ``refused``: rejects."""

    usable: int
    new: int
    refused: int


def import_file(request: ImportRequest, console: Console) -> ImportCounts:
    """Import and say on ``console`` what was done; refused rows are listed in ``<output>.rejects.jsonl``.

    The output appears whole or stays as it was; it stays, too, when no score is usable. Importing the same rows again
    changes nothing. Raises DataFileError or SettingsError when nothing can be read or written.
    """
    _check_request(request)
    instruments = load_instruments(tuple(request.instruments))
    imported = _read(request, instruments, read_pseudonyms(request.key_file))
    counts = Counter(imported.counts)
    scores = _cleaned(imported.scores, request, counts)
    usable = len(scores)
    check_score_table(scores, f"{request.file_format} import")
    with RejectsFile(request.output) as rejects:
        for reject in imported.rejects:
            rejects.write(reject)
        new = _write(scores, request, instruments, counts) if usable else 0
    _say(console, new, counts, imported, rejects)
    return ImportCounts(usable, new, rejects.count)


def _check_request(request: ImportRequest) -> None:
    check_score_output(request.output)
    if not request.files:
        raise SettingsError("no file", wanted="at least one file to import")
    if request.output.resolve() in [path.resolve() for path in request.files]:
        raise DataFileError(
            "the output among the files to import",
            wanted="another file",
            way_out="Name another --output.",
            where=str(request.output),
        )
    has_map = request.mapping is not None
    if request.file_format is ImportFormat.CANONICAL and has_map:
        raise SettingsError("a map for canonical files", wanted="no --map: their columns are known")
    if request.file_format not in (ImportFormat.CANONICAL, ImportFormat.ED_FI) and not has_map:
        raise SettingsError(f"no map for {request.file_format} files", wanted="--map MAP.yaml")


def _read(request: ImportRequest, instruments: Mapping[str, Instrument], pseudonyms: Pseudonyms) -> Imported:
    files, mapping = request.files, request.mapping
    if request.file_format is ImportFormat.ED_FI:
        from recommender.exchange import ed_fi

        return ed_fi.read(files, instruments, mapping, pseudonyms)
    if request.file_format is ImportFormat.CANONICAL:
        return _read_each(files, lambda path: _read_canonical(path, instruments, pseudonyms))
    assert mapping is not None  # _check_request saw to it
    if request.file_format is ImportFormat.GROW:
        return grow_json.read(files, instruments, mapping, pseudonyms)
    read_one = _READ_ONE[request.file_format]
    return _read_each(files, lambda path: read_one(path, instruments, mapping, pseudonyms))


def _read_canonical(path: Path, instruments: Mapping[str, Instrument], pseudonyms: Pseudonyms) -> Imported:
    file = read_observations(path, instruments, pseudonyms)
    return Imported(file.scores, file.rejects, {ROWS: file.rows, NOT_SCORED: file.not_scored}, file.unread_columns)


def _read_each(files: Sequence[Path], read_one: Callable[[Path], Imported]) -> Imported:
    """All files in one; with more than one, a reject's field is preceded by the file's name."""
    parts = [read_one(path) for path in files]
    rejects: list[Reject] = []
    counts: Counter[str] = Counter()
    unread: dict[str, None] = {}
    for path, part in zip(files, parts, strict=True):
        prefix = f"{path.name}: " if len(files) > 1 else ""
        rejects += [replace(reject, field=prefix + reject.field) for reject in part.rejects]
        counts.update(part.counts)
        unread |= dict.fromkeys(part.unread_columns)
    return Imported(pd.concat([part.scores for part in parts], ignore_index=True), rejects, dict(counts), list(unread))


def _cleaned(scores: pd.DataFrame, request: ImportRequest, counts: Counter[str]) -> pd.DataFrame:
    """The scores to keep, with every column a written table has."""
    if not request.include_formal:
        is_formal = scores[table.OBSERVATION_TYPE] == "formal"
        counts[FORMAL] = int(is_formal.sum())
        scores = scores[~is_formal]
    scores = scores.reset_index(drop=True)
    if request.tenant:
        tenant = read_id(table.TENANT, request.tenant, Pseudonyms())
        scores[table.TENANT] = scores[table.TENANT].where(scores[table.TENANT] != "", tenant)
    # "[e-mail]" is longer than the shortest addresses.
    notes = {note: redacted(note)[:MAX_NOTE_CHARACTERS] for note in scores[table.NOTE].unique()}
    scores[table.NOTE] = scores[table.NOTE].map(notes).astype(str)
    source = scores[table.SOURCE_SYSTEM] if table.SOURCE_SYSTEM in scores else pd.Series("", index=scores.index)
    scores[table.SOURCE_SYSTEM] = source.fillna("").replace("", str(request.file_format)).astype(str)
    scores[table.SOURCE_ROW_HASH] = pd.Series(row_hashes(scores), index=scores.index, dtype=str)
    is_again = scores.duplicated(table.SOURCE_ROW_HASH)
    counts[DUPLICATES] = int(is_again.sum())
    return scores.loc[~is_again, list(WRITTEN_COLUMNS)].reset_index(drop=True)


def _write(
    scores: pd.DataFrame, request: ImportRequest, instruments: Mapping[str, Instrument], counts: Counter[str]
) -> int:
    if not request.append or not request.output.exists():
        write_scores(scores, request.output)
        return len(scores)
    existing = _existing(request.output, instruments)
    together, known, corrected = appended(existing, scores)
    counts[DUPLICATES] += known
    counts[CORRECTED] = corrected
    write_scores(together, request.output)
    return len(scores) - known


def _existing(output: Path, instruments: Mapping[str, Instrument]) -> pd.DataFrame:
    file = read_observations(output, instruments)
    if file.rejects:
        first = file.rejects[0]
        raise DataFileError(
            f"{len(file.rejects)} rows that cannot be kept (the first: {first.field} is {first.found})",
            wanted="a score table to append to",
            way_out="Give its own rubrics with --instrument, or import into another file.",
            where=f"{output}: line {first.line}",
        )
    scores = file.scores
    if table.SOURCE_SYSTEM not in scores:
        scores[table.SOURCE_SYSTEM] = pd.Series("", index=scores.index, dtype=str)
    scores[table.SOURCE_ROW_HASH] = pd.Series(row_hashes(scores), index=scores.index, dtype=str)
    return scores


def _say(
    console: Console,
    new: int,
    counts: Mapping[str, int],
    imported: Imported,
    rejects: RejectsFile,
) -> None:
    said = [f"{counts[ROWS]} rows read", f"{new} scores imported", f"{counts[NOT_SCORED]} not scored"]
    said += [f"{number} {words}" for words, number in counts.items() if number and words not in (ROWS, NOT_SCORED)]
    refused = f"{rejects.count} refused" + (f": see {rejects.path}" if rejects.count else "")
    console.print("; ".join([*said, refused]), highlight=False, markup=False, soft_wrap=True)
    if imported.unread_columns:
        names = ", ".join(imported.unread_columns)
        console.print(f"Columns nothing was taken from: {names}", highlight=False, markup=False, soft_wrap=True)
