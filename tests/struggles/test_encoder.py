"""The encoder's bytes: what it reads now is what it read when it was shipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recommender.ranking.recommender import Recommender
from recommender.struggles.encoder import WINDOW, Encoder, unit_mean

STORED = Path(__file__).parent / "encoder_vectors.json"


@pytest.fixture(scope="module")
def encoder(recommender: Recommender) -> Encoder:
    return recommender._encoder


def test_five_fixed_texts_still_give_the_stored_vectors(encoder: Encoder) -> None:
    for text, vector in json.loads(STORED.read_text()).items():
        np.testing.assert_allclose(unit_mean(encoder.read(text).states)[:16], vector, atol=1e-3)


def test_a_text_is_read_alike_every_time(encoder: Encoder) -> None:
    first, second = (encoder.read("They talk over me all day.").states for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_offsets_point_at_the_words_they_came_from(encoder: Encoder) -> None:
    text = "Nobody answers; they wait."
    tokens = encoder.read(text)
    assert "".join(text[a:b] for a, b in tokens.offsets).replace(" ", "") == text.replace(" ", "")
    assert len(tokens.states) == len(tokens.lower_states) == len(tokens.offsets)


def test_a_long_text_is_read_to_its_end_in_windows(encoder: Encoder) -> None:
    tokens = encoder.read("They talk over me all day. " * 60)
    assert len(tokens.states) > 2 * WINDOW


def test_a_text_without_a_piece_has_no_states(encoder: Encoder) -> None:
    tokens = encoder.read("")
    assert tokens.states.shape == (0, encoder.dimensions)
