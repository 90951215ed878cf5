"""Writes the card of the training data from the files themselves; nothing in it is counted by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import yaml

from recommender.catalogue.loader import _SAFE_LOADER, Catalogue, load_catalogue
from recommender.catalogue.subjects import SUBJECTS
from recommender.training.corpus import DATA_FOLDER, REAL, REAL_DEV, SCREENING, WRITTEN, Row, is_address_hash, load_rows
from recommender.training.data_rules import first_skill
from recommender.training.intervals import Interval, bootstrap_mean
from recommender.training.report import SLICES, as_data, interval

CARD_FILE = DATA_FOLDER / "README.md"
# The sentences no count can make. Kept as data beside the code.
TEXT_FILE = Path(__file__).parent / "data_card_text.yaml"

RANKED = (WRITTEN, *REAL, REAL_DEV)
STATUSES = ("rankable", "out_of_scope", "not_enough", "safeguarding")
GRADE_BANDS = ("elementary", "middle", "high", "unknown")
LENGTHS = ("under 40 words", "40 to 79 words", "80 words and more")

# Pairs with fewer cases split or not by the luck of one row.
FEWEST_CASES = 5
SPLIT_SHARE = 1 / 3
# Where few pairs split that often, those that come nearest are shown too.
FEWEST_PAIRS_SHOWN = 5
# Rows from which a skill's figures begin to say something.
WELL_COVERED = 10


@dataclass(frozen=True)
class SplitPair:
    """Two skills and how often the two labellers choose differently between them: ``split`` of ``cases``."""

    first: str
    second: str
    cases: int
    split: int

    @property
    def is_unsettled(self) -> bool:
        """Whether the labellers differ in more than ``SPLIT_SHARE`` of the cases."""
        return self.split > SPLIT_SHARE * self.cases


def write_data_card(file: Path = CARD_FILE) -> None:
    """Write the card to ``file``; the same data give the same bytes."""
    file.write_text(data_card(), encoding="utf-8", newline="\n")


def data_card() -> str:
    """The card as Markdown."""
    text: dict[str, str] = yaml.load(TEXT_FILE.read_text(encoding="utf-8"), Loader=_SAFE_LOADER)
    catalogue = load_catalogue()
    ranked = {file.name: load_rows(file) for file in RANKED}
    screening = {file.name: load_rows(file) for file in SCREENING}
    real = [row for file in REAL for row in load_rows(file)]
    covered = rows_a_skill(real)
    sections = [
        "# The training data",
        text["summary"].strip(),
        *_titled("Where it comes from", text["origin"], text["development"], text["grades"]),
        *_titled("Files", _files({**ranked, **screening}), text["other_files"]),
        *_titled("Agreement of the labellers on the first skill", text["agreement"], _agreement(ranked)),
        *_titled("Pairs of skills that split the labellers", text["splits"], _splits(split_pairs(real))),
        *_titled("Rows by grade band", _table(ranked, lambda row: row.context.grade_band, GRADE_BANDS)),
        *_titled("Rows by length", _table(ranked, SLICES["length"], LENGTHS)),
        *_titled("Rows by subject", _table(ranked, lambda row: row.case_context().subject, SUBJECTS)),
        *_titled("Rows by domain of the first skill", _table(ranked, _domain_of(catalogue), catalogue.domains)),
        *_titled("Rows by first skill", _coverage(covered, catalogue), _skills(ranked, covered, catalogue)),
        *_titled("Screening rows by status", text["screening"], _table(screening, lambda row: row.status, STATUSES)),
    ]
    return "\n\n".join(sections) + "\n"


def first_skill_agreement(rows: Sequence[Row]) -> Interval:
    """Share of a row's pairs of labellers with one first skill, averaged over rows with two labellers or more.

    The bootstrap draws rows of one page together. Raises GrowthError when no row has two labellers.
    """
    shares = np.array([_same_first(row) for row in rows])
    return bootstrap_mean(shares, groups=[row.source if is_address_hash(row.source) else row.id for row in rows])


def split_pairs(rows: Iterable[Row]) -> list[SplitPair]:
    """Pairs of skills of ``FEWEST_CASES`` cases or more that split the first two labellers at least once.

    A case of {a, b} is a row whose two first skills are both a or b. Most split first, then by cases and name.
    """
    agreed: Counter[str] = Counter()
    differing: Counter[tuple[str, str]] = Counter()
    for row in rows:
        firsts = sorted({skill for labels in row.labels[:2] if (skill := first_skill(labels)) is not None})
        if len(row.labels) >= 2 and len(firsts) == 2:
            differing[firsts[0], firsts[1]] += 1
        elif len(row.labels) >= 2 and all(first_skill(labels) for labels in row.labels[:2]):
            agreed[firsts[0]] += 1
    pairs = [SplitPair(a, b, agreed[a] + agreed[b] + split, split) for (a, b), split in differing.items()]
    chosen = [pair for pair in pairs if pair.cases >= FEWEST_CASES]
    return sorted(chosen, key=lambda pair: (-pair.split / pair.cases, -pair.cases, pair.first, pair.second))


def rows_a_skill(rows: Iterable[Row]) -> Counter[str]:
    """For each skill, the rows in which some labeller gave it grade 3 or 2."""
    return Counter(
        skill_id
        for row in rows
        for skill_id in {skill_id for labels in row.labels for skill_id, grade in labels.items() if grade >= 2}
    )


def _same_first(row: Row) -> float:
    pairs = list(combinations([first_skill(labels) for labels in row.labels], 2))
    return sum(a == b is not None for a, b in pairs) / len(pairs) if pairs else float("nan")


def _first_of(row: Row) -> str | None:
    return first_skill(row.labels[0]) if row.labels else None


def _domain_of(catalogue: Catalogue) -> Callable[[Row], str | None]:
    return lambda row: catalogue[skill_id].domain if (skill_id := _first_of(row)) is not None else None


def _titled(title: str, *parts: str) -> tuple[str, ...]:
    return f"## {title}", *(part.strip() for part in parts)


def _files(files: Mapping[str, Sequence[Row]]) -> str:
    lines = [
        "| file | rows | struggles | observer notes | labellers a row | distinct pages | median words |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, rows in files.items():
        kinds = Counter(row.kind for row in rows)
        pages = len({row.source for row in rows if is_address_hash(row.source)})
        words = float(np.median([len(row.text.split()) for row in rows]))
        labellers = max(len(row.labels) for row in rows)
        lines.append(
            f"| {name} | {len(rows):,} | {kinds['struggle']:,} | {kinds['observer_note']:,} | {labellers} | "
            f"{f'{pages:,}' if pages else ''} | {words:g} |"
        )
    return "\n".join(lines)


def _agreement(files: Mapping[str, Sequence[Row]]) -> str:
    lines = ["| file | rows | same first skill |", "|---|---:|---|"]
    for name, rows in files.items():
        share = first_skill_agreement(rows)
        lines.append(f"| {name} | {share.n:,} | {interval(as_data(share))} |")
    return "\n".join(lines)


def _splits(pairs: Sequence[SplitPair]) -> str:
    unsettled = sum(pair.is_unsettled for pair in pairs)
    lines = ["| skill | skill | cases | split |", "|---|---|---:|---:|"]
    shown = pairs[: max(unsettled, FEWEST_PAIRS_SHOWN)]
    lines += [f"| {pair.first} | {pair.second} | {pair.cases} | {pair.split} |" for pair in shown]
    said = f"Pairs split in more than a third of their cases: {unsettled}. The {len(shown)} most split pairs:"
    return "\n".join([said, "", *lines])


def _coverage(covered: Mapping[str, int], catalogue: Catalogue) -> str:
    well = sum(covered[skill_id] >= WELL_COVERED for skill_id in catalogue.ids)
    return (
        f"{well} of {len(catalogue)} skills have {WELL_COVERED} real training rows or more in which some labeller gave "
        "them grade 3 or 2 (last column)."
    )


def _skills(files: Mapping[str, Sequence[Row]], covered: Mapping[str, int], catalogue: Catalogue) -> str:
    header, rule, *lines = _table(files, _first_of, catalogue.ids, keep_empty=True).split("\n")
    counts = [f"{line} {covered[skill_id]} |" for line, skill_id in zip(lines, catalogue.ids, strict=True)]
    return "\n".join([f"{header} real, grade 3 or 2 |", f"{rule}---:|", *counts])


def _table(
    files: Mapping[str, Sequence[Row]],
    value_of: Callable[[Row], str | None],
    order: Sequence[str],
    *,
    keep_empty: bool = False,
) -> str:
    """Rows a value and file, values in ``order``; values no row has are left out unless ``keep_empty``."""
    counts = {name: Counter(value_of(row) for row in rows) for name, rows in files.items()}
    lines = ["| | " + " | ".join(files) + " |", "|---" + "|---:" * len(files) + "|"]
    for value in order:
        cells = [counts[name][value] for name in files]
        if keep_empty or any(cells):
            lines.append(f"| {value} | " + " | ".join(f"{cell:,}" for cell in cells) + " |")
    return "\n".join(lines)
