"""Fits the linear heads on the encoder's embeddings: the part of training that needs no torch and takes minutes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from recommender.ranking.batch import available_cores
from recommender.struggles.encoder import Encoder, unit_mean

HEADS_FILE = "heads.npz"

# Pull towards the heads the encoder was tuned with. Stronger than the data on purpose: the encoder has seen these
# texts, so a free fit would trust them too much.
PULL = 0.1
MAX_STEPS = 60

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """A softmax head: logits = scale * embedding @ weights.T + bias."""

    weights: Floats
    """(classes, dimensions)"""
    bias: Floats
    """(classes,)"""
    scale: float

    def log_probabilities(self, embeddings: Floats) -> Floats:
        """(n, classes) log-softmax."""
        result: Floats = log_softmax(self.scale * embeddings @ self.weights.T + self.bias, axis=1)
        return result


@dataclass(frozen=True)
class TunedHeads:
    """The heads an encoder was tuned with; the one for screening only shaped the encoder."""

    skills: Head
    statuses: Head

    @classmethod
    def load(cls, encoder_folder: Path) -> TunedHeads:
        """Read ``heads.npz`` of an encoder folder."""
        with np.load(encoder_folder / HEADS_FILE, allow_pickle=False) as arrays:
            scale = float(arrays["scale"])
            return cls(
                Head(arrays["skill_weights"], arrays["skill_bias"], scale),
                Head(arrays["status_weights"], arrays["status_bias"], scale),
            )

    def save(self, encoder_folder: Path) -> None:
        """Write ``heads.npz``."""
        np.savez(
            encoder_folder / HEADS_FILE,
            skill_weights=self.skills.weights,
            skill_bias=self.skills.bias,
            status_weights=self.statuses.weights,
            status_bias=self.statuses.bias,
            scale=np.float32(self.skills.scale),
        )


def refit(tuned: Head, embeddings: Floats, targets: Floats, weight: Floats, pull: float = PULL) -> Head:
    """Maximum a posteriori fit on soft targets with a Gaussian prior around the tuned head.

    ``targets`` (n, classes) rows sum to one, ``weight`` (n,). Minimises the weighted mean cross-entropy plus ``pull``
    times the squared distance from the tuned weights (bias free). Deterministic: L-BFGS from the tuned head.
    """
    features = (tuned.scale * embeddings).astype(np.float64)
    share = (weight / weight.sum()).astype(np.float64)[:, None]
    n_classes, dimensions = tuned.weights.shape
    start = np.c_[tuned.weights, tuned.bias].astype(np.float64)

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        theta = flat.reshape(n_classes, dimensions + 1)
        logits = features @ theta[:, :-1].T + theta[:, -1]
        moved = theta[:, :-1] - start[:, :-1]
        value = -(share * targets * log_softmax(logits, axis=1)).sum() + pull * (moved**2).sum()
        gap = share * (softmax(logits, axis=1) - targets)
        gradient = np.c_[gap.T @ features + 2 * pull * moved, gap.sum(axis=0)]
        return float(value), gradient.ravel()

    fitted = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS}).x
    theta = fitted.reshape(n_classes, dimensions + 1).astype(np.float32)
    return Head(theta[:, :-1], theta[:, -1], tuned.scale)


def embed_texts(encoder_folder: Path, texts: Sequence[str]) -> Floats:
    """(n, dimensions) unit-length mean states by the shipped encoder, on all cores."""
    cores = available_cores()
    chunks = [list(texts[start : start + 64]) for start in range(0, len(texts), 64)]
    with ProcessPoolExecutor(cores, get_context("spawn"), _open_encoder, (encoder_folder,)) as pool:
        return np.concatenate(list(pool.map(_embed_chunk, chunks)))


_encoder: Encoder | None = None


def _open_encoder(folder: Path) -> None:
    global _encoder
    _encoder = Encoder(folder)


def _embed_chunk(texts: list[str]) -> Floats:
    assert _encoder is not None
    return np.stack([unit_mean(_encoder.read(text).states) for text in texts])
