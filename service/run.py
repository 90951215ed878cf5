"""Runs the service until it is told to stop."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import uvicorn

from recommender.console import out
from recommender.errors import SettingsError
from service.settings import Settings

if TYPE_CHECKING:
    from types import FrameType

    from fastapi import FastAPI

# A request has one core: more threads in the numeric libraries would only fight over the same ones.
SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What is being answered when the service is told to stop may take this long; a ranking takes milliseconds.
SHUTDOWN_SECONDS = 10
# Of those, what a batch leaves for its answer to be written.
ANSWER_SECONDS = 2
BACKLOG = 2048
# Proxies send on a connection that was quiet for a minute, Caddy for two. If it were closed here at that moment the
# request on it would be lost, and one that writes is not sent again.
KEEP_ALIVE_SECONDS = 130


def run(settings: Settings, *, demo: bool = False) -> None:
    """Load the model, bring an embedded database up to date, then answer on the address of the settings.

    ``demo`` fills a database without a tenant with the demo school, and prints links to sign in to it. The port is
    opened when all is ready. Before that it raises SettingsError when the port is taken, ModelVersionError when there
    is no sound model version, StoreError when the tables of a database server are not of this version. Told to stop
    (SIGTERM), it answers what it has begun and exits with code 0.
    """
    for variable in SINGLE_THREADED:
        os.environ.setdefault(variable, "1")
    taken = _take_port(settings)
    signal.signal(signal.SIGTERM, _stop)
    # Imported only now, because the numeric libraries read those variables once.
    from service.app import create_app
    from service.first_words import first_words
    from service.logs import configure_logs
    from service.prepare import prepare_tables, seed_if_empty
    from service.served_model import ServedModel
    from service.store.database import open_database

    configure_logs(settings.log_level)
    served_model = ServedModel(settings)
    served_model.load()
    database = open_database(settings)
    prepare_tables(database)
    if demo:
        seed_if_empty(database, served_model)
    words = first_words(database, settings, demo=demo)
    _serve(create_app(settings, served_model, database), settings, taken, lambda: _say(words))


def _serve(app: FastAPI, settings: Settings, taken: socket.socket, announce: Callable[[], None]) -> None:
    try:
        taken.listen(BACKLOG)
    except OSError as error:
        raise _no_port(settings, error) from None
    try:
        _Server(server_config(app, settings), app, announce).run(sockets=[taken])
    except KeyboardInterrupt:
        # Stopped by the person who started it, after the last answer.
        return


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How the server is run: the service writes its own log lines, and nothing else writes what a client sent."""
    return uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        # There are no WebSockets here, and a library for them would log the address of whoever asks for one.
        ws="none",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


class _Server(uvicorn.Server):
    """A server that says a word once it answers, and tells the application when it has to end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, and let no batch take longer than there is time for."""
        self._app.state.answers_until = time.monotonic() + SHUTDOWN_SECONDS - ANSWER_SECONDS
        super().handle_exit(sig, frame)


def _stop(signal_number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - a handler's signature
    # Where the server runs it takes the signal itself, and raises it again when all is answered.
    sys.exit(0)


def _take_port(settings: Settings) -> socket.socket:
    """The address of the settings, taken but closed: nobody else can have it, and nobody is let in yet."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind)
        # A port that was just given back is free.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError as error:
        raise _no_port(settings, error) from None
    return taken


def _no_port(settings: Settings, error: OSError) -> SettingsError:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"port {settings.port} in use by another program",
            wanted="a free port",
            way_out="Stop the other program, or choose another port with --port or GROWTH_PORT.",
            where=where,
        )
    return SettingsError(
        f"an address that cannot be listened on ({error.strerror})",
        wanted="an address of this machine and a port this account may open",
        way_out="Set GROWTH_HOST and GROWTH_PORT.",
        where=where,
    )


def _say(words: str) -> None:
    out.print(words, highlight=False, markup=False, soft_wrap=True)
    out.file.flush()
