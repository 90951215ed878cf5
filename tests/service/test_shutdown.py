from __future__ import annotations

import json
import signal
import socket
import threading
import time

import httpx
import pytest
from running_service import serving, wait_for, wait_until_ready

# Several times what there is time for.
CASES = 1_000


def test_told_to_stop_it_answers_what_has_begun_a_batch_as_far_as_there_is_time_and_nothing_new(tmp_path, example):
    answers = []

    def send_batch(address: str) -> None:
        batch = {"cases": [example | {"case_id": f"c{number}"} for number in range(CASES)]}
        answers.append(httpx.post(f"{address}/v1/score/batch", json=batch, timeout=120))

    with serving(tmp_path) as (address, process):
        wait_until_ready(address)
        sender = threading.Thread(target=send_batch, args=(address,))
        sender.start()
        body, place = json.dumps(example).encode(), httpx.URL(address)
        with socket.create_connection((place.host, place.port), timeout=60) as half_sent:
            head = "POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
            half_sent.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body[:20])
            # The one that asks is in flight as well.
            wait_for(lambda: "growth_http_requests_in_flight 3.0" in httpx.get(f"{address}/metrics").text)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(httpx.TransportError):  # noqa: PT012 - until the port is closed
                while True:
                    httpx.get(f"{address}/health/live")
                    time.sleep(0.02)
            half_sent.sendall(body[20:])
            answer = half_sent.makefile("rb").read()
        sender.join(60)
        # What would have taken a minute does not keep it.
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert answer.startswith(b"HTTP/1.1 200 ") and b'"ranked"' in answer
    # Each case of the batch is ranked, or is told why not: the app sends those again.
    batch = answers[0].json()
    ranked, refused = batch["rankings"], batch["errors"]
    assert [ranking["case_id"] for ranking in ranked] == [f"c{number}" for number in range(len(ranked))]
    assert [error["index"] for error in refused] == list(range(len(ranked), CASES))
    assert {error["problem"]["type"] for error in refused} == {"urn:growth:problem:out-of-time"}
    assert "timeout graceful shutdown exceeded" not in errors
