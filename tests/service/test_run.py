from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

START = "from service.run import run; from service.settings import read_settings; run(read_settings())"


@pytest.fixture
def server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GROWTH_PORT": str(port), "GROWTH_REQUEST_TIMEOUT_SECONDS": "1"}
    with subprocess.Popen([sys.executable, "-c", START], env=environment, stderr=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{port}", process
        process.kill()


def wait_until_ready(address, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("never ready")


def send_raw(address, content):
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(content)
        return connection.makefile("rb").read()


def test_the_real_server_ranks_logs_json_and_stops_when_told(server, example):
    address, process = server
    wait_until_ready(address)
    answer = httpx.post(f"{address}/v1/score", json=example)
    assert answer.json()["status"] == "ranked"
    assert "server" not in answer.headers

    head = b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
    assert b" 413 " in send_raw(address, head + b"9000000\r\n\r\n{")
    assert b" 408 " in send_raw(address, head + b"900\r\n\r\n{")

    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    lines = [json.loads(line) for line in errors.splitlines()]
    routes = [line["route"] for line in lines if line["event"] == "request"]
    assert routes.count("/v1/score") == 3
    assert "three hands" not in errors


def test_a_folder_without_a_model_stops_the_start_with_a_way_out(tmp_path):
    environment = {**os.environ, "GROWTH_MODELS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", START], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "GROWTH_MODELS" in done.stderr
