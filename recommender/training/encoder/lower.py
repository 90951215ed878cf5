"""Runs the frozen lower layers once over every text and its augmented variants, so that training never repeats them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from recommender.struggles.encoder import WINDOW
from recommender.training.augment import augment
from recommender.training.encoder.base import BaseEncoder

# Texts of similar length share a batch; this many word pieces fit in one.
BATCH_PIECES = 4_000
BATCH_TEXTS = 64


@dataclass(frozen=True)
class LowerStates:
    """Output of the frozen layers: per text a list of variants, the text itself first, each (length, dimensions)."""

    variants: list[list[torch.Tensor]]


def run_lower_layers(base: BaseEncoder, texts: Sequence[str], *, layers: int, copies: int, seed: int) -> LowerStates:
    """States of each text and of up to ``copies`` augmented variants after the first ``layers`` layers, bfloat16."""
    rng = np.random.default_rng(seed)
    wanted = [(i, text) for i, text in enumerate(texts)]
    for _ in range(copies):
        changed = ((i, augment(text, rng)) for i, text in enumerate(texts))
        wanted += [(i, variant) for i, variant in changed if variant.strip() and variant != texts[i]]
    pieces = [_ids(base, text) for _, text in wanted]
    order = sorted(range(len(wanted)), key=lambda j: len(pieces[j]))
    states: list[torch.Tensor | None] = [None] * len(wanted)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for batch in _batches(order, pieces):
            for j, state in zip(batch, _run_batch(base, [pieces[j] for j in batch], layers), strict=True):
                states[j] = state
    variants: list[list[torch.Tensor]] = [[] for _ in texts]
    for (i, _), state in zip(wanted, states, strict=True):
        assert state is not None
        variants[i].append(state)
    return LowerStates(variants)


def _ids(base: BaseEncoder, text: str) -> list[int]:
    first, last = base.tokenizer.encode("").ids
    content: list[int] = base.tokenizer.encode(text, add_special_tokens=False).ids
    return [first, *content[:WINDOW], last]


def _batches(order: list[int], pieces: list[list[int]]) -> list[list[int]]:
    batches: list[list[int]] = []
    start = 0
    while start < len(order):
        longest = len(pieces[order[min(start + BATCH_TEXTS, len(order)) - 1]])
        size = max(8, min(BATCH_TEXTS, BATCH_PIECES // longest))
        batches.append(order[start : start + size])
        start += size
    return batches


def _run_batch(base: BaseEncoder, ids: list[list[int]], layers: int) -> list[torch.Tensor]:
    length = max(map(len, ids))
    padded = torch.ones(len(ids), length, dtype=torch.long)
    mask = torch.zeros(len(ids), length)
    for row, content in enumerate(ids):
        padded[row, : len(content)] = torch.tensor(content)
        mask[row, : len(content)] = 1
    states = base.run(base.embed_ids(padded), 0, layers, mask).bfloat16()
    return [states[row, : len(content)].clone() for row, content in enumerate(ids)]
