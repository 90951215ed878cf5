from __future__ import annotations

import numpy as np
import pytest

from recommender.catalogue.loader import load_catalogue
from recommender.errors import GrowthError
from recommender.training.simulate.labelled_texts import LabelledTexts, choose_kappa, draw_texts, naming_correlation

SKILLS = len(load_catalogue())


def one_skill_texts() -> LabelledTexts:
    """One text a skill, about that skill alone."""
    targets = np.eye(SKILLS)
    return LabelledTexts(tuple(load_catalogue().ids), targets, np.log(targets + 0.01))


def test_texts_are_drawn_in_proportion_to_the_exponent_of_their_fit() -> None:
    texts = LabelledTexts(("a", "b"), np.eye(SKILLS)[:2], np.zeros((2, SKILLS)))
    need = np.zeros((20_000, SKILLS))
    need[:, 0] = 1.0
    drawn = draw_texts(np.random.default_rng(0), texts, need, kappa=0.8)
    # exp(.8) against exp(0)
    assert (drawn == 0).mean() == pytest.approx(np.exp(0.8) / (1 + np.exp(0.8)), abs=0.014)
    assert (draw_texts(np.random.default_rng(0), texts, need, kappa=0.0) == 0).mean() == pytest.approx(0.5, abs=0.014)


def test_a_strong_kappa_draws_the_text_of_the_largest_need() -> None:
    need = np.random.default_rng(0).standard_normal((300, SKILLS))
    drawn = draw_texts(np.random.default_rng(1), one_skill_texts(), need, kappa=500.0)
    assert (drawn == need.argmax(axis=1)).mean() > 0.98


def test_the_naming_correlation_by_hand() -> None:
    catalogue = load_catalogue()
    texts = one_skill_texts()
    # Two kinds of teacher, each with need in one domain only, each naming it.
    need = np.zeros((2, SKILLS))
    first, last = 0, SKILLS - 1
    for row, skill in enumerate((first, last)):
        for column, other in enumerate(catalogue):
            need[row, column] = float(other.domain == catalogue.skills[skill].domain)
    right = naming_correlation(texts, np.array([first, last]), np.vstack([need]) + NOISE, catalogue)
    wrong = naming_correlation(texts, np.array([last, first]), np.vstack([need]) + NOISE, catalogue)
    assert right > 0.2 and wrong == pytest.approx(-right, abs=0.1)


# Keeps the spread of every domain above 0 where two teachers would be alike.
NOISE = np.random.default_rng(9).standard_normal((2, SKILLS)) * 1e-3


def test_the_chosen_kappa_reaches_the_correlation_that_was_asked_for() -> None:
    catalogue = load_catalogue()
    need = np.random.default_rng(0).standard_normal((1500, SKILLS))
    texts = one_skill_texts()
    kappa = choose_kappa(texts, need, catalogue, 0.05, seed=0)
    drawn = draw_texts(np.random.default_rng(0), texts, need, kappa)
    assert naming_correlation(texts, drawn, need, catalogue) == pytest.approx(0.05, abs=0.003)
    assert kappa > choose_kappa(texts, need, catalogue, 0.02, seed=0)


def test_a_correlation_no_text_can_reach_is_refused() -> None:
    need = np.random.default_rng(0).standard_normal((200, SKILLS))
    with pytest.raises(GrowthError, match=r"below 0\.9"):
        choose_kappa(one_skill_texts(), need, load_catalogue(), 0.9)


@pytest.mark.parametrize(
    ("ids", "targets"),
    [((), np.zeros((0, SKILLS))), (("a",), np.eye(SKILLS)[:2]), (("a", "b"), np.zeros((2, SKILLS)))],
)
def test_texts_without_labels_or_of_other_lengths_are_refused(ids, targets) -> None:
    with pytest.raises(GrowthError, match="labelled texts"):
        LabelledTexts(ids, targets, np.zeros(targets.shape))
