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


def minilm_vectors(folder: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """(n, 384) unit-length mean-pooled embeddings; the weights are checked by SHA-256."""
    found = sha256_of(folder / WEIGHTS_FILE)
    if found != MINILM_SHA256:
        raise ModelVersionError(f"weights {found[:12]}", wanted="all-MiniLM-L6-v2", where=str(folder))
    model: Any = AutoModel.from_pretrained(str(folder)).eval()
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    vectors = []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([tokenizer.encode(text).ids])
            mean = model(input_ids=ids).last_hidden_state[0].mean(0)
            vectors.append(torch.nn.functional.normalize(mean, dim=0).numpy())
    return np.stack(vectors)
