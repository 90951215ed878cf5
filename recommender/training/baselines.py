"""The rankers every model is measured against: chance, fashion, keywords, TF-IDF and the nearest training texts.

All learn from ``texts`` and soft ``targets`` ``(n, k)`` (``corpus.soft_targets``: rows sum to one, columns in catalogue
order) and score texts as ``(n, k)``, higher = better. All are deterministic.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.skill import Skill
from recommender.errors import GrowthError
from recommender.training.metrics import FloatArray, Floats

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


class Baseline(ABC):
    """A ranker of all skills for a text."""

    def fit(self, texts: Sequence[str], targets: Floats) -> Self:
        """Learn from training texts; a baseline that keeps this method needs none."""
        _check_training(texts, targets)
        return self

    @abstractmethod
    def score(self, texts: Sequence[str]) -> FloatArray:
        """Scores ``(len(texts), k)`` of one text or more; raises GrowthError when it has to be fitted first."""


class Random(Baseline):
    """Uniform scores drawn from ``seed`` and the text itself, so that order and batches do not matter."""

    def __init__(self, seed: int = 0, n_skills: int | None = None) -> None:
        self.seed = seed
        self.n_skills = len(load_catalogue()) if n_skills is None else n_skills

    def score(self, texts: Sequence[str]) -> FloatArray:
        """Scores in 0..1."""
        return np.array([self._draw(text) for text in texts])

    def _draw(self, text: str) -> FloatArray:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        return np.random.default_rng([self.seed, int.from_bytes(digest[:8])]).random(self.n_skills)


class Popularity(Baseline):
    """The same list for everyone: skills by their mean target in training."""

    share_: FloatArray | None = None

    def fit(self, texts: Sequence[str], targets: Floats) -> Self:
        """Learn each skill's mean target."""
        _check_training(texts, targets)
        self.share_ = targets.mean(axis=0, dtype=np.float64)
        return self

    def score(self, texts: Sequence[str]) -> FloatArray:
        """Mean targets in 0..1, one and the same row for every text."""
        return np.tile(_fitted(self.share_, self), (len(texts), 1))


class BM25(Baseline):
    """Keyword match with the catalogue, Okapi BM25 (Robertson and Zaragoza 2009); needs no training.

    A query word t adds ``idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length))``, once for each time the
    text uses it, with ``idf = ln(1 + (N - df + .5) / (df + .5))`` (Lucene's, never negative). Words are lower-cased
    runs of letters and digits; no stemming, no stop words. ``documents`` default to each skill's name, definition,
    summary and look-fors. ``k1`` 1.2 and ``b`` .75 are the customary defaults.
    """

    def __init__(self, documents: Sequence[str] | None = None, k1: float = 1.2, b: float = 0.75) -> None:
        documents = [skill_document(skill) for skill in load_catalogue()] if documents is None else documents
        words = [_words(document) for document in documents]
        self.row = {word: i for i, word in enumerate(sorted({word for document in words for word in document}))}
        frequency = np.zeros((len(self.row), len(words)))
        for column, document in enumerate(words):
            np.add.at(frequency[:, column], [self.row[word] for word in document], 1)
        length = frequency.sum(axis=0)
        containing = (frequency > 0).sum(axis=1, keepdims=True)
        idf = np.log1p((len(words) - containing + 0.5) / (containing + 0.5))
        saturation = frequency + k1 * (1 - b + b * length / length.mean())
        inside = np.divide(frequency, saturation, out=np.zeros_like(frequency), where=frequency > 0)
        self.weights: FloatArray = idf * inside * (k1 + 1)

    def score(self, texts: Sequence[str]) -> FloatArray:
        """Scores of 0 or more; 0 where text and document share no word."""
        known = [[self.row[word] for word in _words(text) if word in self.row] for text in texts]
        return np.array([self.weights[rows].sum(axis=0) for rows in known])


class TfidfLogistic(Baseline):
    """Multinomial logistic regression on words (1-2) and letters (3-4 within words), sublinear TF-IDF.

    Each training text stands once for every skill of its target, weighted by it, which is the cross-entropy with the
    soft target. ``inverse_penalty`` 20, ``tolerance`` 2e-3 (some 30 steps) and leaving out terms of a single text were
    chosen on held-out training rows: the strongest of what fits within a minute.
    """

    def __init__(self, inverse_penalty: float = 20.0, tolerance: float = 2e-3) -> None:
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, min_df=2)
        self.features = FeatureUnion([("words", words), ("letters", letters)])
        self.inverse_penalty = inverse_penalty
        self.tolerance = tolerance
        self.n_skills = 0
        self.model_: Any = None

    def fit(self, texts: Sequence[str], targets: Floats) -> Self:
        """Fit both parts; 5,500 texts and 115 skills take about 40 seconds on one core."""
        _check_training(texts, targets)
        row, skill = np.nonzero(targets)
        if len(np.unique(skill)) < 2:
            raise GrowthError("training targets of one skill", wanted="two skills or more", where="TfidfLogistic")
        vectors = self.features.fit_transform(texts).astype(np.float32).tocsr()
        model = LogisticRegression(C=self.inverse_penalty, tol=self.tolerance, max_iter=200)
        self.model_ = model.fit(vectors[row], skill, sample_weight=targets[row, skill])
        self.n_skills = targets.shape[1]
        return self

    def score(self, texts: Sequence[str]) -> FloatArray:
        """Log-probability of being the first skill; -inf for a skill that no training text had."""
        model = _fitted(self.model_, self)
        scores = np.full((len(texts), self.n_skills), -np.inf)
        scores[:, model.classes_] = model.predict_log_proba(self.features.transform(texts))
        return scores


class NearestNeighbour(Baseline):
    """The soft targets of the ``k`` most similar training texts, averaged by cosine similarity.

    ``embed`` turns texts into vectors ``(n, d)``; negative similarities count as 0. ``k`` is 10: enough to cover a
    skill's spread, few enough to stay near.
    """

    def __init__(self, embed: Callable[[list[str]], Floats], k: int = 10) -> None:
        self.embed = embed
        self.k = k
        self.vectors_: FloatArray | None = None
        self.targets_: Floats | None = None

    def fit(self, texts: Sequence[str], targets: Floats) -> Self:
        """Keep the training texts' unit vectors and targets."""
        _check_training(texts, targets)
        self.vectors_, self.targets_ = self._unit_vectors(texts), targets
        return self

    def score(self, texts: Sequence[str]) -> FloatArray:
        """Weighted mean targets, 0..1; all 0 where no training text is similar at all."""
        targets = _fitted(self.targets_, self)
        similarity = self._unit_vectors(texts) @ _fitted(self.vectors_, self).T
        nearest = np.argsort(-similarity, axis=1, kind="stable")[:, : self.k]
        weight = np.take_along_axis(similarity, nearest, axis=1).clip(min=0)
        total = weight.sum(axis=1, keepdims=True)
        share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
        votes: FloatArray = np.einsum("nj,njk->nk", share, targets[nearest])
        return votes

    def _unit_vectors(self, texts: Sequence[str]) -> FloatArray:
        vectors = np.asarray(self.embed(list(texts)), dtype=np.float64)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        units: FloatArray = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
        return units


def skill_document(skill: Skill) -> str:
    """What the catalogue says about one skill in words a keyword can match."""
    return " ".join((skill.name, skill.definition, skill.summary, *skill.look_fors))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("’", "'"))


def _check_training(texts: Sequence[str], targets: Floats) -> None:
    if targets.ndim != 2 or len(texts) != len(targets) or not len(texts):
        raise GrowthError(
            f"{len(texts)} texts beside targets of shape {targets.shape}",
            wanted="one row of targets a text, at least one",
            where="baseline",
        )


def _fitted(learnt: Any, baseline: Baseline) -> Any:
    if learnt is None:
        name = type(baseline).__name__
        raise GrowthError(f"an unfitted {name}", wanted="a fitted one", way_out="Call fit first.", where=name)
    return learnt
