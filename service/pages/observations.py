"""A teacher's own observation scores: visit by visit, and what they say together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pandas as pd
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.instruments import Instruments
from recommender.observations import scores as columns
from service.access.signed_in import TeacherSignedIn
from service.observed_needs import current_needs
from service.pages.render import page
from service.state import Model, StoreDatabase
from service.store.observations import scores_of_teacher
from service.store.tenant_norms import current_norms

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class SeenItem:
    """One item at one visit; ``scores`` has one for each observer and part of the lesson, ``scale`` its ends."""

    label: str | None
    scores: str
    scale: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Visit:
    """One visit with one rubric; ``rubric`` and the items' labels are None where the rubric is not known here.

    ``is_observed`` is False for a teacher's own rating and a machine's.
    """

    seen_on: date
    rubric: str | None
    is_observed: bool
    seen_items: list[SeenItem]


@router.get("/observations")
def show_observations(request: Request, me: TeacherSignedIn, database: StoreDatabase, model: Model) -> HTMLResponse:
    """Everything observers scored about the person who asks, latest visit first, and the needs from it."""
    with database.read() as session:
        scores = scores_of_teacher(session, me.actor)
        norms = current_norms(session, me.actor)
    recommender = model.recommender
    return page(
        request, "observations.html", me,
        visits=list(visits_of(scores, recommender.instruments)),
        needs=current_needs(recommender, me.actor.tenant_id, norms, scores),
    )  # fmt: skip


def visits_of(scores: pd.DataFrame, instruments: Instruments) -> Iterator[Visit]:
    """Visits of one teacher's score table, latest first, each with its items in the order of the rubric."""
    keys = [columns.OBSERVED_ON, columns.VISIT, columns.INSTRUMENT]
    visits = list(scores.groupby(keys, sort=True))
    for (_, _, name), rows in reversed(visits):
        instrument = instruments.get(str(name))
        order = list(instrument.by_code) if instrument is not None else []
        items = {str(code): of_item for code, of_item in rows.groupby(columns.ITEM, sort=True)}
        codes = sorted(items, key=lambda code: (order.index(code) if code in order else len(order), code))
        yield Visit(
            rows[columns.OBSERVED_ON].iloc[0].date(),
            None if instrument is None else instrument.title,
            not rows[columns.OBSERVATION_TYPE].isin(columns.NOT_OBSERVED_TYPES).all(),
            [_item(code, items[code], instruments.get(str(name)) if code in order else None) for code in codes],
        )


def _item(code: str, rows: pd.DataFrame, instrument: Instrument | None) -> SeenItem:
    values = ", ".join(f"{value:g}" for value in rows[columns.VALUE])
    notes = tuple(dict.fromkeys(str(note).strip() for note in rows[columns.NOTE] if str(note).strip()))
    if instrument is None:
        return SeenItem(None, values, None, notes)
    scale = instrument.scale_of(code)
    return SeenItem(instrument.by_code[code].label, values, f"{scale.min:g} – {scale.max:g}", notes)
