"""A real PostgreSQL server for tests, on a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs: on the path, or where Debian puts them."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A started server, gone with its folder afterwards; without PostgreSQL's programs the test is skipped."""
    programs = find_postgres()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    server = Postgres(programs)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


class Postgres:
    """A PostgreSQL server on a temporary folder, reached by a socket in it; never as root."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        # pytest's own folders are closed to other accounts.
        self.folder = Path(tempfile.mkdtemp(prefix="growth-pg-"))
        self.account = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        if self.account:
            shutil.chown(self.folder, "nobody", "nogroup")
        self.data = self.folder / "data"
        self._run("initdb", "-D", str(self.data), "-U", "growth", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.databases = 0

    def start(self) -> None:
        # A killed process loses nothing without fsync; only a killed machine would.
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=40"
        self._run("pg_ctl", "-D", str(self.data), "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def url(self, name: str) -> URL:
        query = {"host": str(self.folder)}
        return URL.create("postgresql+psycopg", username="growth", database=name, query=query)

    def create(self, template: str | None = None) -> URL:
        """A database of its own for a test."""
        self.databases += 1
        name = f"growth_{self.databases}"
        self._execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return self.url(name)

    def drop(self, url: URL) -> None:
        """Take a test's database away again."""
        self._execute(f"DROP DATABASE {url.database} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(host=str(self.folder), user="growth", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), *arguments], check=True, cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, **self.account,
        )  # fmt: skip
