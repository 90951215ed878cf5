"""The file evidence leaves the store in, for this account alone, and the key its pseudonyms are made with."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sqlalchemy import select

from recommender.errors import DataFileError, SettingsError
from service.store.actors import operator
from service.store.database import Database, StoreSession
from service.store.evidence import EvidenceTold, evidence_rows
from service.store.people import find_tenant
from service.store.tables.people import Tenant

KEY_FILE = "pseudonym.key"
_KEY_BYTES = 32
_PRIVATE = 0o600


def write_evidence(
    database: Database, file: Path, pseudonym_key: bytes, tenants: Sequence[str] | None = None
) -> EvidenceTold:
    """Write what was agreed to as JSON Lines, readable by this account alone; how much it was and was not.

    ``tenants``: names or ids; None takes every tenant but demos, whose people are made up. All rows are of one moment.
    A file of that name is replaced when the new one is whole: after a consent is taken back, write it again. Raises
    DataFileError when it cannot be written, NotFoundError for an unknown tenant.
    """
    told = EvidenceTold()
    with database.read() as session, _replacing(file) as stream:
        for tenant_id in _tenant_ids(session, tenants):
            for row in evidence_rows(session, operator(session, tenant_id), pseudonym_key, told):
                stream.write(row.to_json() + "\n")
    return told


def read_pseudonym_key(folder: Path) -> bytes:
    """The key in ``pseudonym.key`` of the data folder, made there the first time.

    It is kept apart from the database: a copy of one alone tells nobody whose row is whose. Lost, the next evidence
    has other pseudonyms. Raises SettingsError when it cannot be read or made, and for a file that holds no key.
    """
    file = folder / KEY_FILE
    try:
        if not file.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_key(file)
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except OSError as error:
        raise SettingsError(
            f"a key file that cannot be used ({error.strerror})",
            wanted="a folder this account owns",
            way_out="Set GROWTH_DATA.",
            where=str(file),
        ) from None
    except ValueError:
        key = b""
    if len(key) < _KEY_BYTES:
        raise SettingsError(
            "a file that holds no key",
            wanted=f"{_KEY_BYTES} bytes as hex digits",
            way_out="Put a copy of it back, or delete it: a new key makes new pseudonyms.",
            where=str(file),
        )
    return key


def _make_key(file: Path) -> None:
    """Whole or not at all, and of two who make it at once the first one's stays."""
    made = file.with_name(f".{KEY_FILE}.{os.getpid()}")
    try:
        with _opened(made) as stream:
            stream.write(secrets.token_hex(_KEY_BYTES) + "\n")
        with suppress(FileExistsError):
            os.link(made, file)
    finally:
        made.unlink(missing_ok=True)


@contextmanager
def _replacing(file: Path) -> Iterator[IO[str]]:
    """A new file that takes the place of the old one once it is whole."""
    made = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with _opened(made) as stream:
            yield stream
        made.replace(file)
    except OSError as error:
        raise DataFileError(
            f"a file that cannot be written ({error.strerror})",
            wanted="a folder this account can write",
            where=str(file),
        ) from None
    finally:
        made.unlink(missing_ok=True)


@contextmanager
def _opened(file: Path) -> Iterator[IO[str]]:
    file.unlink(missing_ok=True)
    # Made private, so that nobody else can ever read it.
    with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE), "w", encoding="utf-8") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def _tenant_ids(session: StoreSession, tenants: Sequence[str] | None) -> list[str]:
    if tenants is not None:
        return [find_tenant(session, tenant) for tenant in tenants]
    return list(session.scalars(select(Tenant.id).where(Tenant.is_demo.is_(False)).order_by(Tenant.id)))
