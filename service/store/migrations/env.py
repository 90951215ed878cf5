"""Runs migrations on the connection that ``schema_version`` opened; there is no other way in."""

from __future__ import annotations

from alembic import context

from service.store.tables.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
context.run_migrations()
