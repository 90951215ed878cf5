"""From a struggle to a log-odds per skill that is an exact sum over the teacher's own phrases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import logsumexp

from recommender.struggles.clauses import Clause, split_clauses
from recommender.struggles.encoder import Encoder, Floats, TokenStates

HEAD_FILE = "text_head.npz"


@dataclass(frozen=True)
class TextEvidence:
    """What one struggle says about every skill.

    ``base + clause_effects.sum(axis=0)`` is the log-probability of each skill under the softmax head, exactly; no
    effect is an estimate.
    """

    clauses: list[Clause]
    clause_effects: Floats
    """(clauses, skills): how far each clause pushes each skill above the average skill"""
    base: Floats
    """(skills,): the head's bias less the normaliser, the part no phrase carries"""

    @property
    def log_probability(self) -> Floats:
        """(skills,) log-softmax of the head."""
        total: Floats = self.base + self.clause_effects.sum(axis=0)
        return total


class TextModel:
    """A softmax head over the encoder's mean state.

    The head is linear in the mean of the token states. With T tokens h_t, scale s and mean m, the logit of skill k is
    ``b_k + sum_t s (w_k . h_t) / (T |m|)``: a sum over tokens, hence over clauses.
    """

    def __init__(self, weights: Floats, bias: Floats, scale: float) -> None:
        self.weights = np.asarray(weights, np.float32)
        self.bias = np.asarray(bias, np.float32)
        self.scale = float(scale)

    @classmethod
    def load(cls, folder: Path) -> TextModel:
        """Read ``text_head.npz``: weights (skills, dimensions), bias (skills,), scale."""
        with np.load(folder / HEAD_FILE, allow_pickle=False) as arrays:
            return cls(arrays["weights"], arrays["bias"], float(arrays["scale"]))

    def save(self, folder: Path) -> None:
        """Write ``text_head.npz``."""
        np.savez(folder / HEAD_FILE, weights=self.weights, bias=self.bias, scale=np.float32(self.scale))

    def log_probabilities(self, embeddings: Floats) -> Floats:
        """(n, skills) log-softmax for (n, dimensions) unit-length embeddings."""
        logits = self.scale * embeddings @ self.weights.T + self.bias
        result: Floats = logits - logsumexp(logits, axis=1, keepdims=True)
        return result

    def read(self, text: str, tokens: TokenStates) -> TextEvidence:
        """Evidence of ``text``, whose token states the encoder already made."""
        per_token = self._token_effects(tokens.states)
        logits = self.bias + per_token.sum(axis=0)
        clauses = split_clauses(text)
        member = _clause_of_each_token(clauses, tokens)
        effects = np.zeros((len(clauses), len(self.bias)), np.float32)
        np.add.at(effects, member, per_token)
        effects -= effects.mean(axis=1, keepdims=True)
        base = logits - logsumexp(logits) - effects.sum(axis=0)
        return TextEvidence(clauses, effects, base.astype(np.float32))

    def _token_effects(self, states: Floats) -> Floats:
        mean = states.mean(axis=0)
        effects: Floats = states @ self.weights.T * (self.scale / (len(states) * np.linalg.norm(mean)))
        return effects


def _clause_of_each_token(clauses: list[Clause], tokens: TokenStates) -> np.ndarray:
    """Index of the clause in which each token begins; tokens between two clauses belong to the one before."""
    starts = np.asarray([clause.start for clause in clauses])
    return np.maximum(np.searchsorted(starts, tokens.offsets[:, 0], side="right") - 1, 0)


def read_struggle(text: str, encoder: Encoder, model: TextModel) -> TextEvidence:
    """Encode and read one struggle in one pass."""
    return model.read(text, encoder.read(text))
