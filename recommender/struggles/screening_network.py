"""The network that reads a text's lower states and gives each status a probability, in plain numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import erf, softmax

from recommender.struggles.encoder import Floats

NETWORK_FILE = "screening_network.npz"

_NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class Member:
    """One network: queries pool the normed states by attention, a perceptron with one hidden layer decides."""

    norm_scale: Floats
    norm_shift: Floats
    queries: Floats
    """(queries, dimensions)"""
    queries_bias: Floats
    hidden: Floats
    """(hidden, dimensions * (queries + 1)): the pooled states in the order of the queries, then their mean"""
    hidden_bias: Floats
    out: Floats
    """(statuses, hidden)"""
    out_bias: Floats

    def logits(self, states: Floats) -> Floats:
        """(statuses,) for the (pieces, dimensions) states of one text."""
        centred = states - states.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + _NORM_EPSILON)
        normed = centred / spread * self.norm_scale + self.norm_shift
        attention = softmax(normed @ self.queries.T + self.queries_bias, axis=0)
        features = np.concatenate([(attention.T @ normed).ravel(), normed.mean(axis=0)])
        inner = self.hidden @ features + self.hidden_bias
        active = 0.5 * inner * (1 + erf(inner / np.sqrt(2)))
        result: Floats = self.out @ active + self.out_bias
        return result


class ScreeningNetwork:
    """The mean of several members' probabilities."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = list(members)

    def probabilities(self, states: Floats) -> Floats:
        """(statuses,) for the (pieces, dimensions) lower states of one text."""
        states = np.asarray(states, np.float32)
        result: Floats = np.mean([softmax(member.logits(states)) for member in self.members], axis=0)
        return result

    def rounded(self) -> ScreeningNetwork:
        """The network as it comes back from the disk, its large matrix in 8 bits a row."""
        return ScreeningNetwork([replace(member, hidden=_unpack(*_pack(member.hidden))) for member in self.members])

    def save(self, folder: Path) -> None:
        """Write ``screening_network.npz``."""
        arrays: dict[str, Any] = {}
        for number, member in enumerate(self.members):
            for field in fields(Member):
                value = getattr(member, field.name)
                if field.name == "hidden":
                    arrays[f"{number}.hidden"], arrays[f"{number}.hidden_scale"] = _pack(value)
                else:
                    arrays[f"{number}.{field.name}"] = value
        np.savez(folder / NETWORK_FILE, **arrays)

    @classmethod
    def load(cls, folder: Path) -> ScreeningNetwork:
        """Read ``screening_network.npz``; no pickle is involved."""
        with np.load(folder / NETWORK_FILE, allow_pickle=False) as arrays:
            numbers = sorted({int(name.split(".")[0]) for name in arrays.files})
            return cls([_member(arrays, number) for number in numbers])


def _member(arrays: np.lib.npyio.NpzFile, number: int) -> Member:
    values = {f.name: arrays[f"{number}.{f.name}"] for f in fields(Member)}
    return Member(**{**values, "hidden": _unpack(values["hidden"], arrays[f"{number}.hidden_scale"])})


def _pack(matrix: Floats) -> tuple[np.ndarray, Floats]:
    scale = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / 127
    return np.round(matrix / scale).astype(np.int8), scale.astype(np.float32)


def _unpack(rows: np.ndarray, scale: Floats) -> Floats:
    result: Floats = rows.astype(np.float32) * scale
    return result
