from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from recommender.learning.off_policy_report import (
    Setting,
    off_policy_report,
    print_off_policy_report,
    settings,
)
from recommender.learning.simulated_logs import (
    CURVE,
    FLAT_CURVE,
    NEAR_TIE,
    candidate_order,
    draw_logs,
    make_world,
    per_pattern,
    shown_lists,
    true_shown,
    true_value,
)

WORLD = make_world(3)
REPORT = off_policy_report(
    200,
    3,
    [
        Setting("far", "position_based", 300, 0.2),
        Setting("near", "item_position", 1_000, 0.2),
        Setting("new", "position_based", 300, 0.2),
        Setting("near", "item_position", 300, 0.05),
        Setting("far", "position_based", 300, 0.2, FLAT_CURVE),
    ],
)


def happens(shown):
    return (WORLD.chance[np.arange(400)[:, None, None], shown.skill] * np.array(CURVE)).reshape(-1, len(CURVE))


@pytest.mark.parametrize("model", ["position_based", "item_position"])
def test_weighted_over_every_draw_the_near_candidate_gets_its_true_value(model):
    shown, order = shown_lists(WORLD, 0.1), candidate_order(WORLD, "near")
    entries = per_pattern(WORLD, shown, order, model, CURVE)
    expected = (entries.weight * happens(shown)).sum(axis=1).reshape(400, -1)
    assert entries.supported.all()
    assert (expected * shown.chance).sum(axis=1).mean() == pytest.approx(true_value(WORLD, order))


def test_drawn_logs_have_the_mean_events_of_the_shown_lists():
    shown = shown_lists(WORLD, 0.1)
    drawn = [part.events.sum(axis=2) for part in draw_logs(WORLD, shown, 500, 40, 0)]
    assert np.concatenate(drawn).mean() == pytest.approx(true_shown(WORLD, shown), abs=0.04)


def test_only_near_ties_of_neighbours_swap_and_no_skill_is_in_two_swaps():
    first, second = WORLD.swaps.T
    assert ((second < 0) | (second >= first + 2)).all()
    scores = np.take_along_axis(WORLD.score, WORLD.base, axis=1)
    rows = np.flatnonzero(first >= 0)
    assert (scores[rows, first[rows]] - scores[rows, first[rows] + 1] < NEAR_TIE).all()
    assert shown_lists(WORLD, 0.1).chance.sum(axis=1) == pytest.approx(1)


def test_intervals_hold_the_truth_about_as_often_as_they_say_where_there_is_enough():
    for row in REPORT["settings"][:2]:
        assert row["enough"]
        for figures in row["estimates"].values():
            assert 0.9 <= figures["coverage"]["mean"] <= 0.995
            # Nor is the bias more than chance makes it over 200 logs.
            assert abs(figures["bias"]) < 4 * figures["sd"] / np.sqrt(200)


def test_a_candidate_of_skills_never_shown_is_not_enough_and_its_intervals_miss():
    new = REPORT["settings"][2]
    assert new["enough_share"] == 0
    assert new["unsupported"] > 0.1
    assert new["estimates"]["ips - shown"]["coverage"]["mean"] < 0.5


def test_rare_swaps_in_a_small_log_are_not_enough_without_a_curve():
    rare = REPORT["settings"][3]
    assert not rare["enough"]
    assert rare["effective_lists"] < 200


def test_a_wrong_curve_is_not_noticed_by_any_limit_and_not_counted_among_the_judged():
    wrong = REPORT["settings"][4]
    assert wrong["enough"]
    assert wrong["wrong_curve"]
    assert REPORT["coverages"]["judged"] == 18


def test_the_report_judges_every_size_rate_and_candidate():
    every = list(settings())
    assert len({(s.lists, s.rate) for s in every}) == 9
    assert sum(s.wrong_curve for s in every) == 1
    assert len(every) == 37


def test_the_same_seed_gives_the_same_report():
    few = [Setting("near", "position_based", 300, 0.1)]
    assert off_policy_report(20, 4, few) == off_policy_report(20, 4, few)


def test_the_tables_name_every_estimate_and_count_the_coverages():
    console = Console(width=220, record=True, file=StringIO())
    print_off_policy_report(REPORT, console)
    text = console.export_text()
    assert "snips" in text
    assert "wrong curve" in text
    assert "of 18 coverages" in text
