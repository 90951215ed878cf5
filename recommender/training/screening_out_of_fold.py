"""What screening networks say about texts they never saw: the ground for thresholds and honest figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommender.errors import DataFileError

SCREENING_OUT_OF_FOLD_FILE = "screening_out_of_fold.npz"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ScreeningOutOfFold:
    """Cross-validated status probabilities of every text the screening network learns from."""

    ids: tuple[str, ...]
    probabilities: Floats
    """(texts, 4), in the order of ``STATUSES``"""

    @classmethod
    def load(cls, encoder_folder: Path) -> ScreeningOutOfFold:
        """Read the arrays of an encoder folder; no pickle is involved."""
        with np.load(encoder_folder / SCREENING_OUT_OF_FOLD_FILE, allow_pickle=False) as arrays:
            return cls(tuple(arrays["ids"].tolist()), arrays["probabilities"])

    def save(self, encoder_folder: Path) -> None:
        """Write the arrays."""
        file = encoder_folder / SCREENING_OUT_OF_FOLD_FILE
        np.savez_compressed(file, ids=np.asarray(self.ids), probabilities=self.probabilities)

    def take(self, ids: Sequence[str]) -> Floats:
        """(n, 4) probabilities of the given ids, in that order. Raises DataFileError when one is missing."""
        position = {text_id: i for i, text_id in enumerate(self.ids)}
        missing = [text_id for text_id in ids if text_id not in position]
        if missing:
            raise DataFileError(
                f"{len(missing)} texts without screening values, {missing[0]!r} first",
                wanted="one for every real and screening text",
                way_out="Train screening again (README, Training the encoder).",
            )
        result: Floats = self.probabilities[[position[text_id] for text_id in ids]]
        return result
