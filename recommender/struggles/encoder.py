"""The text encoder: a fine-tuned transformer run offline from weights in the repository."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

MODEL_FILE = "encoder.onnx"
TOKENIZER_FILE = "tokenizer.json"
OUTPUTS = ("states", "lower_states")

# Fine-tuning saw at most this many word pieces; a longer struggle is read in windows of this length.
WINDOW = 160


class TokenStates(NamedTuple):
    """What the encoder made of one text: a state per word piece and where each piece stands in the text."""

    states: Floats
    """(pieces, dimensions) of the last layer, tuned for skills"""
    lower_states: Floats
    """(pieces, dimensions) of the last layer that was left as pretrained; screening reads these"""
    offsets: Integers
    """(pieces, 2), half-open character spans"""


class Encoder:
    """Turns one text into contextual states, one per word piece.

    Each text is read alone, so its states cannot depend on what else is in a batch, and the same text gives the same
    bytes on the same machine. ``threads`` is ONNX Runtime's intra-op thread count (1: requests share the cores).
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / MODEL_FILE), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._first, self._last = self._special_ids()

    def _special_ids(self) -> tuple[int, int]:
        ids = self._tokenizer.encode("").ids
        return ids[0], ids[-1]

    def read(self, text: str) -> TokenStates:
        """States of ``text``; no pieces at all for a text without a known character."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        windows = [self._run(encoding.ids[i : i + WINDOW]) for i in range(0, len(encoding.ids), WINDOW)]
        if not windows:
            nothing = np.zeros((0, self.dimensions), np.float32)
            return TokenStates(nothing, nothing, offsets)
        states, lower_states = (np.concatenate(parts) for parts in zip(*windows, strict=True))
        return TokenStates(states, lower_states, offsets)

    def _run(self, ids: Sequence[int]) -> tuple[Floats, Floats]:
        window = np.asarray([[self._first, *ids, self._last]], dtype=np.int64)
        states, lower_states = self._session.run(OUTPUTS, {"input_ids": window})
        return states[0, 1:-1], lower_states[0, 1:-1]

    @property
    def dimensions(self) -> int:
        """Length of one state."""
        return int(self._session.get_outputs()[0].shape[-1])


def unit_mean(states: Floats) -> Floats:
    """Mean of (pieces, dimensions) states scaled to length one; zeros where there is nothing to scale."""
    if not len(states):
        return np.zeros(states.shape[1], np.float32)
    mean: Floats = states.mean(axis=0)
    norm = np.linalg.norm(mean)
    return np.asarray(mean / norm if norm > 0 else mean, np.float32)
