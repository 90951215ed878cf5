from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest
from acknowledged import acknowledged, all_there, at_work, make_app, make_writers, refusals
from running_service import answering, wait_for, wait_until_ready

from service.app import create_app
from service.settings import Settings
from service.store.database import Database, engine_for
from service.store.schema_version import upgrade

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
from postgres_server import running_postgres

UNTIL = 30


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_of_postgresql_costs_503s_and_no_write_and_no_restart_of_the_service(mode, served_model):
    with running_postgres() as server:
        database = Database(engine_for(server.create()))
        upgrade(database)
        key = make_app(database)
        app = create_app(Settings(app_requests_per_minute=100_000), served_model, database)
        with answering(app) as address:
            writers = make_writers(address, key)
            with at_work(writers, address, key, UNTIL, asks_again=True) as finish:
                wait_for(lambda: acknowledged(writers) >= 20)
                server.stop(mode)
                wait_for(lambda: all(writer.refused for writer in writers))
                ready = httpx.get(f"{address}/health/ready")
                assert (ready.status_code, httpx.get(f"{address}/health/live").status_code) == (503, 200)
                assert int(ready.headers["retry-after"]) > 0
                before = acknowledged(writers)
                server.start()
                wait_until_ready(address, 20)
                finish()
            assert acknowledged(writers) > before
            assert refusals(writers) == {(503, "store-unavailable")}
            assert all(writer.number == UNTIL for writer in writers)
        all_there(database, writers)
        database.close()
