from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from app_caller import Caller

from recommender.cases import Case, Ranking, Suggestion
from service.metrics import Metrics
from service.store.feedback import feedback_lag
from service.store.shares import share_case


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(f"growth_{name}", labels) or 0.0


def ranking(status="ranked", probabilities=()):
    suggestions = [
        Suggestion(rank=rank, skill_id="wait-time", name="Wait time", probability=p, confidence="possible", score=0.0,
                   reasons=[])
        for rank, p in enumerate(probabilities, start=1)
    ]  # fmt: skip
    return Ranking(case_id="c", status=status, suggestions=suggestions, model_version="m", catalogue_version="v",
                   input_hash="sha256:0")  # fmt: skip


def test_a_ranking_is_counted_with_its_length_first_probability_and_spread():
    metrics = Metrics()
    scores = np.array([0.25, 3.0, -1.0, 2.0, 1.5, 1.0])
    metrics.count_ranking(Case(case_id="c", struggle="x" * 120), ranking(probabilities=(0.62, 0.2)), scores)
    assert value(metrics, "rankings_total", status="ranked") == 1
    assert value(metrics, "struggle_characters_sum") == 120
    assert value(metrics, "top_probability_sum") == pytest.approx(0.62)
    # The fifth of 3, 2, 1.5, 1, .25, -1 is .25.
    assert value(metrics, "score_spread_sum") == pytest.approx(2.75)


def test_a_message_is_counted_by_its_status_and_length_only():
    metrics = Metrics()
    metrics.count_ranking(Case(case_id="c", struggle="hm"), ranking("not_enough"))
    metrics.count_ranking(Case(case_id="c"), ranking("not_enough"))
    assert value(metrics, "rankings_total", status="not_enough") == 2
    assert value(metrics, "struggle_characters_count") == 1
    assert value(metrics, "top_probability_count") == value(metrics, "score_spread_count") == 0


def test_the_first_choice_on_a_list_is_timed_once_however_often_it_is_sent(school_app):
    caller, metrics = Caller(school_app), school_app.app.state.metrics
    opened = caller.opened()
    assert value(metrics, "score_spread_count") == 1
    for _ in range(2):
        body = {"decision": "declined", "reason": "not_now"} | opened
        assert caller.send("/v1/choices", body, "one-key").status_code == 201
    assert value(metrics, "feedback_seconds_count", kind="choice") == 1
    assert value(metrics, "feedback_seconds_count", kind="review") == 0


def test_a_review_is_timed_apart_from_choices(school_app):
    caller, metrics = Caller(school_app), school_app.app.state.metrics
    opened = caller.opened()
    with school_app.database.write() as session:
        share_case(session, school_app.people["teacher"], opened["case"], school_app.people["coach"].id)
    body = {"case": opened["case"], "ranking": opened["ranking"], "coach": "t-coach"}
    change = {"skill": opened["skill"], "action": "keep"}
    assert caller.send("/v1/reviews", body | {"changes": [change]}).status_code == 201
    assert value(metrics, "feedback_seconds_count", kind="review") == 1
    assert value(metrics, "feedback_seconds_count", kind="choice") == 0


def test_the_lag_runs_from_the_moment_the_list_was_shown_and_an_unknown_list_has_none(school_app):
    opened = Caller(school_app).opened()
    teacher = school_app.people["teacher"]
    with school_app.database.read() as session:
        later = datetime.now(UTC) + timedelta(days=2)
        lag = feedback_lag(session, teacher, opened["ranking"], "choice", later)
        assert timedelta(days=2) <= lag < timedelta(days=2, minutes=5)
        assert feedback_lag(session, teacher, "0" * 26, "choice", later) is None
