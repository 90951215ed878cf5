from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from recommender.training.heads import Head, TunedHeads, refit

CLASSES, DIMENSIONS, N = 5, 6, 300


def head(seed: int = 0, classes: int = CLASSES, scale: float = 8.0) -> Head:
    rng = np.random.default_rng(seed)
    return Head(
        rng.normal(size=(classes, DIMENSIONS)).astype(np.float32), rng.normal(size=classes).astype(np.float32), scale
    )


def unit_embeddings(n: int = N, seed: int = 1) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, DIMENSIONS))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def targets_of(teacher: Head, embeddings: np.ndarray) -> np.ndarray:
    return np.exp(teacher.log_probabilities(embeddings))


def entropy_of(one: Head, embeddings: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> float:
    share = weight / weight.sum()
    return float(-(share[:, None] * targets * one.log_probabilities(embeddings)).sum())


EVEN = np.ones(N, np.float32)


def test_log_probabilities_of_a_hand_worked_head():
    one = Head(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.0, np.log(2)]), 2.0)
    # Logits (2 * .6, 2 * .8 + log 2) = (1.2, 2.293147).
    expected = log_softmax([1.2, 2.293147])
    np.testing.assert_allclose(one.log_probabilities(np.array([[0.6, 0.8]])), [expected], atol=1e-5)


def test_with_a_strong_pull_the_weights_stay_where_they_were_tuned():
    tuned, embeddings = head(0), unit_embeddings()
    fitted = refit(tuned, embeddings, targets_of(head(5), embeddings), EVEN, pull=1e6)
    np.testing.assert_allclose(fitted.weights, tuned.weights, atol=1e-4)
    assert fitted.scale == tuned.scale


def test_the_bias_is_free_whatever_the_pull():
    # The weights may hardly move, so the bias alone takes each class to its share.
    tuned = Head(np.zeros((CLASSES, DIMENSIONS), np.float32), np.zeros(CLASSES, np.float32), 8.0)
    share = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    fitted = refit(tuned, unit_embeddings(), np.tile(share, (N, 1)).astype(np.float32), EVEN, pull=100)
    np.testing.assert_allclose(fitted.weights, 0, atol=1e-3)
    np.testing.assert_allclose(np.exp(log_softmax(fitted.bias)), share, atol=1e-3)


def test_with_a_weak_pull_the_head_fits_the_data():
    tuned, teacher, embeddings = head(0), head(5), unit_embeddings()
    targets = targets_of(teacher, embeddings)
    fitted = refit(tuned, embeddings, targets, EVEN, pull=1e-8)
    before, after, best = (entropy_of(one, embeddings, targets, EVEN) for one in (tuned, fitted, teacher))
    assert after - best < 0.02 * (before - best)


def test_a_stronger_pull_keeps_the_head_nearer():
    tuned, embeddings = head(0), unit_embeddings()
    targets = targets_of(head(5), embeddings)
    moved = [
        float(((refit(tuned, embeddings, targets, EVEN, pull=pull).weights - tuned.weights) ** 2).sum())
        for pull in (1e-4, 1e-2, 1, 100)
    ]
    assert moved == sorted(moved, reverse=True)
    assert moved[0] > 10 * moved[-1]


def test_a_head_that_already_fits_does_not_move():
    tuned, embeddings = head(0), unit_embeddings()
    fitted = refit(tuned, embeddings, targets_of(tuned, embeddings), EVEN)
    np.testing.assert_allclose(fitted.weights, tuned.weights, atol=1e-4)
    np.testing.assert_allclose(fitted.bias, tuned.bias, atol=1e-4)


def test_only_the_proportion_of_the_weights_counts():
    tuned, embeddings = head(0), unit_embeddings()
    targets, weight = targets_of(head(5), embeddings), np.linspace(1, 3, N, dtype=np.float32)
    one, tenfold = (refit(tuned, embeddings, targets, factor * weight) for factor in (1, 10))
    np.testing.assert_allclose(one.weights, tenfold.weights, atol=1e-4)


def test_a_text_of_weight_three_counts_as_three_texts():
    tuned, embeddings = head(0), unit_embeddings(60)
    targets = targets_of(head(5), embeddings)
    weight = np.ones(60, np.float32)
    weight[:20] = 3
    repeated = np.concatenate([np.repeat(np.arange(20), 3), np.arange(20, 60)])
    heavy = refit(tuned, embeddings, targets, weight)
    many = refit(tuned, embeddings[repeated], targets[repeated], np.ones(100, np.float32))
    np.testing.assert_allclose(heavy.weights, many.weights, atol=1e-3)
    np.testing.assert_allclose(heavy.bias, many.bias, atol=1e-3)


def test_a_text_of_weight_nothing_says_nothing():
    tuned, embeddings = head(0), unit_embeddings()
    targets = targets_of(head(5), embeddings)
    weight = EVEN.copy()
    weight[100:] = 0
    noisy = targets.copy()
    noisy[100:] = 1 / CLASSES
    assert (refit(tuned, embeddings, targets, weight).weights == refit(tuned, embeddings, noisy, weight).weights).all()


def test_the_same_data_give_the_same_head_to_the_last_bit():
    tuned, embeddings = head(0), unit_embeddings()
    targets = targets_of(head(5), embeddings)
    first, second = (refit(tuned, embeddings, targets, EVEN) for _ in range(2))
    assert (first.weights == second.weights).all()
    assert (first.bias == second.bias).all()
    assert first.weights.dtype == first.bias.dtype == np.float32


@pytest.mark.parametrize("pull", [1e-3, 1.0])
def test_fitting_never_makes_the_objective_worse(pull):
    tuned, embeddings = head(0), unit_embeddings()
    targets = targets_of(head(5), embeddings)
    fitted = refit(tuned, embeddings, targets, EVEN, pull=pull)
    cost = entropy_of(fitted, embeddings, targets, EVEN) + pull * float(((fitted.weights - tuned.weights) ** 2).sum())
    assert cost <= entropy_of(tuned, embeddings, targets, EVEN) + 1e-6


def test_tuned_heads_are_the_same_after_they_were_saved(tmp_path):
    saved = TunedHeads(head(0, classes=115), head(1, classes=4))
    saved.save(tmp_path)
    again = TunedHeads.load(tmp_path)
    for before, after in ((saved.skills, again.skills), (saved.statuses, again.statuses)):
        assert (before.weights == after.weights).all()
        assert (before.bias == after.bias).all()
        assert before.scale == after.scale
