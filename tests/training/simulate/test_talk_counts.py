from __future__ import annotations

import numpy as np
import pytest

from recommender.catalogue.instruments import load_instruments
from recommender.training.simulate.district_parameters import MoveRate
from recommender.training.simulate.parameters import load_parameters
from recommender.training.simulate.talk_counts import TALKMOVES, beta_shape, simulate_talk_counts, talk_score_table

LESSONS = 20_000


def test_the_beta_distribution_has_the_mean_and_sd_by_hand() -> None:
    # mean .2, SD .1: size = .16/.01 - 1 = 15, so 3 and 12
    assert beta_shape(MoveRate(mean=0.2, sd=0.1, source="a test")) == pytest.approx((3.0, 12.0))


def test_counts_have_the_published_mean_and_spread() -> None:
    talk = simulate_talk_counts(LESSONS, 0)
    share = talk.counts / talk.sentences[:, None]
    for column, move in enumerate(load_parameters().talk_counts.moves.values()):
        assert talk.rates[:, column].std() == pytest.approx(move.sd, rel=0.05)
        assert share[:, column].mean() == pytest.approx(move.mean, abs=5 * move.sd / np.sqrt(LESSONS))
        # The spread of counted shares is that of the rates and what counting adds: m(1-m)-ish over sentences.
        rate = talk.rates[:, column]
        noise = (rate * (1 - rate) / talk.sentences).mean()
        assert share[:, column].var() == pytest.approx(move.sd**2 + noise, rel=0.08)


def test_lessons_have_the_median_length_and_none_is_too_short() -> None:
    sentences = simulate_talk_counts(LESSONS, 1).sentences
    assert np.median(sentences) == pytest.approx(313, abs=6)
    assert sentences.min() == 100


def test_a_lesson_never_has_more_moves_than_sentences() -> None:
    talk = simulate_talk_counts(LESSONS, 2)
    assert (talk.counts >= 0).all()
    assert (talk.counts.sum(axis=1) <= talk.sentences).all()


def test_the_same_seed_counts_the_same() -> None:
    assert (simulate_talk_counts(50, 3).counts == simulate_talk_counts(50, 3).counts).all()
    assert (simulate_talk_counts(50, 3).counts != simulate_talk_counts(50, 4).counts).any()


def test_the_counts_are_scores_of_the_shipped_talk_instrument() -> None:
    talk = simulate_talk_counts(4, 0)
    table = talk_score_table(talk)
    instrument = load_instruments()[TALKMOVES]
    assert set(table["item"]) <= set(instrument.by_code)
    assert len(table) == 4 * 8
    first = table[table["teacher_id"] == "sim-t01"].set_index("item")["value"]
    assert first["teacher_sentences"] == talk.sentences[0]
    assert first["press_reasoning"] == talk.counts[0, talk.moves.index("press_reasoning")]
