"""Observation scores of a tenant: taken once whatever is imported twice, corrected in place, seen by their teacher."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Row, func, insert, select, update

from recommender.errors import DataFileError
from recommender.exchange.score_files import row_hashes
from recommender.observations import scores as table
from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError
from service.store.events import record
from service.store.tables.observations import IDENTITY, ScoreRow
from service.store.tables.people import Person
from service.store.text_vault import ROWS_A_STEP, Place, delete_texts, in_steps, read_many, write_texts
from service.ulid import new_ulid

# Columns that are stored as they are; the note goes to the texts.
STORED = tuple(column for column in (*table.COLUMNS, table.SOURCE_SYSTEM) if column not in (table.TENANT, table.NOTE))


@dataclass(frozen=True)
class ImportedScores:
    """What became of the rows of an import: ``new``, ``known`` (there already), ``corrected`` (another value now)."""

    new: int
    known: int
    corrected: int


@dataclass(frozen=True)
class KeptScores:
    """How many scores of a person are stored. ``last_look``: day of the newest that somebody observed in a lesson."""

    rows: int
    last_look: date | None


def store_scores(
    session: StoreSession, actor: Actor, scores: pd.DataFrame, now: datetime | None = None
) -> ImportedScores:
    """Store a score table (``recommender.observations.scores``) for the actor's tenant, whatever tenant it names.

    Rows are told apart by ``source_row_hash``, made anew here; of rows for one score the last one counts. Raises
    NotAllowedError for anybody but an administrator, the operator or an app that may write, DataFileError when a column
    is missing or a value is no number.
    """
    if not (actor.administers or (actor.kind == "app" and "write" in actor.scopes)):
        raise NotAllowedError("somebody else", wanted="an administrator, or an app whose key may write")
    moment, frame = now or utc_now(), _of_tenant(scores, actor.tenant_id)
    counts = {"new": 0, "known": 0, "corrected": 0}
    for start in range(0, len(frame), ROWS_A_STEP):
        step = frame.iloc[start : start + ROWS_A_STEP].to_dict("records")
        for kind, count in _store_step(session, actor.tenant_id, step, moment).items():  # type: ignore[arg-type]
            counts[kind] += count
    done = ImportedScores(**counts)
    record(
        session, actor, "scores.imported", new_ulid(), now=moment,
        new=done.new, known=done.known, corrected=done.corrected,
    )  # fmt: skip
    return done


def scores_of_teacher(session: StoreSession, actor: Actor) -> pd.DataFrame:
    """The scores of the person who asks, with notes, oldest first; empty without an ``external_id``.

    A coach sees the scores that are part of a case shared with them, not these.
    """
    if actor.kind != "person":
        return table.empty_scores()
    person = session.get(Person, (actor.tenant_id, actor.id))
    if person is None or person.external_id is None:
        return table.empty_scores()
    return _frame(session, actor.tenant_id, person.external_id, with_notes=True)


def kept_scores(session: StoreSession, actor: Actor) -> KeptScores:
    """How many scores of the person who asks there are, without reading them."""
    if actor.kind != "person":
        return KeptScores(0, None)
    is_observed = ScoreRow.observation_type.not_in(table.NOT_OBSERVED_TYPES) & ScoreRow.observer_role.not_in(
        table.NOT_OBSERVED_ROLES
    )
    query = (
        select(func.count(), func.max(ScoreRow.observed_on).filter(is_observed))
        .join(Person, (Person.tenant_id == ScoreRow.tenant_id) & (Person.external_id == ScoreRow.teacher_id))
        .where(Person.tenant_id == actor.tenant_id, Person.id == actor.id)
    )
    rows, last_look = session.execute(query).one()
    return KeptScores(rows, last_look)


def scores_of_tenant(session: StoreSession, actor: Actor) -> pd.DataFrame:
    """All scores of the tenant without notes, for fitting norms.

    Raises NotAllowedError for a person, and for an app that does not administer.
    """
    require_all_scores(actor)
    return _frame(session, actor.tenant_id, None, with_notes=False)


def require_all_scores(actor: Actor) -> None:
    """Raises NotAllowedError for a person, who sees their own scores, and for an app that does not administer."""
    if actor.kind == "person" or not actor.administers:
        raise NotAllowedError("somebody else", wanted="a command of the operator, or an app whose key administers")


def _of_tenant(scores: pd.DataFrame, tenant_id: str) -> pd.DataFrame:
    missing = [column for column in table.REQUIRED_COLUMNS if column not in scores]
    if missing or not scores[table.VALUE].map(lambda value: value == value and abs(value) < float("inf")).all():
        raise DataFileError(
            f"no column {missing[0]}" if missing else "a score that is no finite number",
            wanted="a score table as the importers make it",
        )
    empty = dict.fromkeys((*table.OPTIONAL_COLUMNS, table.SOURCE_SYSTEM), "") | {table.SEGMENT: 0}
    frame = scores.assign(**{column: value for column, value in empty.items() if column not in scores})
    frame = frame.assign(**{table.TENANT: tenant_id})
    frame[table.SOURCE_ROW_HASH] = row_hashes(frame)
    frame[table.OBSERVED_ON] = pd.to_datetime(frame[table.OBSERVED_ON]).dt.date
    frame["id"] = [_row_id(row) for row in frame[list(IDENTITY)].itertuples(index=False, name=None)]
    return frame.drop_duplicates("id", keep="last")


def _row_id(identity: tuple[Any, ...]) -> str:
    # The unit separator is a control character, which no cell holds.
    return hashlib.sha256("\x1f".join(map(str, identity)).encode()).hexdigest()


def _store_step(
    session: StoreSession, tenant_id: str, rows: Sequence[Mapping[str, Any]], now: datetime
) -> dict[str, int]:
    ids = [row["id"] for row in rows]
    query = select(ScoreRow.id, ScoreRow.source_row_hash).where(ScoreRow.tenant_id == tenant_id, ScoreRow.id.in_(ids))
    known = {row.id: row.source_row_hash for row in session.execute(query)}
    new = [row for row in rows if row["id"] not in known]
    corrected = [row for row in rows if known.get(row["id"], row[table.SOURCE_ROW_HASH]) != row[table.SOURCE_ROW_HASH]]
    if new:
        session.execute(insert(ScoreRow), [_values(row, tenant_id, now) for row in new])
    for row in corrected:
        session.execute(
            update(ScoreRow)
            .where(ScoreRow.tenant_id == tenant_id, ScoreRow.id == row["id"])
            .values(_values(row, tenant_id, now))
        )
    delete_texts(session, tenant_id, "score", [row["id"] for row in corrected])
    for row in (*new, *corrected):
        write_texts(session, Place(tenant_id, "score", row["id"], "note"), [row[table.NOTE] or ""], now)
    session.flush()
    return {"new": len(new), "known": len(rows) - len(new) - len(corrected), "corrected": len(corrected)}


def _values(row: Mapping[str, Any], tenant_id: str, now: datetime) -> dict[str, Any]:
    values = {column: row[column] for column in STORED}
    return values | {
        "tenant_id": tenant_id,
        "id": row["id"],
        table.SOURCE_ROW_HASH: row[table.SOURCE_ROW_HASH],
        table.VALUE: float(row[table.VALUE]),
        table.SEGMENT: int(row[table.SEGMENT]),
        "imported_at": now,
    }


def _frame(session: StoreSession, tenant_id: str, teacher: str | None, *, with_notes: bool) -> pd.DataFrame:
    query = select(ScoreRow.id, *(getattr(ScoreRow, column) for column in STORED)).where(
        ScoreRow.tenant_id == tenant_id
    )
    if teacher is not None:
        query = query.where(ScoreRow.teacher_id == teacher)
    rows = session.execute(query.order_by(ScoreRow.observed_on, ScoreRow.id)).all()
    if not rows:
        return table.empty_scores()
    notes = dict(_notes(session, tenant_id, rows)) if with_notes else {}
    frame = pd.DataFrame(rows, columns=["id", *STORED])
    frame[table.TENANT] = tenant_id
    frame[table.NOTE] = frame["id"].map(lambda row_id: notes.get(row_id, ""))
    frame[table.OBSERVED_ON] = pd.to_datetime(frame[table.OBSERVED_ON]).astype("datetime64[ns]")
    return frame[list(table.COLUMNS)].astype(table.empty_scores().dtypes.to_dict())


def _notes(session: StoreSession, tenant_id: str, rows: Sequence[Row[Any]]) -> Iterator[tuple[str, str]]:
    for ids in in_steps(row.id for row in rows):
        for (row_id, _), texts in read_many(session, tenant_id, "score", ids).items():
            yield row_id, texts[0]
