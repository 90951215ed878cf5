"""From one row an observation with a column an item, as spreadsheets and research files have it, to one row a score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.raw_scores import fold_label
from recommender.errors import DataFileError, ScoreError
from recommender.exchange.imported import NOT_SCORED, ROWS, Imported
from recommender.exchange.pseudonyms import redacted
from recommender.exchange.raw_tables import object_array
from recommender.exchange.rejects import WHOLE_ROW, Reject
from recommender.exchange.row_checks import MAX_NOTE_CHARACTERS, CellProblem, ParseDate, iso_date, plain_text, tidy_note
from recommender.exchange.sheet_rows import SheetRow
from recommender.exchange.value_checks import FIELD, ReadValue, check_values
from recommender.observations import scores as table

NOTES_CUT = f"notes cut to {MAX_NOTE_CHARACTERS} characters"


@dataclass(frozen=True)
class ItemColumn:
    """One column of scores: its position in the file, the name it has there, its item, and its segment.

    ``segment`` None: the row says which one.
    """

    position: int
    name: str
    item: str
    segment: int | None = None


@dataclass(frozen=True)
class Sheet:
    """Rows of one width under one header; ``lines`` and ``cells`` belong together, ``rejects`` are broken rows."""

    lines: list[int]
    cells: list[list[object]]
    rejects: list[Reject]

    def column(self, position: int) -> list[object]:
        """The cells of one column."""
        return [row[position] for row in self.cells]


def body(rows: Sequence[SheetRow | Reject], width: int) -> Sheet:
    """Rows brought to ``width``: short ones get blank cells, longer ones are refused unless the rest is blank."""
    sheet = Sheet([], [], [])
    for row in rows:
        if isinstance(row, Reject):
            sheet.rejects.append(row)
        elif any(not is_blank(cell) for cell in row.cells[width:]):
            wanted = f"at most {width}, as many as columns are named"
            sheet.rejects.append(Reject(row.line, WHOLE_ROW, f"{len(row.cells)} cells", wanted))
        else:
            cells = ["" if cell is None else cell for cell in row.cells[:width]]
            sheet.lines.append(row.line)
            sheet.cells.append(cells + [""] * (width - len(cells)))
    return sheet


def positions_of(headers: Mapping[str, str], header: Sequence[object], where: str) -> dict[str, int]:
    """Position of each wanted header, without regard to case and spacing; ``headers``: any name -> header.

    Raises DataFileError for one that is not there or there twice; only the wanted header is named.
    """
    found = [fold_label(str(cell)) for cell in header]
    times = Counter(found)
    positions = {}
    for name, wanted in headers.items():
        folded = fold_label(wanted)
        if times[folded] != 1:
            raise DataFileError(
                f"{times[folded] or 'no'} columns {wanted!r}",
                wanted="one column of this name",
                way_out="Check the map against the row of the file that names the columns.",
                where=where,
            )
        positions[name] = found.index(folded)
    return positions


def import_wide(
    sheet: Sheet,
    rows: pd.DataFrame,
    row_rejects: Sequence[Reject],
    columns: Sequence[ItemColumn],
    instrument: Instrument,
    read_value: ReadValue,
) -> Imported:
    """One score a good row and item column; ``rows`` are what ``check_rows`` left, indexed by position in the sheet."""
    kept = rows.index.to_numpy()
    cells = np.empty((len(kept), len(columns)), dtype=object)
    for number, column in enumerate(columns):
        cells[:, number] = object_array(sheet.column(column.position))[kept]
    long = rows.loc[rows.index.repeat(len(columns))].reset_index(drop=True)
    long[table.VALUE] = pd.Series(cells.ravel(), dtype=object)
    long[table.INSTRUMENT] = instrument.id
    long[table.ITEM] = np.tile(object_array([column.item for column in columns]), len(kept))
    segments = np.tile(np.array([-1 if each.segment is None else each.segment for each in columns]), len(kept))
    long[table.SEGMENT] = long[table.SEGMENT].where(segments < 0, segments)
    long[FIELD] = np.tile(object_array([column.name for column in columns]), len(kept))
    scores, value_rejects, not_scored = check_values(long, {instrument.id: instrument}, read_value)
    rejects = sorted([*sheet.rejects, *row_rejects, *value_rejects], key=lambda reject: reject.line)
    return Imported(scores, rejects, {ROWS: len(sheet.lines) + len(sheet.rejects), NOT_SCORED: not_scored})


def mapped_cells(sheet: Sheet, positions: Mapping[str, int]) -> tuple[dict[str, list[object]], int]:
    """The cells of the columns at ``positions`` by name, notes made fit, and how many notes were too long."""
    columns = {name: sheet.column(position) for name, position in positions.items()}
    notes_cut = 0
    if table.NOTE in columns:
        columns[table.NOTE], notes_cut = short_notes(columns[table.NOTE])
    return columns, notes_cut


def short_notes(cells: Sequence[object]) -> tuple[list[object], int]:
    """Notes fit for a score table, and how many were too long; a cell that could not be read is no note.

    Addresses and telephone numbers are taken out before a note is cut, which could leave half of one.
    """
    notes = [redacted(tidy_note("" if isinstance(cell, CellProblem) else str(cell))) for cell in cells]
    cut = sum(len(note) > MAX_NOTE_CHARACTERS for note in notes)
    return [note[:MAX_NOTE_CHARACTERS].rstrip() for note in notes], cut


def date_reader(pattern: str | None) -> ParseDate:
    """Reads real dates, ISO 8601 text and, where a ``pattern`` (strptime) is given, text written like that."""
    if pattern is None:
        return iso_date

    def read(cell: object) -> date:
        if not isinstance(cell, str):
            return _real_date(cell)
        try:
            return datetime.strptime(plain_text(cell).strip(), pattern).date()
        except ValueError:
            raise ScoreError("no date written like that", wanted=f"a date written {pattern}") from None

    return read


def _real_date(cell: object) -> date:
    if isinstance(cell, CellProblem):
        raise cell.error()
    if not isinstance(cell, date):
        raise ScoreError("no date", wanted="a date")
    return iso_date(cell)


def is_blank(cell: object) -> bool:
    """Whether a cell holds nothing a person sees."""
    return cell is None or (isinstance(cell, str) and not cell.strip())
