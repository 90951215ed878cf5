"""Gathers the training rows of every kind into one set of examples for the encoder."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import torch

from recommender.catalogue.loader import Catalogue
from recommender.struggles.screening import STATUSES
from recommender.training.corpus import REAL, SCREENING_TUNING, WRITTEN, Row, load_rows, soft_targets
from recommender.training.encoder.base import BaseEncoder
from recommender.training.encoder.finetune import Examples, Recipe
from recommender.training.encoder.lower import run_lower_layers

# Real struggles are the cheapest quality there is: each counts three written ones (2 to 4 measured alike).
REAL_WEIGHT = 3.0
# There are four written struggles to each other text; this keeps them from drowning the screening classes.
WRITTEN_STATUS_WEIGHT = 0.1


@dataclass(frozen=True)
class Sources:
    """All training rows with their positions in ``examples``; catalogue texts stand last."""

    written: tuple[Row, ...]
    real: tuple[Row, ...]
    screening: tuple[Row, ...]
    examples: Examples

    @property
    def real_start(self) -> int:
        """Position of the first real struggle."""
        return len(self.written)

    @property
    def screening_start(self) -> int:
        """Position of the first screening text."""
        return len(self.written) + len(self.real)

    def training_positions(
        self, real: Iterable[int], screening: Iterable[int], *, without_written: Collection[int] = ()
    ) -> list[int]:
        """Positions of all catalogue texts, of the chosen real and screening ones and of the written ones kept."""
        held_back = frozenset(without_written)
        catalogue_start = self.screening_start + len(self.screening)
        return [
            *(i for i in range(self.real_start) if i not in held_back),
            *(self.real_start + int(i) for i in real),
            *(self.screening_start + int(i) for i in screening),
            *range(catalogue_start, len(self.examples.states)),
        ]


def gather(base: BaseEncoder, catalogue: Catalogue, recipe: Recipe) -> Sources:
    """Read every training file and run the frozen layers over it."""
    written, screening = load_rows(WRITTEN), load_rows(SCREENING_TUNING)
    real = tuple(row for file in REAL for row in load_rows(file))
    texts = [row.text for row in (*written, *real, *screening)]
    definitions = [f"{skill.name}. {skill.definition}" for skill in catalogue]
    states = run_lower_layers(
        base, [*texts, *definitions], layers=recipe.frozen_layers, copies=recipe.copies, seed=recipe.seed
    ).variants
    skills = np.concatenate([soft_targets((*written, *real, *screening), catalogue), np.eye(len(catalogue))])
    n_written, n_real, n_screening = len(written), len(real), len(screening)
    ones = np.ones
    examples = Examples(
        states=states,
        skills=torch.tensor(skills, dtype=torch.float32),
        skill_weight=_vector(ones(n_written), REAL_WEIGHT * ones(n_real), np.zeros(n_screening), ones(len(catalogue))),
        status=torch.tensor(
            [*(0 for _ in (*written, *real)), *(STATUSES.index(row.status) for row in screening)]
            + [-1] * len(catalogue)
        ),
        status_weight=_vector(
            WRITTEN_STATUS_WEIGHT * ones(n_written), ones(n_real), ones(n_screening), np.zeros(len(catalogue))
        ),
        optional=np.arange(len(states)) < n_written,
    )
    return Sources(written, real, screening, examples)


def _vector(*parts: np.ndarray) -> torch.Tensor:
    return torch.tensor(np.concatenate(parts), dtype=torch.float32)
