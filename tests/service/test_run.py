from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from types import SimpleNamespace

import httpx
import pytest
from running_service import SERVE, free_port, serving, wait_until_ready
from sqlalchemy import URL
from starlette.testclient import TestClient

from recommender.errors import SettingsError
from service.api import health
from service.app import create_app
from service.prepare import prepare_tables
from service.run import run
from service.settings import Settings
from service.store.database import Database, engine_for
from service.store.people import create_tenant
from service.store.schema_version import newest_version


def send_raw(address, content):
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(content)
        return connection.makefile("rb").read()


def test_the_real_server_ranks_logs_json_and_stops_when_told(tmp_path, example):
    with serving(tmp_path / "data", GROWTH_REQUEST_TIMEOUT_SECONDS="1") as (address, process):
        wait_until_ready(address)
        answer = httpx.post(f"{address}/v1/score", json=example)
        assert answer.json()["status"] == "ranked"
        assert "server" not in answer.headers

        head = b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
        assert b" 413 " in send_raw(address, head + b"9000000\r\n\r\n{")
        assert b" 408 " in send_raw(address, head + b"900\r\n\r\n{")

        process.send_signal(signal.SIGTERM)
        words, errors = process.communicate(timeout=20)
    lines = [json.loads(line) for line in errors.splitlines()]
    routes = [line["route"] for line in lines if line["event"] == "request"]
    assert routes.count("/v1/score") == 3
    assert "three hands" not in errors
    # A new folder: tables are made, and how to make a school is said.
    assert httpx.URL(address).port in (httpx.URL(found).port for found in re.findall(r"http://\S+", words))
    assert "growth admin tenant create" in words


def test_a_request_that_is_being_answered_is_answered_to_the_end_before_the_server_stops(tmp_path, example):
    with serving(tmp_path) as (address, process):
        wait_until_ready(address)
        body = json.dumps(example).encode()
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            head = (
                f"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            )
            connection.sendall(f"{head}\r\n\r\n".encode() + body[:20])
            # The one that asks is in flight as well.
            while "growth_http_requests_in_flight 2.0" not in httpx.get(f"{address}/metrics").text:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(httpx.TransportError):  # noqa: PT012 - until the port is closed
                while True:
                    httpx.get(f"{address}/health/live")
                    time.sleep(0.05)
            assert process.poll() is None
            connection.sendall(body[20:])
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"ranked"' in answer
        process.communicate(timeout=20)


def test_a_demo_school_is_made_once_and_fresh_links_are_printed_at_each_start(tmp_path):
    printed = []
    for _ in range(2):
        with serving(tmp_path, "--demo", GROWTH_PUBLIC_URL="http://localhost:4711") as (address, process):
            wait_until_ready(address)
            process.send_signal(signal.SIGTERM)
            words, errors = process.communicate(timeout=20)
        links = dict(re.findall(r"^ +(\w+) .* (http://localhost:4711/sign-in/link\?token=\S+)$", words, re.M))
        assert list(links) == ["teacher", "coach", "administrator", "safeguarding"]
        assert "new ones are printed at each start" in words
        assert not [link for link in links.values() if link.partition("=")[2] in errors]
        printed.append((links, [json.loads(line) for line in errors.splitlines()]))
    (first, first_lines), (second, second_lines) = printed
    assert not set(first.values()) & set(second.values())
    made = [line["is_new"] for line in (*first_lines, *second_lines) if line["event"] == "demo school"]
    assert made == [True, False]


def test_a_taken_port_is_said_at_once_with_exit_code_2_and_nothing_is_touched(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [*SERVE, "--port", port, "--demo"], env={**os.environ, "GROWTH_DATA": str(tmp_path / "data")},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 2
    assert f"port {port} in use" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_refused_with_a_way_out(host):
    settings = Settings(host=host, port=free_port(), api_keys=("ab" * 32,))
    with pytest.raises(SettingsError, match="GROWTH_HOST"):
        run(settings)


def test_a_folder_without_a_model_stops_the_start_with_a_way_out(tmp_path):
    environment = {**os.environ, "GROWTH_MODELS": str(tmp_path), "GROWTH_PORT": str(free_port())}
    done = subprocess.run([*SERVE], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "GROWTH_MODELS" in done.stderr


def test_ready_asks_the_database_and_says_its_version_and_live_does_not(app_of, served_model, tmp_path):
    file = tmp_path / "growth.sqlite3"
    database = Database(engine_for(URL.create("sqlite", database=str(file))))
    prepare_tables(database)
    with database.write() as session:
        create_tenant(session, "North School")
    client = TestClient(create_app(Settings(), served_model, database))
    assert client.get("/health/ready").json()["tables_version"] == newest_version()
    database.close()
    file.unlink()
    file.mkdir()
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:growth:problem:store-unavailable"
    assert answer.headers["retry-after"]
    assert client.get("/health/live").status_code == 200


def test_a_database_that_hangs_makes_the_service_not_ready_and_not_silent(served_model, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(health, "DATABASE_SECONDS", 0.2)
    monkeypatch.setattr(health, "current_version", lambda _: released.wait(30))
    client = TestClient(create_app(Settings(), served_model, SimpleNamespace(close=lambda: None)))
    try:
        assert client.get("/health/ready").status_code == 503
    finally:
        released.set()
