"""The application behind the server that runs it, on a port of this machine."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn

from service.run import server_config

WAIT_SECONDS = 20


@contextmanager
def serving(app: Any) -> Iterator[tuple[str, int]]:
    """Host and port of the application, as `growth serve` runs it."""
    server = uvicorn.Server(server_config(app, app.state.settings))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + WAIT_SECONDS
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline
            time.sleep(0.02)
        yield listening.getsockname()[:2]
        server.should_exit = True
        thread.join(WAIT_SECONDS)


def send_raw(place: tuple[str, int], *pieces: bytes) -> bytes:
    """Send bytes as they are and read until the server has closed; what was read."""
    with socket.create_connection(place, timeout=WAIT_SECONDS) as connection:
        found = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
            while part := connection.recv(65_536):
                found += part
        except ConnectionError:
            # The server had said what it had to say and closed before all was sent.
            pass
        return found
