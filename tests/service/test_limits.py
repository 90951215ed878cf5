from __future__ import annotations

import asyncio
import json

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from service.limits import read_body
from service.problems import Problem

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def small(app_of):
    with TestClient(app_of(max_body_bytes=1_024, max_batch_bytes=4_096)) as client:
        yield client


def padded(value, size):
    content = json.dumps(value).encode()
    return content + b" " * (size - len(content))


def in_pieces(content):
    yield from (content[start : start + 100] for start in range(0, len(content), 100))


def test_a_body_of_just_the_limit_is_taken_and_one_byte_more_is_not(small, example):
    assert small.post("/v1/score", content=padded(example, 1_024), headers=JSON).status_code == 200
    refused = small.post("/v1/score", content=padded(example, 1_025), headers=JSON)
    assert refused.status_code == 413
    assert refused.headers["connection"] == "close"


def test_a_body_without_a_declared_length_is_counted(small, example):
    assert small.post("/v1/score", content=in_pieces(padded(example, 1_024)), headers=JSON).status_code == 200
    assert small.post("/v1/score", content=in_pieces(padded(example, 1_025)), headers=JSON).status_code == 413


def test_a_batch_has_a_limit_of_its_own(small, example):
    batch = {"cases": [example]}
    assert small.post("/v1/score/batch", content=padded(batch, 4_096), headers=JSON).status_code == 200
    assert small.post("/v1/score/batch", content=padded(batch, 4_097), headers=JSON).status_code == 413


def test_the_form_has_the_limit_too(small):
    form = b"struggle=" + b"a" * 2_000
    assert (
        small.post("/", content=form, headers={"Content-Type": "application/x-www-form-urlencoded"}).status_code == 413
    )


def test_a_body_that_never_ends_is_given_up():
    async def never():
        await asyncio.sleep(60)

    request = Request({"type": "http", "headers": []}, receive=never)
    with pytest.raises(Problem) as caught:
        asyncio.run(read_body(request, 0.01))
    assert caught.value.status_code == 408


def test_a_client_that_left_is_no_fault_of_ours():
    async def gone():
        return {"type": "http.disconnect"}

    with pytest.raises(Problem) as caught:
        asyncio.run(read_body(Request({"type": "http", "headers": []}, receive=gone), 1))
    assert caught.value.status_code == 400
