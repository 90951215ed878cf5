"""All tables in one place, for migrations and for tests that look at every one of them."""

from __future__ import annotations

from service.store.tables import cases, cycles, events, observations, people, texts
from service.store.tables.base import Base

TABLE_MODULES = (people, cases, cycles, observations, texts, events)
METADATA = Base.metadata
