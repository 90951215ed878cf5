"""Trains the screening network on the frozen lower states: cross-validated first, then on every text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from recommender.struggles.screening import STATUSES
from recommender.struggles.screening_network import Member, ScreeningNetwork
from recommender.training.corpus import Row
from recommender.training.encoder.base import DIMENSIONS, BaseEncoder
from recommender.training.encoder.lower import run_lower_layers
from recommender.training.folds import make_folds
from recommender.training.screening_out_of_fold import ScreeningOutOfFold

# Three networks from different seeds, averaged: steadier than one at a third of a millisecond each.
MEMBERS = 3
QUERIES = 8
HIDDEN = 96
EPOCHS = 6
BATCH = 32
LEARNING_RATE = 5e-4
WEIGHT_DECAY = 0.02
SMOOTHING = 0.02
DROPOUT = 0.25

Say = Callable[[str], None]
Integers = npt.NDArray[np.int64]


class _Net(nn.Module):  # type: ignore[misc]
    """Learned queries pool the states, their mean joins them, a small perceptron decides."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(DIMENSIONS)
        self.queries = nn.Linear(DIMENSIONS, QUERIES)
        self.hidden = nn.Linear(DIMENSIONS * (QUERIES + 1), HIDDEN)
        self.out = nn.Linear(HIDDEN, len(STATUSES))
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, states: Sequence[torch.Tensor]) -> torch.Tensor:
        length = max(map(len, states))
        padded = torch.zeros(len(states), length, DIMENSIONS)
        mask = torch.zeros(len(states), length, 1)
        for i, state in enumerate(states):
            padded[i, : len(state)] = state.float()
            mask[i, : len(state)] = 1
        normed = self.norm(padded)
        attention = torch.softmax(self.queries(normed) - 1e4 * (1 - mask), 1)
        pooled = torch.einsum("btq,btd->bqd", attention, normed).flatten(1)
        mean = (normed * mask).sum(1) / mask.sum(1)
        features = self.drop(torch.cat([pooled, mean], 1))
        return self.out(self.drop(nn.functional.gelu(self.hidden(features))))

    def member(self) -> Member:
        """The weights as arrays."""

        def array(tensor: torch.Tensor) -> npt.NDArray[np.float32]:
            values: npt.NDArray[np.float32] = tensor.detach().numpy().astype(np.float32)
            return values

        return Member(
            norm_scale=array(self.norm.weight), norm_shift=array(self.norm.bias),
            queries=array(self.queries.weight), queries_bias=array(self.queries.bias),
            hidden=array(self.hidden.weight), hidden_bias=array(self.hidden.bias),
            out=array(self.out.weight), out_bias=array(self.out.bias),
        )  # fmt: skip


def train_screening(
    base: BaseEncoder, rows: Sequence[Row], frozen_layers: int, say: Say
) -> tuple[ScreeningNetwork, ScreeningOutOfFold]:
    """The network trained on all rows, and what networks that never saw a text say about it."""
    # The two special pieces are left out, as the engine leaves them out.
    lower = run_lower_layers(base, [row.text for row in rows], layers=frozen_layers, copies=0, seed=0)
    states = [variants[0][1:-1] for variants in lower.variants]
    wanted = np.array([STATUSES.index(row.status) for row in rows])
    probabilities = np.zeros((len(rows), len(STATUSES)), np.float32)
    for number, (train, test) in enumerate(make_folds(rows)):
        network = _train(states, wanted, train)
        probabilities[test] = [network.probabilities(states[i].float().numpy()) for i in test]
        say(f"screening fold {number}")
    out_of_fold = ScreeningOutOfFold(tuple(row.id for row in rows), probabilities)
    return _train(states, wanted, np.arange(len(rows))), out_of_fold


def _train(states: Sequence[torch.Tensor], wanted: Integers, rows: Integers) -> ScreeningNetwork:
    return ScreeningNetwork([_train_member(states, wanted, rows, seed) for seed in range(MEMBERS)]).rounded()


def _train_member(states: Sequence[torch.Tensor], wanted: Integers, rows: Integers, seed: int) -> Member:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = _Net()
    optimiser = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    loss_of = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    steps = EPOCHS * -(-len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / (0.1 * steps)) * max(0.03, 1 - step / steps)
    )
    net.train()
    for _ in range(EPOCHS):
        blurred = np.array([len(states[i]) for i in rows]) * np.exp(rng.normal(0, 0.15, len(rows)))
        order = rows[np.argsort(blurred)]
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        for number in rng.permutation(len(batches)):
            batch = batches[number]
            loss = loss_of(net([states[i] for i in batch]), torch.tensor(wanted[batch]))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    net.eval()
    return net.member()


def save_screening(folder: Path, network: ScreeningNetwork, out_of_fold: ScreeningOutOfFold) -> None:
    """Write network and out-of-fold values to an encoder folder."""
    network.save(folder)
    out_of_fold.save(folder)
