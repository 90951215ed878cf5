"""Times that keep the order in which things happened, also where the machine's clock was wrong for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from service.store.database import StoreSession

_STEP = timedelta(microseconds=1)


def after_all(session: StoreSession, moment: datetime, column: Any, *of: ColumnElement[bool]) -> datetime:
    """``moment``, or just after the latest time in ``column`` of the rows ``of`` where it is not later than that.

    Of what is told in an order, the last must be the last: a list ranked anew stands although the one before was shown
    under a clock that was ahead, and two of one microsecond keep their places.
    """
    latest: datetime | None = session.scalar(select(func.max(column)).where(*of))
    return moment if latest is None or moment > latest else latest + _STEP
