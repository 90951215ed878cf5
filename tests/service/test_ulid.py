from __future__ import annotations

import time

from service.ulid import CROCKFORD, encode, new_ulid


def test_the_example_of_the_specification_is_encoded_digit_by_digit():
    # 01ARZ3NDEKTSV4RRFFQ69G5FAV: 10 digits of time, 16 of randomness.
    milliseconds = 1469922850259
    randomness = 0
    for digit in "TSV4RRFFQ69G5FAV":
        randomness = randomness * 32 + CROCKFORD.index(digit)
    assert encode(milliseconds, randomness) == "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_the_smallest_and_the_largest_id_have_26_digits():
    assert encode(0, 0) == "0" * 26
    assert encode(2**48 - 1, 2**80 - 1) == "7" + "Z" * 25


def test_ids_sort_by_the_time_they_were_made():
    first = new_ulid()
    time.sleep(0.002)
    assert first < new_ulid()


def test_ids_of_one_moment_differ():
    assert len({new_ulid() for _ in range(1_000)}) == 1_000


def test_ids_of_one_millisecond_sort_as_they_were_made(monkeypatch):
    monkeypatch.setattr("service.ulid.time.time_ns", lambda: 1_790_000_000_000_000_000)
    made = [new_ulid() for _ in range(2_000)]
    assert made == sorted(set(made))
    assert len({ulid[:10] for ulid in made}) == 1
