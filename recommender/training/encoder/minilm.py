"""Reads texts with all-MiniLM-L6-v2, for the nearest-neighbour baseline only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import AutoModel

from recommender.errors import ModelVersionError
from recommender.ranking.versions import sha256_of
from recommender.training.encoder.base import TOKENIZER_FILE, WEIGHTS_FILE

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LONGEST = 256
BATCH = 64


def minilm_vectors(folder: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """(n, 384) unit-length mean-pooled embeddings; the weights are checked by SHA-256."""
    found = sha256_of(folder / WEIGHTS_FILE)
    if found != MINILM_SHA256:
        raise ModelVersionError(f"weights {found[:12]}", wanted="all-MiniLM-L6-v2", where=str(folder))
    model: Any = AutoModel.from_pretrained(str(folder)).eval()
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(LONGEST)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    vectors = np.zeros((len(texts), model.config.hidden_size), np.float32)
    with torch.no_grad():
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            encoded = tokenizer.encode_batch([texts[i] for i in rows])
            ids = torch.tensor([e.ids for e in encoded])
            mask = torch.tensor([e.attention_mask for e in encoded])
            states = model(input_ids=ids, attention_mask=mask).last_hidden_state * mask[..., None]
            vectors[rows] = torch.nn.functional.normalize(states.sum(1), dim=1).numpy()
    return vectors
