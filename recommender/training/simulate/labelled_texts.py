"""Labelled texts of a simulated district, and which of them a teacher with known needs would write."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.catalogue.loader import Catalogue
from recommender.errors import GrowthError
from recommender.training.simulate.components import Floats
from recommender.training.simulate.population import Integers
from recommender.training.simulate.skill_needs import domain_averages

_CHUNK = 512
_KAPPA_MOST = 20.0
# Halving 20 twelve times: to within .005.
_KAPPA_STEPS = 12


@dataclass(frozen=True)
class LabelledTexts:
    """Texts by id with what labellers and the model said; the words themselves are not needed.

    ``targets`` (texts, skills): shares as ``corpus.soft_targets`` gives them, every row summing to 1.
    ``log_p`` (texts, skills): the text model's log-probabilities, from cross-validation. Raises GrowthError when the
    shapes differ, there is no text, or a row has no labels.
    """

    ids: tuple[str, ...]
    targets: npt.NDArray[np.floating]
    log_p: npt.NDArray[np.floating]

    def __post_init__(self) -> None:
        if not self.ids or self.targets.shape != self.log_p.shape or len(self.targets) != len(self.ids):
            raise GrowthError(
                f"{len(self.ids)} ids, targets {self.targets.shape} and log_p {self.log_p.shape}",
                wanted="as many rows each, at least one",
                where="labelled texts",
            )
        if not np.allclose(self.targets.sum(axis=1), 1, atol=1e-4):
            raise GrowthError("a text without labels", wanted="targets that sum to 1", where="labelled texts")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def first_skills(self) -> Integers:
        """(texts,) position of the skill with the largest share."""
        first: Integers = self.targets.argmax(axis=1)
        return first


def draw_texts(rng: np.random.Generator, texts: LabelledTexts, need: Floats, kappa: float) -> Integers:
    """(teachers,) position of one text a teacher, drawn with probability proportional to exp(kappa x fit).

    ``fit`` is the need (teachers, skills) averaged over the text's target shares; ``kappa`` 0 draws any text.
    """
    targets = texts.targets.T.astype(np.float64)
    drawn = np.empty(len(need), dtype=np.int64)
    for start in range(0, len(need), _CHUNK):
        part = need[start : start + _CHUNK]
        # The largest of logit + Gumbel noise is a draw from the softmax.
        drawn[start : start + _CHUNK] = (kappa * (part @ targets) + rng.gumbel(size=(len(part), len(texts)))).argmax(1)
    return drawn


def naming_correlation(texts: LabelledTexts, drawn: Integers, need: Floats, catalogue: Catalogue) -> float:
    """Correlation, over teachers and domains, of "the text's first skill is in the domain" with the domain's need.

    ``need`` (teachers, skills); a domain's need is the mean over its skills, standardised over the teachers.
    """
    averages = domain_averages(catalogue)
    domain_need = need @ averages
    domain_need = (domain_need - domain_need.mean(axis=0)) / domain_need.std(axis=0)
    named = averages[texts.first_skills[drawn]] > 0
    return float(np.corrcoef(named.ravel(), domain_need.ravel())[0, 1])


def choose_kappa(texts: LabelledTexts, need: Floats, catalogue: Catalogue, wanted: float, seed: int = 0) -> float:
    """The ``kappa`` whose draws reach the ``wanted`` naming correlation for these needs, by halving.

    Every step uses the same random numbers. Raises GrowthError when even a kappa of 20 stays below.
    """

    def reached(kappa: float) -> float:
        drawn = draw_texts(np.random.default_rng(seed), texts, need, kappa)
        return naming_correlation(texts, drawn, need, catalogue)

    if reached(_KAPPA_MOST) < wanted:
        raise GrowthError(f"a correlation below {wanted:g}", wanted="texts that can show the need", where="kappa")
    low, high = 0.0, _KAPPA_MOST
    for _ in range(_KAPPA_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) < wanted else (low, middle)
    return (low + high) / 2
