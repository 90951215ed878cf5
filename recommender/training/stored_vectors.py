"""MiniLM vectors of the project's own texts, stored so that the nearest-neighbour baseline runs without MiniLM."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommender.errors import DataFileError
from recommender.training.corpus import DATA_FOLDER

# all-MiniLM-L6-v2, mean pooled, unit length, one byte a dimension; made by `python -m recommender.training.encoder
# vectors`.
MINILM_FILE = DATA_FOLDER / "minilm_vectors.npz"

Floats = npt.NDArray[np.float32]


def text_key(text: str) -> str:
    """First 16 hex digits of a text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class StoredVectors:
    """Vectors by text."""

    rows: dict[str, int]
    vectors: npt.NDArray[np.int8]

    @classmethod
    def load(cls, file: Path = MINILM_FILE) -> StoredVectors:
        """Read the stored arrays."""
        with np.load(file, allow_pickle=False) as arrays:
            return cls({key: i for i, key in enumerate(arrays["keys"].tolist())}, arrays["vectors"])

    @staticmethod
    def save(file: Path, texts: Sequence[str], vectors: Floats) -> None:
        """Write unit-length ``vectors`` (n, dimensions) rounded to 1/127 of each row's largest value."""
        scaled = np.round(vectors / np.abs(vectors).max(axis=1, keepdims=True) * 127).astype(np.int8)
        np.savez_compressed(file, keys=np.array([text_key(text) for text in texts]), vectors=scaled)

    def embed(self, texts: Sequence[str]) -> Floats:
        """(n, dimensions) vectors. Raises DataFileError for a text that was not stored."""
        missing = sum(text_key(text) not in self.rows for text in texts)
        if missing:
            raise DataFileError(
                f"{missing} texts without a stored vector", wanted="the project's own texts",
                way_out="Run with --no-baselines for other files.",
            )  # fmt: skip
        return self.vectors[[self.rows[text_key(text)] for text in texts]].astype(np.float32)
