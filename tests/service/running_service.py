"""The service as it really runs: a process of its own, or a server in a thread over an application of the test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

SERVE = (sys.executable, "-c", "from recommender.cli import app; app()", "serve")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, *options: str, **variables: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`growth serve` on a port and a data folder of its own; killed at the end where it still runs."""
    port = free_port()
    settings = {"GROWTH_PORT": str(port), "GROWTH_DATA": str(folder), "OMP_NUM_THREADS": "1", **variables}
    with subprocess.Popen(
        [*SERVE, *options], env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield f"http://127.0.0.1:{port}", process
        process.kill()


def wait_until_ready(address: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("never ready")


@contextmanager
def answering(app: Any) -> Iterator[str]:
    """A server on loopback in a thread, for an application whose parts the test holds; its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        wait_for(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def scored(address: str, case: dict[str, Any]) -> bytes:
    """The bytes of an answer, without the id that is new each time."""
    answer = httpx.post(f"{address}/v1/score", json=case, timeout=60)
    assert answer.status_code == 200
    return answer.content.replace(answer.json()["ranking_id"].encode(), b"")


@contextmanager
def scorers(address: str, case: dict[str, Any], n: int = 8) -> Iterator[list[tuple[int | str, str | None]]]:
    """Clients that ask for scores until the end: status and model version of each answer, or why there was none."""
    stop, answers = threading.Event(), []

    def score() -> None:
        with httpx.Client(base_url=address, timeout=120) as client:
            while not stop.is_set():
                try:
                    answer = client.post("/v1/score", json=case)
                    answers.append((answer.status_code, answer.json().get("model_version")))
                except (httpx.HTTPError, ValueError) as error:
                    answers.append((type(error).__name__, None))

    threads = [threading.Thread(target=score) for _ in range(n)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join(120)
