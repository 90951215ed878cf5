import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.struggles.screening import STATUSES, Screener, Screening, Thresholds, decide
from recommender.struggles.screening_network import NETWORK_FILE, Member, ScreeningNetwork

bounded = settings(max_examples=200, deadline=None, derandomize=True)

# Quarters and eighths are exact in single precision, so that a test at a threshold tests the threshold.
THRESHOLDS = Thresholds(safeguarding=0.125, refuse=0.5)
SPANISH = "Mis alumnos hablan todo el tiempo mientras explico la lección y no sé cómo conseguir que me escuchen."
ENGLISH = "They talk all day while I explain, and I do not know how to make them listen to me."


def answer(*probabilities: float, other_language: bool = False, thresholds: Thresholds = THRESHOLDS) -> str:
    return decide(np.array(probabilities, np.float32), other_language, thresholds)


# The order of statuses


def test_an_ordinary_struggle_is_rankable():
    assert answer(1, 0, 0, 0) == "rankable"
    assert answer(0.75, 0.125, 0.125, 0) == "rankable"


def test_safeguarding_comes_before_everything_else():
    assert answer(0.875, 0, 0, 0.125) == "safeguarding"
    assert answer(0, 0, 0.875, 0.125) == "safeguarding"
    assert answer(0, 0.875, 0, 0.125, other_language=True) == "safeguarding"


def test_another_language_comes_before_what_the_head_says_of_the_rest():
    assert answer(1, 0, 0, 0, other_language=True) == "out_of_scope"
    assert answer(0, 1, 0, 0, other_language=True) == "out_of_scope"


def test_a_refused_text_gets_the_likelier_of_the_two_refusals():
    assert answer(0.25, 0.5, 0.25, 0) == "not_enough"
    assert answer(0.25, 0.25, 0.5, 0) == "out_of_scope"
    assert answer(0.25, 0.375, 0.375, 0) == "not_enough"


def test_the_two_refusals_count_together():
    # Neither reaches the threshold alone.
    assert answer(0.375, 0.25, 0.375, 0) == "out_of_scope"


def test_what_may_be_safeguarding_does_not_count_as_a_refusal():
    lenient = Thresholds(safeguarding=0.75, refuse=0.5)
    assert answer(0.25, 0.25, 0, 0.5, thresholds=lenient) == "rankable"


# Thresholds


def test_thresholds_are_inclusive():
    assert answer(0.875, 0, 0, 0.125) == "safeguarding"
    assert answer(0.890625, 0, 0, 0.109375) == "rankable"
    assert answer(0.5, 0.5, 0, 0) == "not_enough"
    assert answer(0.515625, 0.484375, 0, 0) == "rankable"


@pytest.mark.parametrize("safeguarding", [0.01, 0.1, 0.3])
def test_a_decimal_threshold_is_inclusive_too(safeguarding):
    p = np.array([1 - safeguarding, 0, 0, safeguarding], np.float32)
    assert decide(p, False, Thresholds(safeguarding, 0.5)) == "safeguarding"


@bounded
@given(
    st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda p: sum(p) > 0.01),
    st.booleans(),
    st.floats(0.01, 1),
    st.floats(0.01, 1),
)
def test_a_lower_threshold_never_lets_more_texts_through(weights, other_language, safeguarding, refuse):
    p = np.array(weights) / sum(weights)
    here = decide(p, other_language, Thresholds(safeguarding, refuse))
    stricter = decide(p, other_language, Thresholds(safeguarding / 2, refuse / 2))
    if here == "safeguarding":
        assert stricter == "safeguarding"
    if here != "rankable":
        assert stricter != "rankable"
    if other_language:
        assert here in ("safeguarding", "out_of_scope")


# The screener


def screener(bias: list[float]) -> Screener:
    """A screener whose one-member network always answers with the softmax of ``bias``."""
    zeros = np.zeros
    member = Member(
        norm_scale=np.ones(3, np.float32), norm_shift=zeros(3, np.float32), queries=zeros((1, 3), np.float32),
        queries_bias=zeros(1, np.float32), hidden=zeros((2, 6), np.float32), hidden_bias=zeros(2, np.float32),
        out=zeros((4, 2), np.float32), out_bias=np.array(bias, np.float32),
    )  # fmt: skip
    return Screener(ScreeningNetwork([member]), Thresholds(0.125, 0.5))


def test_a_text_without_a_known_character_is_not_enough():
    assert screener([9, 0, 0, 0]).screen("\u2063", np.zeros((0, 3), np.float32)) == Screening("not_enough", False)


@pytest.mark.parametrize("status", STATUSES)
def test_the_networks_classes_stand_in_the_order_of_the_statuses(status):
    bias = [0.0] * 4
    bias[STATUSES.index(status)] = 20
    assert screener(bias).screen(ENGLISH, np.ones((5, 3), np.float32)) == Screening(status, False)


def test_the_language_is_told_whatever_the_status():
    states = np.ones((5, 3), np.float32)
    assert screener([20, 0, 0, 0]).screen(SPANISH, states) == Screening("out_of_scope", True)
    assert screener([0, 0, 0, 20]).screen(SPANISH, states) == Screening("safeguarding", True)


def test_a_screener_is_the_same_after_it_was_saved(tmp_path):
    saved = screener([1, 2, 3, 4])
    saved.network.save(tmp_path)
    saved.thresholds.save(tmp_path)
    again = Screener.load(tmp_path, tmp_path)
    assert again.thresholds == saved.thresholds
    states = np.ones((5, 3), np.float32)
    assert (again.network.probabilities(states) == saved.network.probabilities(states)).all()


def test_a_network_file_that_hides_a_pickle_is_not_opened(tmp_path):
    with (tmp_path / NETWORK_FILE).open("wb") as stream:
        pickle.dump({"weights": [1]}, stream)
    with pytest.raises(ValueError, match="pickle"):
        ScreeningNetwork.load(tmp_path)
