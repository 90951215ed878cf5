"""The rules every source-hashed real row keeps: where it comes from, how long it is, its labels, and that it is new.

A rule is a function that yields findings. A finding names file, line, row and figures, never a row's text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recommender.catalogue.loader import load_catalogue
from recommender.errors import DataFileError
from recommender.training.corpus import (
    DATA_FOLDER,
    REAL,
    REAL_DEV,
    REAL_TRAIN,
    SCREENING,
    WRITTEN,
    Row,
    is_address_hash,
    load_rows,
)
from recommender.training.data_copies import PlacedRow, near_copies, shared_runs
from recommender.training.stored_vectors import StoredVectors

# SHA-256 of the normalised address of every page read before real_grown.jsonl was gathered, one a line.
USED_SOURCES = DATA_FOLDER / "used_sources.sha256"

# One page is one voice and one set of readers: more of its rows would teach the page, not the skill.
MOST_ROWS_OF_ONE_SOURCE = 6
FEWEST_WORDS, MOST_WORDS = 12, 130
MOST_OF_ONE_TOPIC = 0.12
# How many skills one labeller may give a grade; the first grade is given to exactly one.
MOST_OF_GRADE = {2: 3, 1: 4}
WRITTEN_PREFIX = "written:"


@dataclass(frozen=True)
class Finding:
    """One broken rule. ``line`` (from 1) and ``row_id`` are None where a whole file breaks it."""

    file: str
    line: int | None
    row_id: str | None
    rule: str
    found: str
    wanted: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        row = f" {self.row_id}:" if self.row_id is not None else ""
        return f"{place}:{row} {self.rule}: found {self.found}; wanted {self.wanted}"


@dataclass(frozen=True)
class DataFiles:
    """The files by their part in the rules; by default the project's own, from the lists in ``corpus``."""

    grown: tuple[Path, ...] = field(default_factory=lambda: tuple(file for file in REAL if file != REAL_TRAIN))
    older: tuple[Path, ...] = (REAL_TRAIN,)
    development: tuple[Path, ...] = (REAL_DEV,)
    screening: tuple[Path, ...] = SCREENING
    written: tuple[Path, ...] = (WRITTEN,)
    used_sources: Path = USED_SOURCES


def check_data(files: DataFiles | None = None, vectors: StoredVectors | None = None) -> list[Finding]:
    """Every broken rule, in the order of the rules and then of the rows; empty when the data keep them all.

    A file that does not parse is one finding and the rest is still checked. ``vectors`` default to the stored ones.
    Raises DataFileError when the list of used sources is broken.
    """
    files = files or DataFiles()
    findings: list[Finding] = []

    def placed(group: tuple[Path, ...]) -> list[PlacedRow]:
        return [row for file in group for row in _read(file, findings)]

    written, screening, older, development, grown = map(
        placed, (files.written, files.screening, files.older, files.development, files.grown)
    )
    hashed_screening = [one for one in screening if is_address_hash(one.row.source)]
    new = [*grown, *hashed_screening]
    others = [*written, *screening, *older, *development]
    findings += ids_used_once([*others, *grown])
    findings += sources_are_hashes(grown)
    findings += screening_sources_are_known([one for one in screening if not is_address_hash(one.row.source)])
    findings += few_rows_of_one_source([*older, *development, *new])
    findings += sources_are_new(new, read_used_sources(files.used_sources), [*older, *development])
    findings += lengths_in_range([*older, *development, *grown])
    findings += no_topic_too_large(grown)
    findings += labels_are_complete(grown)
    findings += no_near_copies(grown, others, StoredVectors.load() if vectors is None else vectors)
    findings += no_shared_runs(grown, others)
    return findings


def read_used_sources(file: Path = USED_SOURCES) -> frozenset[str]:
    """Address hashes already used. Raises DataFileError with the line that is not one."""
    lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if not is_address_hash(line):
            raise DataFileError("another line", wanted="64 hex digits", where=f"{file.name}:{number}")
    return frozenset(lines)


def ids_used_once(rows: Iterable[PlacedRow]) -> Iterator[Finding]:
    """No id stands twice over all files."""
    first: dict[str, PlacedRow] = {}
    for one in rows:
        earlier = first.setdefault(one.row.id, one)
        if earlier is not one:
            yield _broken(one, "id used once", f"the id of {earlier}", "an id of its own")


def sources_are_hashes(rows: Iterable[PlacedRow]) -> Iterator[Finding]:
    """Every source is the SHA-256 of a page's address."""
    for one in rows:
        if not is_address_hash(one.row.source):
            yield _broken(one, "source is a hash", f"{len(one.row.source)} other characters", "64 hex digits")


def screening_sources_are_known(rows: Iterable[PlacedRow]) -> Iterator[Finding]:
    """A screening text whose source is no address hash was written for the project and says so."""
    for one in rows:
        if not one.row.source.startswith(WRITTEN_PREFIX):
            wanted = f"64 hex digits or {WRITTEN_PREFIX}..."
            yield _broken(one, "source is a hash", f"{len(one.row.source)} other characters", wanted)


def few_rows_of_one_source(rows: Iterable[PlacedRow]) -> Iterator[Finding]:
    """At most ``MOST_ROWS_OF_ONE_SOURCE`` rows of one page over all real files; later rows are found."""
    count: Counter[str] = Counter()
    for one in rows:
        if not is_address_hash(one.row.source):
            continue
        count[one.row.source] += 1
        if count[one.row.source] > MOST_ROWS_OF_ONE_SOURCE:
            found = f"row {count[one.row.source]} of one source"
            yield _broken(one, "few rows of one source", found, f"{MOST_ROWS_OF_ONE_SOURCE} or fewer")


def sources_are_new(rows: Iterable[PlacedRow], used: frozenset[str], older: Iterable[PlacedRow]) -> Iterator[Finding]:
    """No page was read before: it is not in the list of used ones and no older real row came from it."""
    holder = {one.row.source: one for one in older if is_address_hash(one.row.source)}
    for one in rows:
        if one.row.source in holder:
            yield _broken(one, "source is new", f"the source of {holder[one.row.source]}", "a page not read before")
        elif one.row.source in used:
            yield _broken(one, "source is new", "a source in the list of used ones", "a page not read before")


def lengths_in_range(rows: Iterable[PlacedRow]) -> Iterator[Finding]:
    """Each text has ``FEWEST_WORDS`` to ``MOST_WORDS`` words, split at blanks."""
    for one in rows:
        words = len(one.row.text.split())
        if not FEWEST_WORDS <= words <= MOST_WORDS:
            yield _broken(one, "length", f"{words} words", f"{FEWEST_WORDS} to {MOST_WORDS}")


def no_topic_too_large(rows: Sequence[PlacedRow]) -> Iterator[Finding]:
    """No skill is the first labeller's first skill in more than ``MOST_OF_ONE_TOPIC`` of the rows."""
    files = ", ".join(dict.fromkeys(one.file for one in rows))
    for topic, share in topic_shares([one.row for one in rows]).items():
        if share > MOST_OF_ONE_TOPIC:
            found = f"{topic} first in {share:.1%} of {len(rows)} rows"
            yield Finding(files, None, None, "no topic too large", found, f"at most {MOST_OF_ONE_TOPIC:.0%}")


def labels_are_complete(rows: Iterable[PlacedRow]) -> Iterator[Finding]:
    """Two labellers; each starts with exactly one skill and names few others (``MOST_OF_GRADE``)."""
    for one in rows:
        if len(one.row.labels) != 2:
            yield _broken(one, "labels", f"{len(one.row.labels)} labellers", "2")
        for number, labels in enumerate(one.row.labels, start=1):
            count = Counter(labels.values())
            if count[3] != 1:
                yield _broken(one, "labels", f"{count[3]} skills of grade 3 by labeller {number}", "exactly 1")
            for grade, most in MOST_OF_GRADE.items():
                if count[grade] > most:
                    found = f"{count[grade]} skills of grade {grade} by labeller {number}"
                    yield _broken(one, "labels", found, f"at most {most}")


def no_near_copies(rows: Sequence[PlacedRow], others: Sequence[PlacedRow], vectors: StoredVectors) -> Iterator[Finding]:
    """No row tells another row's story in nearly its words (``data_copies.near_copies``)."""
    for copy in near_copies(rows, others, vectors):
        cosine = f"over {copy.limit:.2f}" if copy.cosine is None else f"{copy.cosine:.3f}"
        found = f"{copy.measure} cosine {cosine} with {copy.other}"
        yield _broken(copy.one, "near copy", found, f"at most {copy.limit:.2f}")


def no_shared_runs(rows: Sequence[PlacedRow], others: Sequence[PlacedRow]) -> Iterator[Finding]:
    """No row shares a run of words with another row (``data_copies.shared_runs``)."""
    for one, other, length in shared_runs(rows, others):
        yield _broken(one, "shared run of words", f"a run of {length} words of {other}", "none")


def first_skill(labels: Mapping[str, int]) -> str | None:
    """The skill one labeller would start with: the first they gave grade 3, None where there is none."""
    return next((skill_id for skill_id, grade in labels.items() if grade == 3), None)


def topic_shares(rows: Sequence[Row]) -> dict[str, float]:
    """Share of the rows whose first labeller starts with a skill, largest first, equal ones by name."""
    return _shares([first_skill(row.labels[0]) for row in rows if row.labels], len(rows))


def domain_shares(rows: Sequence[Row]) -> dict[str, float]:
    """``topic_shares`` summed over the skills of each domain."""
    domain = {skill.id: skill.domain for skill in load_catalogue()}
    first = [first_skill(row.labels[0]) for row in rows if row.labels]
    return _shares([skill_id and domain[skill_id] for skill_id in first], len(rows))


def _shares(names: Sequence[str | None], total: int) -> dict[str, float]:
    count = Counter(name for name in names if name is not None)
    return {name: n / total for name, n in sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))}


def _read(file: Path, findings: list[Finding]) -> list[PlacedRow]:
    """The file's rows; one that does not parse adds a finding and counts as empty."""
    try:
        return [PlacedRow(file.name, line, row) for line, row in enumerate(load_rows(file), start=1)]
    except DataFileError as error:
        # "name:line: field" for a row, the bare name for the file.
        line = re.match(r":(\d+): ?(.*)", error.where.removeprefix(file.name))
        found = f"{line[2]}: {error.found}" if line and line[2] else error.found
        findings.append(Finding(file.name, int(line[1]) if line else None, None, "row parses", found, error.wanted))
        return []


def _broken(one: PlacedRow, rule: str, found: str, wanted: str) -> Finding:
    return Finding(one.file, one.line, one.row.id, rule, found, wanted)
