"""All tables in one place, for migrations and for tests that look at every one of them."""

from __future__ import annotations

from service.store.tables import care, cases, consents, cycles, events, observations, people, sign_in, texts
from service.store.tables.base import Base

TABLE_MODULES = (people, sign_in, cases, cycles, care, consents, observations, texts, events)
METADATA = Base.metadata
