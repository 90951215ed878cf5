"""How needs become log-odds: the mix of words and observations, wider uncertainty, lower scores."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from observed_cases import CATALOGUE, DANIELSON, LESSON_ITEMS, WEIGHTS, N, case_of, lessons, needs_of, only, rubric
from pydantic import ValidationError

from recommender.catalogue.instruments import Instruments, load_instruments
from recommender.observations.norms import Norms
from recommender.observations.teacher_needs import NeedReader, TeacherNeeds
from recommender.ranking.observation_weights import Mix, Weights, need_effects
from recommender.ranking.observed import Observed, case_scores

bounded = settings(max_examples=60, deadline=None, derandomize=True)
few = settings(max_examples=20, deadline=None, derandomize=True)
TRAINED = WEIGHTS.observations


# Mix


@pytest.mark.parametrize(
    ("mix", "words", "observations"), [(0, 1, 0), (0.25, 1, 0.5), (0.5, 1, 1), (0.75, 0.5, 1), (1, 0, 1)]
)
def test_the_mix_lets_observations_in_up_to_a_half_and_words_out_from_there(mix, words, observations):
    assert Mix.of(mix) == Mix(words=words, observations=observations)


def test_at_no_observations_the_words_stand_as_they_are():
    assert Mix.of(0).blend(TRAINED) == Weights(intercept=0, words=1, need=0, note=0, interest=0)


def test_at_a_half_the_trained_weights_count():
    assert Mix.of(0.5).blend(TRAINED) == TRAINED.with_words


def test_at_observations_only_the_weights_fitted_without_words_count():
    blended = Mix.of(1).blend(TRAINED)
    assert blended.model_dump(exclude={"words"}) == TRAINED.alone.model_dump(exclude={"words"})


@pytest.mark.parametrize(
    ("mix", "expected"),
    [
        (0.25, {"intercept": -0.125, "words": 0.9375, "need": 1.0, "note": 0.25, "interest": 0.125}),
        (0.75, {"intercept": -0.0625, "words": 0.875, "need": 2.5, "note": 0.75, "interest": 0.5}),
    ],
)
def test_between_them_the_weights_are_halfway(mix, expected):
    assert Mix.of(mix).blend(TRAINED) == Weights(**expected)


@pytest.mark.parametrize("change", [{"need": -0.1}, {"note": -0.1}, {"words": -0.1}, {"interest": -0.1}, {"colour": 1}])
def test_weights_under_which_more_evidence_counts_less_are_refused(change):
    with pytest.raises(ValidationError):
        Weights.model_validate(TRAINED.alone.model_dump() | change)


# Effects of needs


def test_effects_by_hand():
    # Skill 0: both items, equally; skill 1: the first item alone, half as foremost; skill 2: nothing.
    shares = np.array([[0.5, 1.0, 0.0], [0.5, 0.0, 0.0]])
    needs = needs_of([0.8, -0.4], shares, sd=0.6, lead=np.array([1.0, 0.5, 0.0]))
    effects = need_effects(needs, 2.0)
    # SD of skill 0: sqrt(.5^2 * .36 * 2) = .424264; its slope is 2, that of skill 1 is 1 with SD .6.
    both = 2 / np.sqrt(1 + np.pi / 8 * 4 * 0.18)
    one = 1 / np.sqrt(1 + np.pi / 8 * 0.36)
    np.testing.assert_allclose(effects, [[both * 0.4, one * 0.8, 0], [-both * 0.2, 0, 0]], rtol=1e-12)


def test_a_weight_of_nothing_leaves_no_effect():
    assert not need_effects(needs_of([0.8, -0.4], np.ones((2, 3)) / 2, sd=0.6), 0.0).any()


@st.composite
def certain_needs(draw: st.DrawFn) -> tuple[TeacherNeeds, np.ndarray]:
    """Needs of two to five items with any covariance, and what makes it wider."""
    n = draw(st.integers(2, 5))
    numbers = st.floats(-2, 2, allow_subnormal=False)
    shares = draw(arrays(np.float64, (n, 3), elements=st.floats(0, 1, allow_subnormal=False)))
    shares /= np.maximum(shares.sum(axis=0), 1e-6)
    root, wider = (draw(arrays(np.float64, (n, n), elements=numbers)) for _ in range(2))
    need = draw(arrays(np.float64, n, elements=numbers))
    lead = draw(arrays(np.float64, 3, elements=st.floats(0, 1)))
    needs = needs_of(need.tolist(), shares, lead=lead)
    return TeacherNeeds(**(vars(needs) | {"covariance": root @ root.T})), wider @ wider.T


@bounded
@given(certain_needs(), st.floats(0, 4))
def test_a_wider_covariance_never_pulls_harder(drawn, weight):
    needs, wider = drawn
    less_sure = TeacherNeeds(**(vars(needs) | {"covariance": needs.covariance + wider}))
    sure, unsure = need_effects(needs, weight), need_effects(less_sure, weight)
    assert (np.abs(unsure) <= np.abs(sure) + 1e-12).all()
    assert (np.sign(sure) == np.sign(weight * needs.lead * needs.shares * needs.need[:, None])).all() or weight < 1e-3


# A lower score never lowers a skill its item speaks for


@lru_cache(maxsize=4_096)
def danielson_pull(lessons_of: tuple[tuple[tuple[str, float], ...], ...]) -> np.ndarray | None:
    """(skills,) what the scores of these visits add, None where they give no order."""
    return pull([dict(each) for each in lessons_of], load_instruments(), DANIELSON)


def pull(visits: list[dict[str, float]], instruments: Instruments, name: str) -> np.ndarray | None:
    seen = [
        each
        for i, values in enumerate(visits)
        for each in lessons(values, 1, instrument=name)
        for each in [each | {"visit": f"v{i}", "observed_on": f"2026-03-{i + 1:02d}", "observer": f"o{i % 2}"}]
    ]
    reader = NeedReader(instruments, CATALOGUE, Norms())
    observed = Observed(reader.read(case_scores(case_of(seen), instruments)), [])
    return need_effects(observed.needs, 2.0).sum(axis=0) if observed.has_order else None


def frozen(visits: list[dict[str, float]]) -> tuple[tuple[tuple[str, float], ...], ...]:
    return tuple(tuple(values.items()) for values in visits)


def spoken_for(instruments: Instruments, name: str, item: str) -> list[int]:
    return [CATALOGUE.index[skill_id] for skill_id in instruments.crosswalk(name).get(item, {})]


@pytest.mark.parametrize("item", LESSON_ITEMS)
@pytest.mark.parametrize(
    "others",
    [
        (dict(zip(LESSON_ITEMS, (2, 3, 2, 3, 1, 3, 2, 2, 4, 3), strict=True)),),
        (dict.fromkeys(LESSON_ITEMS, 2) | {"2a": 3, "3e": 3}, dict.fromkeys(LESSON_ITEMS, 3) | {"2b": 2, "3d": 2}),
    ],
)
def test_lowering_an_item_of_ten_never_lowers_its_skills(item, others):
    skills = spoken_for(load_instruments(), DANIELSON, item)
    pulls = [danielson_pull(frozen([others[0] | {item: value}, *others[1:]])) for value in (4, 3, 2, 1)]
    assert all(each is not None for each in pulls)
    for higher, lower in pairwise(pulls):
        assert (lower[skills] >= higher[skills] - 1e-12).all()
    assert pulls[-1][skills].max() > pulls[0][skills].max()


@pytest.mark.parametrize("item", ["2a", "2d", "3b", "3c"])
@pytest.mark.parametrize("others", [{"3d": 2, "2e": 3}, {"3e": 3, "3a": 2}, {"2c": 1, "2b": 4}])
def test_lowering_an_item_of_three_never_lowers_its_skills(item, others):
    skills = spoken_for(load_instruments(), DANIELSON, item)
    pulls = [danielson_pull(frozen([{item: value} | others])) for value in (4, 3, 2, 1)]
    for higher, lower in pairwise(pulls):
        assert (lower[skills] >= higher[skills] - 1e-12).all()


@pytest.mark.parametrize("item", LESSON_ITEMS)
def test_lowering_an_item_of_two_never_lowers_its_skills(item):
    other = "3b" if item != "3b" else "2d"
    skills = spoken_for(load_instruments(), DANIELSON, item)
    # At 2 the two would be alike, and give no order.
    pulls = [danielson_pull(frozen([{item: value, other: 2}])) for value in (4, 3, 1)]
    assert (pulls[1][skills] >= pulls[0][skills] - 1e-12).all()
    assert (pulls[2][skills] >= pulls[1][skills] - 1e-12).all()


@st.composite
def visits_and_a_lower_score(draw: st.DrawFn) -> tuple[list[dict[str, float]], list[dict[str, float]], str]:
    """Scores of some items at one to four visits, the same with one of them lower, and its item."""
    items = draw(st.lists(st.sampled_from(LESSON_ITEMS), min_size=2, max_size=10, unique=True))
    size = draw(st.integers(1, 4))
    visits = []
    for _ in range(size):
        scored = draw(st.lists(st.sampled_from(items), min_size=1, unique=True))
        visits.append({item: draw(st.integers(1, 4)) for item in scored})
    visit = draw(st.integers(0, size - 1))
    item = draw(st.sampled_from(sorted(visits[visit])))
    visits[visit][item] = draw(st.integers(2, 4))
    lower = [dict(values) for values in visits]
    lower[visit][item] = draw(st.integers(1, visits[visit][item] - 1))
    return visits, lower, item


@few
@given(visits_and_a_lower_score())
def test_one_lower_score_among_any_visits_never_lowers_its_items_skills(drawn):
    visits, lower, item = drawn
    before, after = danielson_pull(frozen(visits)), danielson_pull(frozen(lower))
    if before is None or after is None:
        # Scores that are all alike give no order at all, so there is nothing to compare with.
        return
    skills = spoken_for(load_instruments(), DANIELSON, item)
    assert (after[skills] >= before[skills] - 1e-9).all()


@few
@given(
    st.lists(st.sampled_from([0.0, 0.05, 0.25, 0.5, 0.95]), min_size=4, max_size=4),
    st.lists(st.integers(1, 4), min_size=5, max_size=5),
    st.integers(0, 3),
    st.integers(1, 3),
)
def test_a_skill_of_several_items_with_unequal_weights_never_falls_with_any_of_them(weights, values, item, visits):
    crosswalk = {f"I{i}": {"wait-time": weight} for i, weight in enumerate(weights) if weight}
    instruments = only(rubric(5, crosswalk))
    if f"I{item}" not in crosswalk:
        return
    lower = [*values]
    lower[item] = 1
    before, after = (
        pull([{f"I{i}": value for i, value in enumerate(each)}] * visits, instruments, "own")
        for each in (values, lower)
    )
    if before is None or after is None:
        return
    assert after[CATALOGUE.index["wait-time"]] >= before[CATALOGUE.index["wait-time"]] - 1e-9


def test_the_trap_a_small_share_of_a_skill_still_raises_it():
    # Nine parts of ten of the skill are another item: its need falls as the first one's rises.
    instruments = only(rubric(3, {"I0": {"wait-time": 0.1}, "I1": {"wait-time": 0.9}}))
    high, low = (pull([{"I0": value, "I1": 2, "I2": 3}], instruments, "own") for value in (3, 1))
    assert low[CATALOGUE.index["wait-time"]] >= high[CATALOGUE.index["wait-time"]] - 1e-12
    assert high.any() or low.any()


def test_a_skill_that_no_scored_item_speaks_for_is_not_moved():
    instruments = only(rubric(3, {"I0": {"wait-time": 1.0}, "I2": {"cold-calling": 1.0}}))
    moved = pull([{"I0": 1, "I1": 4}], instruments, "own")
    assert set(np.flatnonzero(moved)) == {CATALOGUE.index["wait-time"]}
    assert len(moved) == N


def test_without_families_a_lower_score_than_the_others_raises_its_skill():
    instruments = only(rubric(2, {"I0": {"wait-time": 1.0}, "I1": {"cold-calling": 1.0}}, families=False))
    moved = pull([{"I0": 1, "I1": 4}], instruments, "own")
    assert moved[CATALOGUE.index["wait-time"]] > 0 > moved[CATALOGUE.index["cold-calling"]]
