from itertools import groupby

import numpy as np
import pytest
from scipy.stats import norm
from score_rows import RUBRIC, rows, rubric, table

from recommender.observations import scores as columns
from recommender.observations.needs import estimate_needs
from recommender.training.observation_baselines import (
    full_posterior,
    hard_items,
    item_domains,
    lowest_with_interest,
    normal_scores,
    posterior_needs,
    rankers,
    rater_adjusted_z,
    raw_lowest,
    z_scores,
)

THREE = table(
    rows("t1", (2, 3, 4, 1), observer="o1"),
    rows("t2", (1, 3, 3, 2), observer="o2"),
    rows("t3", (3, 3, 2, 4), observer="o3"),
)
STRICT_AND_LENIENT = table(
    *(rows(f"t{i}", (2, 3, 3, 2), observer="strict") for i in range(6)),
    *(rows(f"t{i}", (3, 3, 3, 2), observer="lenient") for i in range(6, 12)),
)


def order(ranks, teacher):
    """Items from most to least need, equals in one group."""
    need = dict(zip("ABCD", np.round(ranks.need[ranks.teachers.index(teacher)], 9), strict=True))
    ranked = sorted(need, key=lambda item: (-need[item], item))
    return ["".join(group) for _, group in groupby(ranked, key=lambda item: need[item])]


def test_hard_items_are_the_tenants_lowest_means_and_the_same_for_everybody():
    # Means of A 2, B 3, C 3; D is reversed: 5 minus 1, 2 and 4 give a mean of 2.67.
    ranks = hard_items(THREE, rubric())
    assert {tuple(order(ranks, teacher)) for teacher in ("t1", "t2", "t3")} == {("A", "D", "BC")}


def test_raw_lowest_goes_by_the_teachers_own_scores_with_reversed_items_turned():
    ranks = raw_lowest(THREE, rubric())
    assert order(ranks, "t1") == ["A", "B", "CD"]
    assert order(ranks, "t2") == ["A", "BCD"]
    assert order(ranks, "t3") == ["D", "C", "AB"]
    assert ranks.need[0] == pytest.approx([-1 / 3, -2 / 3, -1, -1])
    assert ranks.items == tuple((RUBRIC, code) for code in "ABCD")


def test_raw_lowest_compares_items_of_unequal_scales_by_their_place():
    items = [{"code": "A", "label": "A"}, {"code": "B", "label": "B", "scale": {"min": 0, "max": 100}}]
    ranks = raw_lowest(table(rows("t1", {"A": 2, "B": 30})), rubric(items=items, crosswalk={}))
    assert ranks.need[0] == pytest.approx([-1 / 3, -0.3])


def test_segments_are_averaged_before_observers_are():
    first = rows("t1", {"A": 1}) + rows("t1", {"A": 2}, **{columns.SEGMENT: 1})
    ranks = raw_lowest(table(first, rows("t1", {"A": 4}, observer="o2")), rubric())
    # Place of 1.5 is 1/6, of 4 is 1: the mean is 7/12 whatever the number of segments.
    assert ranks.need[0, 0] == pytest.approx(-7 / 12)


def test_an_interest_lifts_an_item_by_half_a_step_and_no_more():
    rank = lowest_with_interest({"t1": ["engagement-participation"], "t2": ["routines-transitions"], "t3": []})
    ranks = rank(THREE, rubric())
    lowest = raw_lowest(THREE, rubric())
    # A speaks about participation, C mostly about routines; half a step of 1 to 4 is a sixth of the scale.
    assert ranks.need - lowest.need == pytest.approx(np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]) / 6)
    assert order(ranks, "t2") == ["A", "C", "BD"]


def test_an_items_domain_is_where_most_of_its_weight_lies():
    items = [(RUBRIC, code) for code in "ABCD"]
    assert item_domains(items, rubric()) == ("engagement-participation", None, "routines-transitions", None)


def test_interests_are_left_out_where_there_are_none():
    assert "lowest + interest" not in rankers()
    assert list(rankers({})) == [
        "hard items", "raw lowest", "lowest + interest", "z-score", "rater-adjusted z", "normal scores",
        "full posterior",
    ]  # fmt: skip


def test_z_scores_are_taken_within_the_item():
    ranks = z_scores(THREE, rubric())
    a, c = np.sqrt(1.5), np.sqrt(1.5)
    d = np.array([4, 3, 1]) - 8 / 3
    d /= np.sqrt((d**2).mean())
    expected = [[0, 0, -c, -d[0]], [a, 0, 0, -d[1]], [-a, 0, c, -d[2]]]
    assert ranks.need == pytest.approx(np.array(expected))
    assert order(ranks, "t1") == ["AB", "D", "C"]
    assert order(ranks, "t2") == ["A", "BC", "D"]
    assert order(ranks, "t3") == ["D", "C", "B", "A"]


def test_z_scores_are_taken_within_the_tenant():
    other = table(rows("u1", (4, 4, 4, 1), tenant="x"), rows("u2", (3, 4, 4, 1), tenant="x", observer="o2"))
    both = table(THREE.to_dict("records"), other.to_dict("records"))
    together = z_scores(both, rubric())
    assert together.need[:3] == pytest.approx(z_scores(THREE, rubric()).need)
    assert together.need[3:, 0] == pytest.approx([-1, 1])


def test_a_strict_raters_low_scores_are_partly_put_down_to_the_rater():
    z, adjusted = z_scores(STRICT_AND_LENIENT, rubric()), rater_adjusted_z(STRICT_AND_LENIENT, rubric())
    strict, lenient = z.teachers.index("t0"), z.teachers.index("t9")
    assert z.need[[strict, lenient], 0] == pytest.approx([1, -1])
    # Five other teachers each: .265 / (.265 + .12 / 5 + (.14 + .475) / 5) of the rater's mean is taken off.
    kept = 1 - 0.265 / (0.265 + 0.12 / 5 + 0.615 / 5)
    assert adjusted.need[[strict, lenient], 0] == pytest.approx([kept, -kept])
    assert adjusted.need[:, 1:] == pytest.approx(z.need[:, 1:])


def test_a_rater_of_fewer_than_five_others_is_left_alone():
    few = STRICT_AND_LENIENT[~STRICT_AND_LENIENT[columns.TEACHER].isin(["t0", "t9"])]
    assert rater_adjusted_z(few, rubric()).need == pytest.approx(z_scores(few, rubric()).need)


def test_normal_scores_give_each_score_its_place_in_the_distribution():
    third = norm.ppf(1 / 6)
    ranks = normal_scores(THREE, rubric())
    assert ranks.need == pytest.approx(
        np.array([[0, 0, third, third], [-third, 0, 0, 0], [third, 0, -third, -third]]), abs=1e-12
    )
    assert order(ranks, "t1") == ["AB", "CD"]
    assert order(ranks, "t2") == ["A", "BCD"]
    assert order(ranks, "t3") == ["CD", "B", "A"]


def test_the_full_posterior_is_the_engines_need():
    many = table(*(rows(f"t{i}", (2, 3, 1 + (i > 0) * 2, 2), observer=f"o{i % 3}") for i in range(12)))
    ranks = full_posterior(many, rubric())
    need, sd = posterior_needs(estimate_needs(many, rubric()))
    assert np.array_equal(ranks.need, need)
    assert order(ranks, "t0")[0] == "C"
    assert need.sum(axis=1) == pytest.approx(np.zeros(12), abs=1e-9)
    assert (sd > 0).all()


def test_the_full_posterior_gives_a_flat_profile_no_order():
    flat = rows("t0", (3, 3, 3, 3), observer="o0")
    others = (rows(f"t{i}", (2, 3, 4, 1 + i % 3), observer=f"o{i % 3}") for i in range(1, 6))
    ranks = full_posterior(table(flat, *others), rubric())
    assert np.isnan(ranks.need[0]).all()
    assert not np.isnan(ranks.need[1:]).any()


@pytest.mark.parametrize("name", [*rankers({})])
def test_items_nobody_scored_stay_without_a_need(name):
    scores = table(
        *(rows(f"t{i}", {"A": 1 + i % 3, "B": 2, "C": 1 + i % 2}, observer=f"o{i % 2}") for i in range(6)),
        rows("t9", {"A": 1, "B": 3}, observer="o1"),
        rows("t9", (1, 1, 1, 1), observer="t9", **{columns.OBSERVATION_TYPE: "self"}),
    )
    ranks = rankers({})[name](scores, rubric())
    assert np.isnan(ranks.need[:, 3]).all()
    assert np.isnan(ranks.need[6]).tolist() == [False, False, True, True]


@pytest.mark.parametrize("name", [*rankers({})])
def test_the_order_of_the_rows_does_not_matter(name):
    rank = rankers({"t1": ["engagement-participation"]})[name]
    shuffled = STRICT_AND_LENIENT.sample(frac=1, random_state=3)
    assert rank(shuffled, rubric()).need == pytest.approx(rank(STRICT_AND_LENIENT, rubric()).need, nan_ok=True)
