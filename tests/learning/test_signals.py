from __future__ import annotations

import numpy as np
import pytest
from evidence_rows import CATALOGUE, change, choice, place, reviewed, row

from recommender.learning.parameters import load_learning_parameters
from recommender.learning.signals import FEATURES, read_signals
from recommender.learning.weights import capped, fingerprint, kish, signal_weights, without_copies

PARAMETERS = load_learning_parameters()
FIVE = [place(skill, skill + 1, score=-float(skill)) for skill in range(5)]


def signals(*rows):
    return read_signals(rows, CATALOGUE, PARAMETERS)


# Judgements


def test_kept_moved_up_moved_down_and_removed_are_relevant_relevant_half_and_not():
    changes = [change(0, "remove"), change(1, "keep"), change(2, "move", 1), change(3, "move", 5)]
    judged, picks = signals(row(changes=changes, shown=FIVE))
    assert judged.kinds == ("removed", "kept", "moved_up", "moved_down")
    assert judged.said.tolist() == [0.0, 1.0, 1.0, 0.5]
    assert judged.about.skill.tolist() == [0, 1, 2, 3]
    assert judged.about.place.tolist() == [1, 2, 3, 4]
    assert len(picks) == 0


@pytest.mark.parametrize(("to_rank", "kind"), [(1, "moved_up"), (2, "moved_up"), (3, "moved_down")])
def test_the_first_two_places_are_those_to_start_with(to_rank, kind):
    judged, _ = signals(row(changes=[change(4, "move", to_rank)], shown=FIVE))
    assert judged.kinds == (kind,)


def test_a_skill_the_review_does_not_name_is_not_judged():
    judged, _ = signals(row(changes=[change(1, "remove")], shown=FIVE), row(1, shown=FIVE))
    assert judged.row.tolist() == [0]
    assert judged.about.skill.tolist() == [1]


def test_the_log_odds_are_those_before_spreading_with_their_parts():
    parts = {"prior": -1.0, "struggle": 2.0, "note": 0.25, "observation": 0.5, "context": -0.125, "constraint": -0.3}
    judged, _ = signals(row(changes=[change(0, "keep")], shown=[place(0, 1, **parts)]))
    assert judged.about.log_odds.tolist() == pytest.approx([1.625])
    assert FEATURES == ("words", "observations", "context")
    assert judged.about.features.tolist() == [[1.0, 0.75, -0.125]]


def test_without_words_the_start_of_the_score_is_no_part_of_the_words():
    judged, _ = signals(row(changes=[change(0, "keep")], shown=[place(0, 1, prior=-1.0, observation=2.0)]))
    assert judged.about.features.tolist() == [[0.0, 2.0, 0.0]]


# Picks


def test_an_added_skill_is_picked_among_all_that_were_not_on_the_list():
    scores = [float(-at) for at in range(len(CATALOGUE))]
    judged, picks = signals(row(changes=[change(7, "add", 1)], shown=FIVE, scores=scores))
    assert len(judged) == 0
    assert picks.kinds == ("added",)
    assert picks.among.skill.tolist() == list(range(5, len(CATALOGUE)))
    assert picks.among.skill[picks.picked].tolist() == [7]
    assert picks.among.log_odds.tolist() == scores[5:]
    assert not picks.among.place.any()


def test_an_added_skill_without_scores_of_the_others_says_nothing():
    judged, picks = signals(row(changes=[change(7, "add", 1)], shown=FIVE))
    assert len(judged) == len(picks) == 0


def test_the_last_choice_is_picked_among_the_list():
    choices = [choice(3, rank=4, minute=9), choice(1, rank=2, minute=7)]
    _, picks = signals(row(shown=FIVE, choices=choices))
    assert picks.kinds == ("chosen",)
    assert picks.among.place.tolist() == [1, 2, 3, 4, 5]
    assert picks.picked.tolist() == [3]
    assert picks.sign.tolist() == [1.0]


def test_a_chosen_skill_that_was_not_on_the_list_is_passed_over():
    assert len(signals(row(shown=FIVE, choices=[choice(9)]))[1]) == 0


@pytest.mark.parametrize(
    ("reason", "counts"),
    [
        ("not_my_need", True), ("already_do_this", True), ("not_now", False), ("not_enough_time", False),
        ("does_not_fit_class", False), ("other", False), (None, False),
    ],
)  # fmt: skip
def test_only_a_decline_about_the_skill_itself_counts_against_it(reason, counts):
    _, picks = signals(row(shown=FIVE, choices=[choice(2, "declined", reason=reason, rank=3)]))
    assert picks.sign.tolist() == ([-1.0] if counts else [])


def test_a_skill_first_declined_and_then_chosen_is_chosen():
    choices = [choice(2, "declined", reason="not_my_need", rank=3, minute=1), choice(2, rank=3, minute=2)]
    assert signals(row(shown=FIVE, choices=choices))[1].kinds == ("chosen",)


def test_picks_of_several_rows_keep_their_alternatives_apart():
    _, picks = signals(row(0, shown=FIVE, choices=[choice(1, rank=2)]), row(1, shown=FIVE[:2], choices=[choice(0)]))
    assert picks.start.tolist() == [0, 5, 7]
    assert picks.owner.tolist() == [0] * 5 + [1] * 2
    assert picks.picked.tolist() == [1, 5]


# Weights


def test_up_to_the_cap_everything_counts_and_beyond_it_the_square_root_of_the_rest():
    assert capped(np.array([0, 1, 100, 500]), 100).tolist() == pytest.approx([0, 1, 1, (100 + 20) / 500])


def weights_of(*rows):
    judged, picks = signals(*rows)
    skills = [*judged.about.skill, *picks.among.skill[picks.picked]]
    kinds = [*judged.kinds, *picks.kinds]
    return signal_weights(rows, np.concatenate([judged.row, picks.row]), kinds, skills, PARAMETERS.weights)


def test_a_coach_of_very_many_reviews_counts_less_a_review_and_the_others_in_full():
    # Every list is about another skill in turn, so that no burst is among them.
    rows = [reviewed(n, removed=False, skill=n % 50, coach="busy") for n in range(200)]
    rows += [reviewed(n, removed=False, skill=n % 50, coach="other") for n in range(200, 230)]
    weights = weights_of(*rows)
    assert weights[:200] == pytest.approx(np.full(200, 110 / 200))
    assert weights[200:].tolist() == [1.0] * 30


def test_coaches_of_one_name_in_two_tenants_are_two_people():
    rows = [reviewed(n, removed=False, skill=n % 50, tenant=("north", "south")[n % 2]) for n in range(200)]
    assert weights_of(*rows).tolist() == [1.0] * 200


def test_a_burst_on_one_skill_within_an_hour_counts_by_its_square_root():
    moment = row().shown_at
    review = {"reviewed_at": moment, "changes": [change(0, "keep")]}
    burst = [row(n, coach=f"c{n}", review=review, shown=[place(0, 1)]) for n in range(59)]
    assert weights_of(*burst) == pytest.approx(np.full(59, (10 + 7) / 59))


def test_copies_are_rows_that_say_the_same_of_the_same_list_and_the_first_stays():
    told = reviewed(3, removed=True)
    copy, other = told.model_copy(update={"id": "a-copy"}), reviewed(3, removed=False).model_copy(update={"id": "b"})
    assert fingerprint(told) == fingerprint(copy) != fingerprint(other)
    assert without_copies([told, other, copy]) == (told, other)


def test_the_effective_size_of_equal_weights_is_their_number_and_of_one_weight_it_is_one():
    assert kish(np.full(7, 0.3)) == pytest.approx(7)
    assert kish(np.array([1.0, 0.0, 0.0])) == 1
    assert kish(np.array([3.0, 1.0])) == pytest.approx(16 / 10)
    assert kish(np.zeros(0)) == 0
