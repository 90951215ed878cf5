from __future__ import annotations

import json
import signal
import threading
import time

import httpx
import pytest
from running_service import serving, wait_for, wait_until_ready

from service.run import SHUTDOWN_SECONDS

# Three times what there is time for, and what takes a moment.
LONG, SHORT = 600, 6


def test_told_to_stop_in_the_middle_of_batches_it_answers_them_in_time_and_takes_no_new_request(tmp_path, example):
    answers = {}

    def send(address: str, cases: int) -> None:
        batch = {"cases": [example | {"case_id": f"c{number}"} for number in range(cases)]}
        answers[cases] = httpx.post(f"{address}/v1/score/batch", json=batch, timeout=60)

    with serving(tmp_path) as (address, process):
        wait_until_ready(address)
        senders = [threading.Thread(target=send, args=(address, cases)) for cases in (LONG, SHORT)]
        for sender in senders:
            sender.start()
        # The one that asks is in flight as well.
        wait_for(lambda: "growth_http_requests_in_flight 3.0" in httpx.get(f"{address}/metrics").text)
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx.ConnectError):  # noqa: PT012 - until the port is closed
            while True:
                httpx.get(f"{address}/health/live")
                time.sleep(0.02)
        assert process.poll() is None
        for sender in senders:
            sender.join(60)
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - told < SHUTDOWN_SECONDS + 1
    assert process.returncode == 0
    whole, cut = answers[SHORT].json(), answers[LONG].json()
    assert ([ranking["case_id"] for ranking in whole["rankings"]], whole["errors"]) == (
        [f"c{number}" for number in range(SHORT)], [])  # fmt: skip
    # Each case of the other is ranked, or is told why not: the app sends those again.
    assert {error["problem"]["type"].rpartition(":")[2] for error in cut["errors"]} == {"out-of-time"}
    assert [error["index"] for error in cut["errors"]] == list(range(len(cut["rankings"]), LONG))
    assert cut["rankings"]
    events = [json.loads(line) for line in errors.splitlines()]
    assert not [line for line in events if line["level"] in {"error", "critical"} and line["event"] != "case failed"]
