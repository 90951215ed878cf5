from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from evidence_rows import change, choice, place, row

from recommender.learning.parameters import load_learning_parameters
from recommender.learning.positions import Positions, estimate_positions, swapped_pairs

PARAMETERS = load_learning_parameters().examination
HALF = Positions((1.0, 0.5, 0.25))


def places(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_the_assumed_curve_starts_at_one_and_is_never_below_the_clip():
    curve = Positions.assumed(PARAMETERS).examination
    assert curve[0] == 1
    assert all(PARAMETERS.least.value <= later <= sooner for sooner, later in pairwise(curve))
    assert not Positions.assumed(PARAMETERS).estimated


def test_a_place_beyond_the_curve_is_looked_at_as_its_last_and_no_place_as_one():
    assert HALF.at(places(0, 1, 2, 3, 4, 40)).tolist() == [1, 1, 0.5, 0.25, 0.25, 0.25]


def test_what_is_left_standing_is_relevant_and_what_is_removed_counts_against_more_the_less_a_place_is_looked_at():
    said = np.array([1.0, 0.0, 0.0, 0.0, 0.5])
    assert HALF.target(said, places(3, 1, 2, 3, 2)).tolist() == [1, 0, -1, -3, 0]


@pytest.mark.parametrize("relevance", [0.1, 0.6])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_over_looking_and_not_looking_the_target_is_the_relevance(relevance, at):
    removed = HALF.at(places(at)) * (1 - relevance)
    kept, gone = HALF.target(np.array([1.0]), places(at)), HALF.target(np.array([0.0]), places(at))
    assert (1 - removed) * kept + removed * gone == pytest.approx(np.array([relevance]))


def test_the_information_of_a_judgement_is_the_variance_of_the_relevance_over_that_of_its_target():
    p, e = 0.3, 0.5
    removed = e * (1 - p)
    of_target = removed * (1 - removed) / e**2
    assert HALF.information(np.array([p]), places(2))[0] == pytest.approx(p * (1 - p) / of_target)
    assert HALF.information(np.array([p]), places(1))[0] == pytest.approx(1)


# From swaps


def test_a_pair_that_could_be_swapped_is_two_neighbours_of_one_chance_below_one():
    def shown(*propensities: float):
        return row(shown=[place(at, at + 1, propensity=p) for at, p in enumerate(propensities)])

    assert swapped_pairs(shown(1, 1, 1)) == []
    assert swapped_pairs(shown(0.8, 0.8, 1)) == [1]
    assert swapped_pairs(shown(1, 0.2, 0.2)) == [2]
    assert swapped_pairs(shown(0.8, 0.8, 0.2, 0.2)) == [1, 3]
    assert swapped_pairs(shown(0.8, 0.8, 0.8, 0.8)) == [1, 3]
    assert swapped_pairs(shown(0.8, 0.2, 1)) == []


def logged(second_looked: float, n: int = 4_000, rate: float = 0.2, seed: int = 0):
    """Lists of two skills that changed places by chance, both removed wherever somebody looked."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        swapped, looked = rng.random() < rate, rng.random() < second_looked
        order = (1, 0) if swapped else (0, 1)
        chance = rate if swapped else 1 - rate
        # Skill 0 is relevant in three of ten lists, skill 1 in none.
        relevant = {0: rng.random() < 0.3, 1: False}
        changes = [
            change(skill, "remove" if (at == 0 or looked) and not relevant[skill] else "keep")
            for at, skill in enumerate(order)
        ]
        shown = [place(skill, at + 1, propensity=chance) for at, skill in enumerate(order)]
        rows.append(row(number, changes=changes, shown=shown))
    return rows


@pytest.mark.parametrize("second", [0.3, 0.9])
def test_swaps_show_how_much_less_the_second_place_is_looked_at_whatever_stands_there(second):
    positions = estimate_positions(logged(second), PARAMETERS)
    (ratio, *others) = positions.ratios
    assert positions.estimated
    assert ratio.logged == pytest.approx(second, rel=0.1)
    assert positions.examination[1] == pytest.approx(second, rel=0.12)
    assert all(other.logged is None for other in others)


def test_by_hand_removals_over_their_chances_give_the_ratio():
    # Twenty removals at place 1 and twenty at place 2 of lists that were not swapped, at chance .8; twenty at place 1
    # of swapped ones, at .2: the ratio is 20/.8 over 20/.8 + 20/.2 = 1/5.
    def rows(first: int, chance: float, removed: int, start: int):
        order = (first, 1 - first)
        shown = [place(skill, at + 1, propensity=chance) for at, skill in enumerate(order)]
        return [row(start + n, changes=[change(order[removed], "remove")], shown=shown) for n in range(20)]

    told = [*rows(0, 0.8, 0, 0), *rows(0, 0.8, 1, 20), *rows(1, 0.2, 0, 40)]
    ratio = estimate_positions(told, PARAMETERS).ratios[0]
    assert ratio.events == (40, 20)
    assert ratio.logged == pytest.approx(1 / 5)
    # sum of squared weights over squared sums: (20/.64 + 20/.04) / 125^2 + 20/.64 / 25^2
    variance = (20 / 0.64 + 20 / 0.04) / 125**2 + (20 / 0.64) / 25**2
    assert ratio.logged_sd == pytest.approx(variance**0.5)
    assumed = np.log(PARAMETERS.assumed.value[1])
    prior = PARAMETERS.ratio_sd.value**-2
    assert np.log(ratio.used) == pytest.approx((np.log(0.2) / variance + prior * assumed) / (1 / variance + prior))


def test_too_few_events_leave_the_assumed_curve():
    positions = estimate_positions(logged(0.9, n=15), PARAMETERS)
    assert positions.examination == pytest.approx(Positions.assumed(PARAMETERS).examination)
    assert not positions.estimated


def test_lists_without_exploration_leave_the_assumed_curve():
    rows = [row(n, changes=[change(0, "remove")]) for n in range(50)]
    assert estimate_positions(rows, PARAMETERS) == Positions.assumed(PARAMETERS)


def test_a_choice_counts_as_a_look_as_a_removal_does():
    shown = [place(0, 1, propensity=0.5), place(1, 2, propensity=0.5)]
    rows = [row(n, shown=shown, choices=[choice(n % 2, rank=n % 2 + 1)]) for n in range(80)]
    assert estimate_positions(rows, PARAMETERS).ratios[0].events == (40, 40)


def test_no_estimate_falls_below_the_clip_or_rises_above_one():
    shown = [place(0, 1, propensity=0.5), place(1, 2, propensity=0.5)]

    def removals(first: int, second: int):
        which = [0] * first + [1] * second
        return [row(n, changes=[change(skill, "remove")], shown=shown) for n, skill in enumerate(which)]

    assert estimate_positions(removals(4_000, 40), PARAMETERS).examination[1] >= PARAMETERS.least.value
    assert estimate_positions(removals(40, 4_000), PARAMETERS).examination[1] == 1
