from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from acknowledged import SHORT, none_is_half
from app_caller import Caller, problem
from school_app import STRUGGLE, make_school_app
from sqlalchemy import URL, text

from service.app import create_app
from service.settings import Settings
from service.store.database import Database, engine_for
from service.store.schema_version import upgrade

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
from postgres_server import running_postgres

IMPATIENT = 0.2
# Another program in the middle of a write of its own.
HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


@contextmanager
def held_by_another_program(file):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "locked\n"
        yield
        holder.communicate("go on\n", timeout=20)


@contextmanager
def held_by_another_session(database):
    """Somebody's own transaction on the server that locks what every write needs."""
    with Database(engine_for(database.engine.url)).engine.begin() as connection:
        connection.execute(text("LOCK TABLE events, cases IN SHARE ROW EXCLUSIVE MODE"))
        yield


@pytest.fixture(params=["sqlite", "postgresql"])
def locked(request, served_model, database_file):
    """The application on a database that it waits for only shortly, and what locks that."""
    if request.param == "sqlite":
        database = Database(engine_for(URL.create("sqlite", database=str(database_file)), IMPATIENT))
        yield create_app(Settings(), served_model, database), lambda: held_by_another_program(database_file)
        database.close()
        return
    with running_postgres() as server:
        database = Database(engine_for(server.create(), IMPATIENT))
        upgrade(database)
        yield create_app(Settings(), served_model, database), lambda: held_by_another_session(database)
        database.close()


def test_a_database_that_another_locks_is_a_503_that_says_when_to_come_back_and_nothing_is_half(locked):
    app, holding = locked
    school = make_school_app(app, app.state.database)
    caller, teacher = Caller(school, "write"), school.client_as("teacher")
    made = caller.open("k0").json()
    skill = made["ranking"]["suggestions"][0]["skill_id"]
    asked = {"case": made["id"], "ranking": made["ranking"]["ranking_id"], "skill": skill}
    short = {"case_id": "c2", "struggle": SHORT}
    decline = {"decision": "declined", "why": "Not now."} | asked
    with holding():
        for path, body, key in (("/v1/cases", short, "k1"), ("/v1/choices", decline, "k2")):
            answer = caller.send(path, body, key)
            assert problem(answer) == (503, "store-unavailable")
            assert int(answer.headers["retry-after"]) > 0
        page = teacher.submit("/moments", {"struggle": STRUGGLE})
        assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert int(page.headers["retry-after"]) > 0
        # Who reads is not kept waiting.
        assert len(caller.get("/v1/cases").json()["items"]) == 1
        assert teacher.get("/moments").status_code == 200
        assert caller.get("/health/ready").status_code == 200
    assert caller.get(f"/v1/cases/{asked['case']}").json()["choices"] == []
    assert caller.send("/v1/cases", short, "k1").status_code == 201
    declined = caller.send("/v1/choices", decline, "k2").json()["ranking"]
    assert skill not in [suggestion["skill_id"] for suggestion in declined["suggestions"]]
    assert len(caller.get("/v1/cases").json()["items"]) == 2
    none_is_half(school.database)
    assert teacher.submit("/moments", {"struggle": STRUGGLE}).status_code == 303
