"""What cross-validation said about texts its encoders never saw: the ground for calibration and honest figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommender.errors import DataFileError

OUT_OF_FOLD_FILE = "out_of_fold.npz"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class OutOfFold:
    """Log-probabilities per text id; each was made by an encoder trained without that text and its near-duplicates."""

    ids: tuple[str, ...]
    skill_log_p: Floats
    """(texts, skills)"""
    status_log_p: Floats
    """(texts, 4), in the order of ``STATUSES``"""

    @classmethod
    def join(cls, parts: Iterable[OutOfFold]) -> OutOfFold:
        """All parts as one."""
        parts = list(parts)
        return cls(
            tuple(i for part in parts for i in part.ids),
            np.concatenate([part.skill_log_p for part in parts]),
            np.concatenate([part.status_log_p for part in parts]),
        )

    @classmethod
    def load(cls, file: Path) -> OutOfFold:
        """Read the arrays; no pickle is involved."""
        with np.load(file, allow_pickle=False) as arrays:
            return cls(
                tuple(arrays["ids"].tolist()),
                arrays["skill_log_p"].astype(np.float32),
                arrays["status_log_p"].astype(np.float32),
            )

    def save(self, file: Path) -> None:
        """Write the arrays, half precision (differences below .01 in log-probability), sorted by id."""
        order = np.argsort(self.ids)
        np.savez_compressed(
            file,
            ids=np.asarray(self.ids)[order],
            skill_log_p=self.skill_log_p[order].astype(np.float16),
            status_log_p=self.status_log_p[order].astype(np.float16),
        )

    def take(self, ids: Sequence[str]) -> OutOfFold:
        """Rows of the given ids, in that order. Raises DataFileError when one is missing."""
        position = {text_id: i for i, text_id in enumerate(self.ids)}
        missing = [text_id for text_id in ids if text_id not in position]
        if missing:
            raise DataFileError(
                f"{len(missing)} texts without out-of-fold values, {missing[0]!r} first",
                wanted="one for every real and screening text",
                way_out="Run the encoder's cross-validation again (README, Training the encoder).",
            )
        rows = [position[text_id] for text_id in ids]
        return OutOfFold(tuple(ids), self.skill_log_p[rows], self.status_log_p[rows])
