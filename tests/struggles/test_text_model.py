from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from recommender.struggles.encoder import TokenStates, unit_mean
from recommender.struggles.text_model import TextEvidence, TextModel

bounded = settings(max_examples=60, deadline=None, derandomize=True)

SKILLS, DIMENSIONS = 115, 48
STRUGGLE = "They talk all day, nobody ever listens - I just wait. Then it is over and I have taught nothing."


def tokens_of(text: str, states: np.ndarray | None = None, seed: int = 0) -> TokenStates:
    """One piece a word, with given or random states; punctuation is a piece of its own, as in real word pieces."""
    spans = [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]
    if states is None:
        states = np.random.default_rng(seed).normal(size=(len(spans), DIMENSIONS))
    states = np.asarray(states, np.float32)
    assert len(states) == len(spans)
    return TokenStates(states, states, np.asarray(spans, np.int64).reshape(-1, 2))


def random_model(seed: int = 1, scale: float = 12.0) -> TextModel:
    rng = np.random.default_rng(seed)
    return TextModel(rng.normal(size=(SKILLS, DIMENSIONS)), rng.normal(size=SKILLS), scale)


def head_log_softmax(model: TextModel, tokens: TokenStates) -> np.ndarray:
    logits = model.scale * unit_mean(tokens.states).astype(float) @ model.weights.T.astype(float) + model.bias
    return log_softmax(logits)


def check_sums(evidence: TextEvidence, expected: np.ndarray) -> None:
    total = evidence.base + evidence.clause_effects.sum(axis=0)
    np.testing.assert_allclose(total, expected, atol=1e-4)
    np.testing.assert_allclose(evidence.log_probability, expected, atol=1e-4)
    np.testing.assert_allclose(evidence.clause_effects.sum(axis=1), 0, atol=1e-3)
    assert np.exp(total.astype(float)).sum() == pytest.approx(1, abs=1e-4)


def test_base_and_clause_effects_add_up_to_the_heads_log_softmax():
    model, tokens = random_model(), tokens_of(STRUGGLE)
    evidence = model.read(STRUGGLE, tokens)
    assert evidence.clause_effects.shape == (5, SKILLS)
    check_sums(evidence, head_log_softmax(model, tokens))


words = st.sampled_from(["kids", "talk", "I", "wait", "and", "because", "nobody", "3rd"])
joints = st.sampled_from([" ", ", ", ". ", " - ", "\n", '." '])


@bounded
@given(
    st.lists(st.tuples(words, joints), min_size=1, max_size=60),
    st.integers(0, 2**32 - 1),
    st.floats(0.5, 30),
)
def test_they_add_up_for_any_text_states_and_scale(parts, seed, scale):
    text = "".join(word + joint for word, joint in parts)
    model, tokens = random_model(seed, scale), tokens_of(text, seed=seed)
    evidence = model.read(text, tokens)
    assert len(evidence.clauses) == len(evidence.clause_effects)
    check_sums(evidence, head_log_softmax(model, tokens))


def test_the_evidence_of_a_text_is_the_log_softmax_of_its_embedding():
    model, tokens = random_model(), tokens_of(STRUGGLE)
    (expected,) = model.log_probabilities(unit_mean(tokens.states)[np.newaxis])
    np.testing.assert_allclose(model.read(STRUGGLE, tokens).log_probability, expected, atol=1e-4)


def test_clause_effects_of_a_hand_worked_text():
    text = "one two three, four five six"
    states = [[3, 0], [0, 0], [0, 0], [0, 0], [0, 4], [0, 0], [0, 0]]
    model = TextModel(np.eye(2), np.array([1.0, 0.0]), 2.0)
    evidence = model.read(text, tokens_of(text, np.array(states)))
    # Seven pieces: mean (3, 4) / 7 of length 5/7, so a piece weighs 2 / (7 * 5/7) = .4 of itself.
    # First clause (1.2, 0), less its mean (.6, -.6); second (0, 1.6), less its mean (-.8, .8).
    np.testing.assert_allclose(evidence.clause_effects, [[0.6, -0.6], [-0.8, 0.8]], atol=1e-6)
    # Logits (1 + 1.2, 1.6) = (2.2, 1.6), normaliser 2.637488.
    np.testing.assert_allclose(evidence.base, [2.2 - 2.637488 + 0.2, 1.6 - 2.637488 - 0.2], atol=1e-5)


def effects_of_one_piece(text: str, piece: str) -> np.ndarray:
    """Clause effects of a text in which only one piece says anything."""
    spans = [match.group() for match in re.finditer(r"\w+|[^\w\s]", text)]
    states = np.array([[1.0, 0.0] if word == piece else [0.0, 0.0] for word in spans])
    model = TextModel(np.eye(2), np.zeros(2), 1.0)
    return model.read(text, tokens_of(text, states)).clause_effects[:, 0]


def test_a_piece_between_two_clauses_belongs_to_the_one_before():
    effects = effects_of_one_piece("They talk all day — I just wait", "—")
    np.testing.assert_allclose(effects, [0.5, 0.0], atol=1e-6)


def test_a_piece_before_the_first_clause_belongs_to_it():
    effects = effects_of_one_piece("  — They talk all day, nobody listens now", "—")
    np.testing.assert_allclose(effects, [0.5, 0.0], atol=1e-6)


def test_a_piece_belongs_to_the_clause_it_begins_in():
    text = "They talk all day, nobody ever listens"
    np.testing.assert_allclose(effects_of_one_piece(text, "They"), [0.5, 0.0], atol=1e-6)
    np.testing.assert_allclose(effects_of_one_piece(text, ","), [0.5, 0.0], atol=1e-6)
    np.testing.assert_allclose(effects_of_one_piece(text, "nobody"), [0.0, 0.5], atol=1e-6)
    np.testing.assert_allclose(effects_of_one_piece(text, "listens"), [0.0, 0.5], atol=1e-6)


def test_a_piece_that_reaches_over_two_clauses_belongs_to_the_one_it_begins_in():
    text = "They talk all day, nobody ever listens"
    states = np.array([[1, 0]], np.float32)
    model = TextModel(np.eye(2), np.zeros(2), 1.0)
    evidence = model.read(text, TokenStates(states, states, np.array([[14, 25]])))
    np.testing.assert_allclose(evidence.clause_effects[:, 0], [0.5, 0.0], atol=1e-6)


def test_a_clause_without_a_piece_has_no_effect():
    text = "They talk all day, nobody ever listens"
    tokens = tokens_of(text)
    first = TokenStates(tokens.states[:4], tokens.lower_states[:4], tokens.offsets[:4])
    evidence = random_model().read(text, first)
    assert not evidence.clause_effects[1].any()


@pytest.mark.parametrize("text", [" - ", "\n—\n"])
def test_a_text_of_dashes_alone_is_read_like_any_other(text):
    model, tokens = random_model(), tokens_of(text)
    check_sums(model.read(text, tokens), head_log_softmax(model, tokens))


def test_a_text_of_one_word_is_one_clause():
    model, tokens = random_model(), tokens_of("noise")
    evidence = model.read("noise", tokens)
    assert evidence.clause_effects.shape == (1, SKILLS)
    check_sums(evidence, head_log_softmax(model, tokens))


def test_a_model_is_the_same_after_it_was_saved(tmp_path):
    model = random_model()
    model.save(tmp_path)
    again = TextModel.load(tmp_path)
    assert (again.weights == model.weights).all()
    assert (again.bias == model.bias).all()
    assert again.scale == model.scale
