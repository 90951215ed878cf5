import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ir_measures import RR, Success, nDCG

from recommender.catalogue.loader import load_catalogue
from recommender.errors import GrowthError
from recommender.training.metrics import first_skill_sets, hit_at, labeller_agreement, ndcg_at, reciprocal_rank

SKILLS = ("a", "b", "c", "d")

tables = st.tuples(st.integers(1, 6), st.integers(1, 9)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float64, shape, elements=st.integers(-3, 3).map(float)),
        arrays(np.float64, shape, elements=st.sampled_from([0, 0, 1, 2, 3, 1 / 3, 5 / 2])),
    )
)


def row(*values: float) -> np.ndarray:
    return np.array([values], dtype=float)


def test_ndcg_of_a_hand_worked_order():
    # Order b, a, d, c: 3/log2(2) + 7/log2(3) + 1/log2(4) = 7.91651; best a, b, d: 7 + 3/log2(3) + 1/2 = 9.39279.
    assert ndcg_at(row(2, 3, 0, 1), row(3, 2, 0, 1)) == pytest.approx([0.842829], abs=1e-6)


def test_ndcg_takes_fractional_gains():
    # 2**1.5 - 1 = 1.828427 at rank 2 behind a skill of no gain: 1.828427 / log2(3) over 1.828427.
    assert ndcg_at(row(2, 1), row(0, 1.5)) == pytest.approx([0.630930], abs=1e-6)


def test_ndcg_counts_only_the_first_k_but_its_ideal_looks_at_all_skills():
    assert ndcg_at(row(4, 3, 2, 1), row(0, 0, 0, 3), k=3) == 0.0
    # One of two equal skills is reached at k = 1; the ideal at k = 1 holds one as well.
    assert ndcg_at(row(4, 3, 2, 1), row(3, 0, 0, 3), k=1) == 1.0


def test_a_perfect_order_of_fewer_skills_than_k_is_one():
    assert ndcg_at(row(9, 8, 7, 6, 5, 4), row(3, 2, 0, 0, 0, 0)) == 1.0
    assert ndcg_at(row(2, 1), row(3, 1), k=5) == 1.0


@pytest.mark.parametrize(("rank", "value"), [(1, 1.0), (2, 0.63093), (3, 0.5), (4, 0.430677), (5, 0.386853), (6, 0.0)])
def test_a_single_relevant_skill_is_worth_its_discount(rank, value):
    gains = np.zeros((1, 7))
    gains[0, rank - 1] = 2
    assert ndcg_at(-np.arange(7.0)[None], gains) == pytest.approx([value], abs=1e-6)


def test_tied_scores_rank_in_column_order():
    tied = np.zeros((3, 4))
    gains = np.array([[3, 0, 0, 0], [0, 0, 3, 0], [0, 0, 0, 3]], dtype=float)
    assert ndcg_at(tied, gains, k=3).tolist() == [1.0, 0.5, 0.0]
    assert reciprocal_rank(tied, gains > 0) == pytest.approx([1, 1 / 3, 1 / 4])
    assert hit_at(tied, gains > 0, 3).tolist() == [1, 1, 0]


def test_a_row_with_nothing_to_find_is_nan_and_leaves_the_others_alone():
    scores = np.array([[1.0, 2.0], [1.0, 2.0]])
    gains = np.array([[0.0, 0.0], [0.0, 3.0]])
    assert np.isnan(ndcg_at(scores, gains)).tolist() == [True, False]
    assert np.isnan(hit_at(scores, gains > 0, 1)).tolist() == [True, False]
    assert np.isnan(reciprocal_rank(scores, gains > 0)).tolist() == [True, False]


def test_minus_infinity_ranks_last():
    assert reciprocal_rank(row(-math.inf, -9, 0), row(1, 0, 0) > 0) == pytest.approx([1 / 3])


@pytest.mark.parametrize(
    ("scores", "gains", "k", "found"),
    [
        (row(1, 2), row(1, 2, 3), 5, r"shape \(1, 2\) beside \(1, 3\)"),
        (np.zeros(2), np.zeros(2), 5, "shape"),
        (row(1, math.nan), row(1, 2), 5, "NaN score"),
        (row(1, 2), row(1, -1), 5, "negative"),
        (row(1, 2), row(1, math.nan), 5, "NaN"),
        (row(1, 2), row(1, 2), 0, "depth of 0"),
    ],
)
def test_what_has_no_meaning_is_refused(scores, gains, k, found):
    with pytest.raises(GrowthError, match=found):
        ndcg_at(scores, gains, k)


@given(tables)
def test_ndcg_stays_within_bounds_and_the_gains_themselves_rank_perfectly(table):
    scores, gains = table
    defined = gains.max(axis=1) > 0
    values = ndcg_at(scores, gains)
    assert (np.isnan(values) == ~defined).all()
    assert ((values[defined] >= 0) & (values[defined] <= 1)).all()
    assert (ndcg_at(gains, gains)[defined] == 1).all()


@given(tables, st.floats(0.1, 10), st.integers(-5, 5))
def test_only_the_order_of_scores_matters(table, factor, offset):
    scores, gains = table
    np.testing.assert_array_equal(ndcg_at(scores, gains), ndcg_at(scores * factor + offset, gains))
    np.testing.assert_array_equal(
        reciprocal_rank(scores, gains > 1), reciprocal_rank(scores * factor + offset, gains > 1)
    )


@given(tables)
def test_a_row_has_the_same_value_alone_as_among_others(table):
    scores, gains = table
    together = ndcg_at(scores, gains)
    alone = [ndcg_at(scores[i : i + 1], gains[i : i + 1])[0] for i in range(len(scores))]
    np.testing.assert_array_equal(together, alone)


def test_values_agree_with_ir_measures():
    rng = np.random.default_rng(7)
    scores = rng.permuted(np.tile(np.arange(30.0), (60, 1)), axis=1)
    grades = rng.choice([0, 1, 2, 3], p=[0.8, 0.1, 0.06, 0.04], size=scores.shape)
    grades[:, 0] = 3
    names = [f"s{column}" for column in range(30)]
    run = {f"q{i}": dict(zip(names, map(float, scores[i]), strict=True)) for i in range(60)}

    def judged(relevance):
        return {f"q{i}": {s: int(v) for s, v in zip(names, relevance[i], strict=True) if v} for i in range(60)}

    def theirs(measure, relevance):
        values = {one.query_id: one.value for one in ir_measures.iter_calc([measure], judged(relevance), run)}
        return [values[f"q{i}"] for i in range(60)]

    gains = grades.astype(float)
    assert ndcg_at(scores, gains) == pytest.approx(theirs(nDCG @ 5, 2**grades - 1))
    assert ndcg_at(scores, gains, k=10) == pytest.approx(theirs(nDCG @ 10, 2**grades - 1))
    first = grades == 3
    assert reciprocal_rank(scores, first) == pytest.approx(theirs(RR, first))
    for k in (1, 3, 5):
        assert hit_at(scores, first, k) == pytest.approx(theirs(Success @ k, first))


def test_the_first_skills_of_three_labellers_are_those_two_of_them_graded_three():
    labels = [
        [{"a": 3, "b": 2}, {"a": 3, "b": 3}, {"b": 3, "c": 3}],
        [{"a": 3}, {"b": 3}, {"c": 2}],
        [{"a": 2}, {"a": 2}, {"a": 2}],
    ]
    assert first_skill_sets(labels, SKILLS).tolist() == [
        [True, True, False, False],
        [True, True, False, False],  # no skill has two 3s: any labeller's counts
        [False, False, False, False],
    ]


def test_with_fewer_than_three_labellers_any_three_counts():
    labels = [[{"a": 3, "b": 3, "c": 2}], [{"d": 3, "a": 1}, {"b": 3, "d": 3}], []]
    assert first_skill_sets(labels, SKILLS).tolist() == [
        [True, True, False, False],
        [False, True, False, True],
        [False, False, False, False],
    ]


def test_columns_are_the_catalogue_unless_named():
    catalogue = load_catalogue()
    sets = first_skill_sets([[{"cold-calling": 3}]])
    assert sets.shape == (1, len(catalogue))
    assert np.flatnonzero(sets).tolist() == [catalogue.index["cold-calling"]]


def test_agreement_of_two_labellers_by_hand():
    # Each ranks the other's best second: (3 + 7/log2(3)) / (7 + 3/log2(3)) both ways.
    swapped = [{"a": 3, "b": 2}, {"a": 2, "b": 3}]
    same = [{"a": 3, "b": 2}, {"a": 3, "b": 2}]
    assert labeller_agreement([swapped, same], skills=SKILLS) == pytest.approx([0.833992, 1.0], abs=1e-6)


def test_agreement_measures_each_labeller_against_the_mean_of_the_others():
    labels = [{"a": 3}, {"a": 3}, {"b": 3}]
    # The first two each face gains a 1.5, b 1.5 with a in front: a, then b by column order, a perfect order. The third
    # puts b in front of a, but the others' b has no gain: 1/log2(3).
    assert labeller_agreement([labels], skills=SKILLS) == pytest.approx([(1 + 1 + 0.630930) / 3], abs=1e-6)


def test_agreement_needs_two_labellers_who_graded_something():
    labels = [[{"a": 3}], [], [{}, {}], [{"a": 3}, {}]]
    values = labeller_agreement(labels, skills=SKILLS)
    assert np.isnan(values).tolist() == [True, True, True, False]
    # The silent labeller ranks in column order, which here finds a; nobody can be measured against silence.
    assert values[3] == 1.0
