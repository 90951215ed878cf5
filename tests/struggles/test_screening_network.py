"""The screening network's arithmetic, by hand and over the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from recommender.struggles.screening_network import Member, ScreeningNetwork


def member(seed: int, dimensions: int = 6, queries: int = 2, hidden: int = 5) -> Member:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Member(
        norm_scale=1 + 0.1 * draw(dimensions), norm_shift=draw(dimensions), queries=draw(queries, dimensions),
        queries_bias=draw(queries), hidden=draw(hidden, dimensions * (queries + 1)), hidden_bias=draw(hidden),
        out=draw(4, hidden), out_bias=draw(4),
    )  # fmt: skip


def states(n: int, seed: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)


def test_probabilities_are_the_mean_of_the_members() -> None:
    members = [member(0), member(1)]
    wanted = np.mean([softmax(m.logits(states(7))) for m in members], axis=0)
    np.testing.assert_allclose(ScreeningNetwork(members).probabilities(states(7)), wanted, atol=1e-6)
    assert wanted.sum() == pytest.approx(1, abs=1e-5)


def test_the_order_of_the_pieces_does_not_matter_to_a_pool() -> None:
    network = ScreeningNetwork([member(0)])
    np.testing.assert_allclose(
        network.probabilities(states(7)), network.probabilities(states(7)[::-1].copy()), atol=1e-5
    )


def test_a_loud_piece_in_a_long_text_still_reaches_the_answer() -> None:
    """A query that listens to one direction finds the one piece that has it among two hundred that do not."""
    quiet = np.tile(np.array([1, -1, 1, -1, 0, 0], np.float32), (200, 1))
    loud = quiet.copy()
    loud[50] = [-1, 1, -1, 1, 0, 0]
    one = member(3)
    listening = np.array([[-20, 20, -20, 20, 0, 0], [0, 0, 0, 0, 0, 0]], np.float32)
    listener = Member(**{**one.__dict__, "queries": listening, "out": 0.2 * one.out})
    deaf = Member(**{**listener.__dict__, "queries": 0 * listening})

    def change(network: Member) -> float:
        return float(np.abs(network.logits(quiet) - network.logits(loud)).max())

    assert change(listener) > 10 * change(deaf)


def test_the_network_comes_back_from_the_disk_as_rounded(tmp_path: Path) -> None:
    network = ScreeningNetwork([member(0), member(1)])
    network.save(tmp_path)
    loaded = ScreeningNetwork.load(tmp_path)
    assert len(loaded.members) == 2
    np.testing.assert_array_equal(loaded.probabilities(states(7)), network.rounded().probabilities(states(7)))
    np.testing.assert_allclose(loaded.probabilities(states(7)), network.probabilities(states(7)), atol=0.05)
