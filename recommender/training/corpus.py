"""The labelled texts the project trains and measures on, in one row format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from recommender.cases import Context, GradeBandAnswer, KnownSkill
from recommender.catalogue.loader import Catalogue
from recommender.errors import DataFileError
from recommender.struggles.screening import ScreeningStatus

DATA_FOLDER = Path(__file__).parent / "data"
WRITTEN = DATA_FOLDER / "written.jsonl"
SCREENING_TUNING = DATA_FOLDER / "screening.jsonl"
SCREENING_GROWN = DATA_FOLDER / "screening_grown.jsonl"
SCREENING_REAL = DATA_FOLDER / "screening_real.jsonl"
SCREENING = (SCREENING_TUNING, SCREENING_GROWN, SCREENING_REAL)
REAL_TRAIN = DATA_FOLDER / "real_train.jsonl"
REAL_GROWN = DATA_FOLDER / "real_grown.jsonl"
REAL = (REAL_TRAIN, REAL_GROWN)
REAL_DEV = DATA_FOLDER / "real_dev.jsonl"

# Share of the target a grade earns: 3 = start here, 2 = could well start here, 1 = comes up later.
GRADE_SHARE = {3: 1.0, 2: 0.6, 1: 0.3}

Grade = Annotated[int, Field(ge=1, le=3)]
Array = npt.NDArray[np.float32]


class RowContext(BaseModel):
    """What the source said about the class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    grade_band: GradeBandAnswer = "unknown"
    subject: str | None = None


class Row(BaseModel):
    """One labelled text; ``labels`` has one entry a labeller and is empty where nothing can be ranked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, StringConstraints(min_length=1)]
    kind: Literal["struggle", "observer_note"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    status: ScreeningStatus
    context: RowContext
    labels: list[dict[KnownSkill, Grade]]
    source: str

    def case_context(self) -> Context:
        """The row's context as a case would carry it."""
        return Context.model_validate(self.context.model_dump())


def is_address_hash(source: str) -> bool:
    """Whether a row's source is the SHA-256 of a public page's address: a real struggle."""
    return re.fullmatch(r"[0-9a-f]{64}", source) is not None


@lru_cache(maxsize=16)
def load_rows(file: Path) -> tuple[Row, ...]:
    """All rows of a JSON Lines file. Raises DataFileError with the line and field of the first broken one."""
    rows = []
    content = file.read_text(encoding="utf-8").removesuffix("\n")
    for number, line in enumerate(content.split("\n") if content else [], start=1):
        try:
            rows.append(Row.model_validate_json(line))
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            raise DataFileError(
                first["msg"].lower(), wanted="a row of the training format",
                where=f"{file.name}:{number}: {'.'.join(map(str, first['loc']))}",
            ) from None  # fmt: skip
    if len({row.id for row in rows}) != len(rows):
        raise DataFileError("an id twice", wanted="every id once", where=file.name)
    return tuple(rows)


def is_real_struggle(row: Row) -> bool:
    """Whether a row is an ordinary real struggle; look-alikes, picked because they are hard to tell, are none."""
    return row.status == "rankable" and is_address_hash(row.source) and row.id not in _look_alikes()


@lru_cache(maxsize=1)
def _look_alikes() -> frozenset[str]:
    return frozenset(row.id for row in load_rows(SCREENING_REAL))


# Of the machine-written struggles every so manieth teaches screening what is rankable; notes all do.
WRITTEN_STEP = 3


@lru_cache(maxsize=1)
def screening_rows() -> tuple[Row, ...]:
    """Every text screening is trained and measured on: real struggles, screening texts, written struggles and notes.

    Observers' notes are screened like struggles, and texts longer and tidier than the real ones must not look alarming.
    """
    written = load_rows(WRITTEN)
    struggles = [row for row in written if row.kind == "struggle"][::WRITTEN_STEP]
    notes = [row for row in written if row.kind == "observer_note"]
    return (*(row for file in (*REAL, *SCREENING) for row in load_rows(file)), *struggles, *notes)


def gains(rows: Sequence[Row], catalogue: Catalogue) -> Array:
    """(rows, skills) mean of the labellers' grades, 0 where nobody named the skill."""
    return _average(rows, catalogue, {1: 1.0, 2: 2.0, 3: 3.0})


def soft_targets(rows: Sequence[Row], catalogue: Catalogue) -> Array:
    """(rows, skills) training targets: ``GRADE_SHARE`` averaged over labellers, each row summing to one."""
    shares = _average(rows, catalogue, GRADE_SHARE)
    total = shares.sum(axis=1, keepdims=True)
    targets: Array = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    return targets


def acceptable(rows: Sequence[Row], catalogue: Catalogue) -> Array:
    """(rows, skills) share of labellers who would start, or could well start, with the skill (grade 3 or 2)."""
    return _average(rows, catalogue, {1: 0.0, 2: 1.0, 3: 1.0})


def _average(rows: Sequence[Row], catalogue: Catalogue, value: dict[int, float]) -> Array:
    table = np.zeros((len(rows), len(catalogue)), np.float32)
    for i, row in enumerate(rows):
        for labels in row.labels:
            for skill_id, grade in labels.items():
                table[i, catalogue.index[skill_id]] += value[grade] / len(row.labels)
    return table
