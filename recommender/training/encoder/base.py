"""The pretrained encoder everything starts from, checked by its SHA-256, and its layers as plain functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel

from recommender.errors import ModelVersionError
from recommender.ranking.versions import sha256_of

# sentence-transformers/all-mpnet-base-v2, Apache-2.0.
BASE_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"

DIMENSIONS = 768
MASKED = -1e4


class BaseEncoder:
    """Embeddings, relative position bias and the kept layers of all-mpnet-base-v2, frozen until told otherwise.

    Leaving out layers in the middle keeps what a linear probe finds (see the card) at three quarters of the size.
    """

    def __init__(self, folder: Path, kept_layers: Sequence[int]) -> None:
        found = sha256_of(folder / WEIGHTS_FILE)
        if found != BASE_SHA256:
            raise ModelVersionError(
                f"weights {found[:12]}", wanted=f"all-mpnet-base-v2, SHA-256 {BASE_SHA256[:12]}...", where=str(folder)
            )
        model: Any = AutoModel.from_pretrained(str(folder), attn_implementation="eager")
        for parameter in model.parameters():
            parameter.requires_grad = False
        self.embeddings = model.embeddings
        self.layers = nn.ModuleList([model.encoder.layer[i] for i in kept_layers])
        self._position_bias = model.encoder.compute_position_bias
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def embed_ids(self, ids: torch.Tensor) -> torch.Tensor:
        """(texts, length) ids to (texts, length, dimensions) input states."""
        states: torch.Tensor = self.embeddings(input_ids=ids)
        return states

    def run(self, states: torch.Tensor, first: int, last: int, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Apply layers ``first`` up to but without ``last``; ``mask`` (texts, length) is 1 where there is text."""
        bias = self._position_bias(states).to(states.dtype)
        added = None if mask is None else ((1 - mask) * MASKED)[:, None, None, :].to(states.dtype)
        for layer in self.layers[first:last]:
            states = layer(states, added, bias)[0]
        return states
