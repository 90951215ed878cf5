from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evidence_rows import SKILLS, choice, place, row

from recommender.errors import DataFileError, GrowthError
from recommender.learning.off_policy import OFF_POLICY_FILE, load_off_policy_parameters, off_policy
from recommender.learning.off_policy_lists import ListLog, lists_beside
from recommender.learning.positions import Positions

PARAMETERS = load_off_policy_parameters()
HALF = Positions((1.0, 0.5))
A, B, C = SKILLS[:3]


def second_first(_row):
    return [B, A, C]


def as_shown(listed):
    return [shown.skill_id for shown in listed.shown]


def drawn(number, chosen=None, *, swapped=False):
    """A near tie of the skills 0 and 1, swapped at a rate of .2."""
    first, second = (1, 0) if swapped else (0, 1)
    chance = 0.2 if swapped else 0.8
    shown = [place(first, 1, propensity=chance), place(second, 2, propensity=chance)]
    return row(number, shown=shown, choices=[] if chosen is None else [choice(chosen)])


# Three lists as scored, one swapped: A, B, nothing; B.
ROWS = [drawn(0, 0), drawn(1, 1), drawn(2), drawn(3, 1, swapped=True)]
CHANCES = {A: 0.4, B: 0.5, C: 0.1}


def value(log, name="ips", parameters=PARAMETERS):
    return off_policy(log, parameters, draws=100).estimates[name].value.mean


def random_log(lists=600, seed=0, teachers=60, places=3):
    rng = np.random.default_rng(seed)
    examination = np.broadcast_to([1, 0.75, 0.6], (lists, places))
    return ListLog(
        teacher=rng.integers(teachers, size=lists),
        events=(rng.random((lists, places)) < 0.5 * examination).astype(float),
        examination=examination,
        weight=rng.choice([0.5, 1.5], (lists, places)),
        supported=np.ones((lists, places), dtype=bool),
        predicted_shown=rng.random((lists, places)),
        predicted_candidate=rng.random((lists, places)),
    )


def test_ips_by_pencil():
    # A weighs .5 / .9 and B 1 / .6: (5/9 + 5/3 + 0 + 5/3) / 4.
    assert value(lists_beside(ROWS, second_first, HALF)) == pytest.approx(35 / 36)
    # Without the curve only the swapped list counts, five times.
    assert value(lists_beside(ROWS, second_first, HALF, model="item_position")) == pytest.approx(5 / 4)


def test_snips_by_pencil_divides_by_the_weights_of_the_places_looked_at():
    # Mean weights (1 x 5/9 + .5 x 5/3) / 1.5 = 25/27 three times, and (1 x 5/3 + .5 x 5/9) / 1.5 = 35/27.
    assert value(lists_beside(ROWS, second_first, HALF), "snips") == pytest.approx((35 / 9) / (110 / 27))
    # (3 x 0 + 5) / (3 x 0 + 5): the one list there is.
    assert value(lists_beside(ROWS, second_first, HALF, model="item_position"), "snips") == pytest.approx(1)


def test_doubly_robust_by_pencil_is_the_prediction_and_the_weighted_error_on_the_shown_list():
    log = lists_beside(ROWS, second_first, HALF, model="item_position", predicted=lambda _: CHANCES)
    # Predicted .5 + .5 x .4 = .7; on the swapped list B happened (.5 more) and A did not (.2 less), each 5 times.
    assert value(log, "doubly_robust") == pytest.approx(0.7 + 5 * (0.5 - 0.2) / 4)


def test_the_shown_value_is_events_a_list():
    found = off_policy(lists_beside(ROWS, second_first, HALF), PARAMETERS, draws=100)
    assert found.shown.mean == 0.75
    assert (found.lists, found.teachers, found.events) == (4, 4, 3)


def test_a_candidate_that_shows_the_same_lists_gets_the_logged_mean_and_no_difference():
    rows = [row(number, choices=[choice(0)] if number % 3 else []) for number in range(9)]
    log = lists_beside(rows, as_shown, HALF, predicted=lambda _: CHANCES)
    found = off_policy(log, PARAMETERS, draws=200)
    for name in ("ips", "snips"):
        estimate = found.estimates[name]
        assert estimate.value == found.shown
        assert (estimate.difference.mean, estimate.difference.low, estimate.difference.high) == (0, 0, 0)
    # Predictions cancel where the lists are the same.
    assert found.estimates["doubly_robust"].value.mean == pytest.approx(found.shown.mean)


def test_without_predictions_there_is_no_doubly_robust_estimate():
    assert set(off_policy(lists_beside(ROWS, second_first, HALF), PARAMETERS, draws=50).estimates) == {"ips", "snips"}


def test_a_prediction_of_nothing_makes_doubly_robust_the_same_as_ips():
    log = random_log()
    nothing = replace(log, predicted_shown=log.events * 0, predicted_candidate=log.events * 0)
    found = off_policy(nothing, PARAMETERS, draws=100).estimates
    assert found["doubly_robust"] == found["ips"]


def test_a_prediction_that_is_always_right_needs_no_weights():
    log = random_log()
    right = replace(log, predicted_shown=log.events / log.examination)
    assert right.predicted_candidate is not None
    predicted = (right.examination * right.predicted_candidate).sum(axis=1).mean()
    assert value(right, "doubly_robust") == pytest.approx(predicted)


def test_more_events_wherever_people_look_move_snips_by_as_many_and_ips_by_more_or_less():
    log = random_log()
    more = replace(log, events=log.events + 0.2 * log.examination)
    assert value(more, "snips") - value(log, "snips") == pytest.approx(0.2 * 2.35)
    assert value(more, "ips") - value(log, "ips") != pytest.approx(0.2 * 2.35, abs=1e-3)


def test_weights_are_clipped_counted_and_their_loss_is_held_against_the_figure():
    log = replace(random_log(), weight=np.where(np.arange(600)[:, None] == 0, 50.0, 1.0) * np.ones((600, 3)))
    log.events[0] = [1, 0, 0]
    clipped = off_policy(log, PARAMETERS, draws=50)
    assert clipped.support.clipped == 3
    assert clipped.support.largest_weight == 50
    # 30 of the weight are cut at three places looked at with 1, .75 and .6.
    assert clipped.support.shift == pytest.approx(30 * 2.35 / 600)
    uncut = load_off_policy_parameters().model_copy(update={"clip": PARAMETERS.clip.model_copy(update={"value": 99.0})})
    assert value(log, parameters=uncut) - value(log) == pytest.approx(30 / 600)


def test_a_candidate_without_support_is_not_enough_and_says_how_far_it_could_be_off():
    log = random_log()
    log.supported[:60, 0] = False
    found = off_policy(log, PARAMETERS, draws=100)
    assert not found.enough
    assert found.support.unsupported == pytest.approx(60 / (600 * 2.35))
    assert found.support.shift == pytest.approx(0.1)
    assert len(found.reasons) == 1
    assert "4.3%" in found.reasons[0]
    assert "0.100" in found.reasons[0]


def test_a_large_supported_log_is_enough():
    assert off_policy(random_log(), PARAMETERS, draws=100).enough


def test_a_few_lists_of_a_few_teachers_are_not_enough_for_every_reason_there_is():
    found = off_policy(lists_beside(ROWS, second_first, HALF, model="item_position"), PARAMETERS, draws=100)
    # One swapped list with one event is all that speaks of this candidate.
    assert found.support.effective_lists == 1
    assert found.support.effective_events == 1
    assert len(found.reasons) == 3


def test_the_effective_size_by_pencil_is_the_squared_sum_over_the_sum_of_squares():
    found = off_policy(lists_beside(ROWS, second_first, HALF), PARAMETERS, draws=50).support
    assert found.effective_lists == pytest.approx((3 * 25 + 35) ** 2 / (3 * 25**2 + 35**2))
    assert found.effective_events == pytest.approx((5 / 9 + 10 / 3) ** 2 / (25 / 81 + 50 / 9))


def test_the_order_of_the_rows_does_not_matter():
    log = random_log()
    order = np.random.default_rng(1).permutation(600)
    turned = ListLog(**{k: v[order] if isinstance(v, np.ndarray) else v for k, v in vars(log).items()})
    first, second = off_policy(log, PARAMETERS, draws=100), off_policy(turned, PARAMETERS, draws=100)
    for name in first.estimates:
        sides = [
            (found.value.mean, found.value.low, found.value.high)
            for found in (first.estimates[name], second.estimates[name])
        ]
        assert sides[0] == pytest.approx(sides[1], abs=1e-12)


def test_the_same_log_gives_the_same_figures_and_another_seed_other_ends():
    log = random_log()
    ends = [off_policy(log, PARAMETERS, draws=100, seed=seed).estimates["ips"].value.low for seed in (0, 0, 1)]
    assert ends[0] == ends[1] != ends[2]


def test_the_lists_of_a_teacher_said_again_by_the_same_teacher_do_not_narrow_the_interval():
    log = random_log(lists=60)
    again = ListLog(**{k: np.concatenate([v] * 4) if isinstance(v, np.ndarray) else v for k, v in vars(log).items()})
    once, often = (off_policy(each, PARAMETERS, draws=300).estimates["ips"].value for each in (log, again))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_an_interval_without_a_known_width_is_as_wide_as_events_can_be():
    log = random_log(lists=40, teachers=40)
    log.events[:] = 0
    log.events[0, 0] = 1
    found = off_policy(log, PARAMETERS, draws=200).estimates["ips"].value
    assert found.high - found.mean == pytest.approx(2.35)


def test_a_candidate_that_shares_no_skill_with_the_log_is_refused():
    with pytest.raises(GrowthError, match="lists that overlap"):
        off_policy(lists_beside(ROWS, lambda _: [C, SKILLS[5]], HALF), PARAMETERS)


def test_a_broken_parameter_file_is_refused_with_its_field(tmp_path: Path):
    broken = tmp_path / "off_policy.yaml"
    broken.write_text(
        OFF_POLICY_FILE.read_text(encoding="utf-8").replace("value: 20.0", "value: -1.0"), encoding="utf-8"
    )
    with pytest.raises(DataFileError, match="clip"):
        load_off_policy_parameters(broken)
