"""Fine-tunes the upper layers on skills and screening together, from a head fitted on the frozen encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from recommender.training.encoder.base import DIMENSIONS, BaseEncoder

Floats = npt.NDArray[np.float32]

# Logits are this times the unit-length mean state times the head, the head's weights staying near one in size.
SCALE = 20.0
N_STATUSES = 4


@dataclass(frozen=True)
class Recipe:
    """Every choice of the encoder's training; the defaults are the ones cross-validation chose (see the card)."""

    kept_layers: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 9, 10, 11)
    """Of the twelve pretrained layers."""
    frozen_layers: int = 6
    """The first so many of the kept layers are not trained, so that their output can be computed once."""
    copies: int = 4
    epochs: int = 3
    batch: int = 24
    learning_rate: float = 1e-4
    layer_decay: float = 0.9
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up: float = 0.06
    written_share: float = 0.5
    """Share of the written corpus seen in an epoch; real texts are seen every time."""
    screening_weight: float = 0.5
    augmented_share: float = 0.7
    head_penalty: float = 2e-5
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


@dataclass(frozen=True)
class Examples:
    """Training rows in one order; ``states`` are the lower layers' outputs, the unchanged text first."""

    states: list[list[torch.Tensor]]
    skills: torch.Tensor
    """(rows, skills) soft targets; a row of zeros takes no part in ranking"""
    skill_weight: torch.Tensor
    status: torch.Tensor
    """(rows,) index of the screening status, -1 where the row takes no part in screening"""
    status_weight: torch.Tensor
    optional: npt.NDArray[np.bool_]
    """(rows,) True for written rows, of which each epoch sees ``written_share``"""

    def take(self, rows: Sequence[int]) -> Examples:
        """The given rows."""
        index = torch.tensor(list(rows))
        return Examples(
            [self.states[i] for i in rows], self.skills[index], self.skill_weight[index], self.status[index],
            self.status_weight[index], self.optional[list(rows)],
        )  # fmt: skip


class UpperNetwork(nn.Module):  # type: ignore[misc]
    """The trainable layers with a head for skills and one for screening."""

    def __init__(self, base: BaseEncoder, recipe: Recipe, n_skills: int) -> None:
        super().__init__()
        self._base = base
        self._recipe = recipe
        self.layers = base.layers[recipe.frozen_layers :]
        for parameter in self.layers.parameters():
            parameter.requires_grad = True
        self.skill_head = nn.Linear(DIMENSIONS, n_skills)
        self.status_head = nn.Linear(DIMENSIONS, N_STATUSES)
        nn.init.zeros_(self.status_head.weight)

    def embed(self, states: Sequence[torch.Tensor]) -> torch.Tensor:
        """(texts, dimensions) unit-length mean over word pieces, the two special pieces left out."""
        length = max(len(state) for state in states)
        padded = torch.zeros(len(states), length, DIMENSIONS, dtype=torch.bfloat16)
        mask = torch.zeros(len(states), length)
        content = torch.zeros(len(states), length)
        for row, state in enumerate(states):
            padded[row, : len(state)] = state
            mask[row, : len(state)] = 1
            content[row, 1 : len(state) - 1] = 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            upper = self._base.run(padded, self._recipe.frozen_layers, len(self._base.layers), mask)
        mean = (upper.float() * content[..., None]).sum(1) / content.sum(1, keepdim=True).clamp(min=1)
        return functional.normalize(mean, dim=1)

    def logits(self, embeddings: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(texts, skills) and (texts, statuses)."""
        scaled = SCALE * embeddings
        return self.skill_head(scaled), self.status_head(scaled)

    def embed_all(self, states: Sequence[torch.Tensor]) -> torch.Tensor:
        """Embeddings of many texts without dropout or gradient."""
        self.eval()
        order = sorted(range(len(states)), key=lambda i: len(states[i]))
        result = torch.zeros(len(states), DIMENSIONS)
        with torch.no_grad():
            for start in range(0, len(order), 48):
                rows = order[start : start + 48]
                result[rows] = self.embed([states[i] for i in rows])
        return result


def fit_linear(
    features: torch.Tensor, targets: torch.Tensor, weight: torch.Tensor, penalty: float, steps: int = 60
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights (classes, dimensions) and bias of a softmax regression on soft targets, L2-penalised, by L-BFGS."""
    weights = torch.zeros(features.shape[1], targets.shape[1], requires_grad=True)
    bias = torch.zeros(targets.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=steps, history_size=8, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        log_p = torch.log_softmax(features @ weights + bias, 1)
        loss = (-(targets * log_p).sum(1) * weight).sum() / weight.sum() + penalty * weights.pow(2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return weights.detach().T, bias.detach()


def finetune(
    base: BaseEncoder, examples: Examples, recipe: Recipe, say: Callable[[str], None] = lambda _: None
) -> UpperNetwork:
    """Train the upper layers and both heads; ``say`` hears each epoch's mean loss.

    The skill head starts from a linear probe on the frozen encoder (Kumar et al. 2022, "Fine-tuning can distort
    pretrained features": probe first, then tune), which costs seconds and keeps the first steps from wrecking it.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = UpperNetwork(base, recipe, examples.skills.shape[1])
    _start_from_probe(network, examples, recipe)
    optimiser = torch.optim.AdamW(_parameter_groups(network, recipe), weight_decay=recipe.weight_decay)
    rates = [group["lr"] for group in optimiser.param_groups]
    steps = recipe.epochs * -(-len(_epoch_rows(examples, recipe, np.random.default_rng(0))) // recipe.batch)
    step = 0
    for epoch in range(recipe.epochs):
        network.train()
        losses = []
        for rows, states in _epoch_batches(examples, recipe, rng):
            pace = min(1.0, (step + 1) / (recipe.warm_up * steps)) * max(0.02, 1 - step / steps)
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * pace
            losses.append(_step(network, optimiser, examples, rows, states, recipe))
            step += 1
        say(f"epoch {epoch + 1} of {recipe.epochs}: loss {np.mean(losses):.3f}")
    return network


def _start_from_probe(network: UpperNetwork, examples: Examples, recipe: Recipe) -> None:
    ranked = torch.nonzero(examples.skill_weight > 0).flatten()
    features = network.embed_all([examples.states[int(i)][0] for i in ranked])
    weights, bias = fit_linear(features, examples.skills[ranked], examples.skill_weight[ranked], recipe.head_penalty)
    with torch.no_grad():
        network.skill_head.weight.copy_(weights / SCALE)
        network.skill_head.bias.copy_(bias)


def _parameter_groups(network: UpperNetwork, recipe: Recipe) -> list[dict[str, Any]]:
    depth = len(network.layers)
    groups: list[dict[str, Any]] = [
        {"params": list(layer.parameters()), "lr": recipe.learning_rate * recipe.layer_decay ** (depth - 1 - i)}
        for i, layer in enumerate(network.layers)
    ]
    heads = [*network.skill_head.parameters(), *network.status_head.parameters()]
    return [*groups, {"params": heads, "lr": recipe.head_learning_rate}]


def _epoch_rows(examples: Examples, recipe: Recipe, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    optional = rng.permutation(np.flatnonzero(examples.optional))
    rows: npt.NDArray[np.int64] = np.r_[
        np.flatnonzero(~examples.optional), optional[: int(recipe.written_share * len(optional))]
    ]
    return rows


def _epoch_batches(
    examples: Examples, recipe: Recipe, rng: np.random.Generator
) -> list[tuple[npt.NDArray[np.int64], list[torch.Tensor]]]:
    """Batches of texts of similar length in random order, most of them as augmented variants."""
    rows = _epoch_rows(examples, recipe, rng)
    chosen = [int(rng.integers(len(examples.states[i]))) if rng.random() < recipe.augmented_share else 0 for i in rows]
    states = [examples.states[i][variant] for i, variant in zip(rows, chosen, strict=True)]
    blurred = np.array([len(state) for state in states]) * np.exp(rng.normal(0, 0.1, len(states)))
    order = np.argsort(blurred)
    batches = [order[start : start + recipe.batch] for start in range(0, len(order), recipe.batch)]
    return [(rows[batches[i]], [states[j] for j in batches[i]]) for i in rng.permutation(len(batches))]


def _step(
    network: UpperNetwork,
    optimiser: torch.optim.Optimizer,
    examples: Examples,
    rows: npt.NDArray[np.int64],
    states: list[torch.Tensor],
    recipe: Recipe,
) -> float:
    skill_logits, status_logits = network.logits(network.embed(states))
    weight, status_weight = examples.skill_weight[rows], examples.status_weight[rows]
    cross_entropy = -(examples.skills[rows] * torch.log_softmax(skill_logits, 1)).sum(1)
    ranking = (cross_entropy * weight).sum() / weight.sum().clamp(min=1)
    screening_loss = functional.cross_entropy(status_logits, examples.status[rows].clamp(min=0), reduction="none")
    screening = (screening_loss * status_weight).sum() / status_weight.sum().clamp(min=1)
    loss = ranking + recipe.screening_weight * screening
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return float(loss.item())
