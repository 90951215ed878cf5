"""Speed as ratios, on a quiet machine: `make bench`. Not part of the pass/fail suite."""

from __future__ import annotations

import http.client
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recommender.cases import Case
from recommender.ranking.recommender import Recommender

STRUGGLE = (
    "Same three hands every time I ask anything, and the rest of them look at the floor until I give in and answer it "
    "myself, so we run out of time before they have practiced a single one on their own."
)
REPEATS = 60
CLIENTS, LOAD_SECONDS = 32, 60


def p50(action: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median seconds of one call after five to warm up."""
    for _ in range(5):
        action()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    return Recommender.load()


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[int, int, float]]:
    """Port, process id and seconds to ready of a real service."""
    port = 8_765
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "recommender.cli", "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "GROWTH_LOG_LEVEL": "error"},
    )  # fmt: skip
    while True:
        try:
            if request(port, "GET", "/health/ready")[0] == 200:
                break
        except OSError:
            pass
        time.sleep(0.02)
        assert time.perf_counter() - started < 60
    yield port, process.pid, time.perf_counter() - started
    process.terminate()
    process.wait(timeout=20)


def request(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_ranking_in_process_costs_little_more_than_the_encoder(recommender: Recommender) -> None:
    case = Case(case_id="c", struggle=STRUGGLE)
    encoder = p50(lambda: recommender._encoder.read(STRUGGLE))
    whole = p50(lambda: recommender.rank(case))
    print(f"\nencoder {1e3 * encoder:.1f} ms, ranking {1e3 * whole:.1f} ms, {len(STRUGGLE.split())} words")
    assert whole <= 1.5 * encoder + 0.003


def test_the_score_route_adds_little_to_an_empty_route(
    recommender: Recommender, service: tuple[int, int, float]
) -> None:
    port = service[0]
    body = json.dumps({"case_id": "c", "struggle": STRUGGLE}).encode()
    in_process = p50(lambda: recommender.rank(Case(case_id="c", struggle=STRUGGLE)))
    # A body refused at once walks the same way through the app and does no ranking.
    empty = p50(lambda: request(port, "POST", "/v1/score", b"{}"))
    scored = p50(lambda: request(port, "POST", "/v1/score", body))
    print(f"\nempty {1e3 * empty:.1f} ms, in process {1e3 * in_process:.1f} ms, scored {1e3 * scored:.1f} ms")
    assert scored - in_process <= 3 * empty


def test_a_file_is_ranked_on_all_cores_in_constant_memory(tmp_path: Path) -> None:
    seconds, memory = {}, {}
    for jobs, count in ((1, 300), (2, 300), (2, 900)):
        cases = tmp_path / f"{count}.jsonl"
        cases.write_text("".join(json.dumps({"case_id": str(i), "struggle": STRUGGLE}) + "\n" for i in range(count)))
        command = [sys.executable, "-m", "recommender.cli", "rank", str(cases), "-o", str(tmp_path / "r.jsonl")]
        started = time.perf_counter()
        subprocess.run([*command, "--jobs", str(jobs)], check=True, capture_output=True)
        seconds[jobs, count] = time.perf_counter() - started
        memory[jobs, count] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"\nseconds {seconds}, peak KiB {memory}")
    per_case_alone = seconds[1, 300] / 300
    per_case_together = (seconds[2, 900] - seconds[2, 300]) / 600
    assert per_case_alone / per_case_together >= 1.6
    assert memory[2, 900] <= 1.1 * memory[2, 300]


def test_the_service_is_ready_in_three_seconds_and_stays_under_900_megabytes(
    service: tuple[int, int, float],
) -> None:
    port, pid, seconds = service
    request(port, "POST", "/v1/score", json.dumps({"case_id": "c", "struggle": STRUGGLE}).encode())
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
    print(f"\nready after {seconds:.2f} s, {kilobytes / 1024:.0f} MiB")
    assert seconds < 3
    assert kilobytes < 900 * 1024


def test_the_service_holds_32_clients_for_a_minute_without_an_error(service: tuple[int, int, float]) -> None:
    port = service[0]
    body = json.dumps({"case_id": "c", "struggle": STRUGGLE}).encode()
    until = time.monotonic() + LOAD_SECONDS
    answers: list[int] = []

    def client() -> None:
        while time.monotonic() < until:
            answers.append(request(port, "POST", "/v1/score", body)[0])

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"\n{len(answers)} answers in {LOAD_SECONDS} s")
    assert set(answers) == {200}
