"""An application that answers on a port of this machine, and links that sign its people in."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from guarded_school import school_in

from service.served_model import ServedModel
from service.store.actors import Actor, operator, person_actor
from service.store.database import Database
from service.store.links import create_link
from service.store.people import create_person
from service.store.sign_in_links import issue_link, link_address

START_SECONDS = 40


@dataclass(frozen=True)
class Pages:
    """A running application with a tenant in it; ``address`` is where it answers."""

    app: Any
    database: Database
    tenant_id: str
    address: str

    def new_pair(self) -> tuple[Actor, Actor]:
        """A teacher and a coach who are linked, and to whom nothing has happened yet."""
        with self.database.write() as session:
            root = operator(session, self.tenant_id)
            teacher = create_person(session, root, "Tess Teacher", ["teacher"])
            coach = create_person(session, root, "Cora Coach", ["coach"])
            create_link(session, root, coach, teacher)
            return person_actor(session, self.tenant_id, teacher), person_actor(session, self.tenant_id, coach)

    def link(self, person_id: str) -> str:
        """A fresh link that signs a person in."""
        with self.database.write() as session:
            issued = issue_link(session, operator(session, self.tenant_id), person_id)
            return link_address(self.app.state.settings, issued)


@contextmanager
def served_school(folder: Path, template: Path, served_model: ServedModel) -> Iterator[Pages]:
    """Pages over a database of their own."""
    port = free_port()
    with school_in(folder, template, served_model, port=port) as school, served(school.app, port):
        yield Pages(school.app, school.database, school.tenant_id, f"http://127.0.0.1:{port}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def served(app: Any, port: int) -> Iterator[None]:
    """The application, answering on a port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + START_SECONDS
    while not server.started:
        assert thread.is_alive() and time.monotonic() < end, "the service did not start"
        time.sleep(0.05)
    yield
    server.should_exit = True
    thread.join(timeout=20)
