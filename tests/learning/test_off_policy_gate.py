from __future__ import annotations

import numpy as np
from evidence_rows import CATALOGUE, SKILLS, change, choice, place, row

from recommender.learning.held_back import ReviewedLists
from recommender.learning.off_policy_gate import off_policy_gate
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.positions import Positions
from recommender.ranking.fusion import FusionWeights
from recommender.ranking.versions import DEFAULT_MODELS, current_version

BASE = FusionWeights.load(DEFAULT_MODELS / current_version(DEFAULT_MODELS))
# Places 1, 2 and 3 are looked at always, in half and in a quarter of the cases.
LOOKS = Positions((1.0, 0.5, 0.25))
SHOWN = (2.0, 1.0, 0.0)


def chosen_lists(n: int) -> ReviewedLists:
    """Lists of skills 0, 1 and 2; three teachers in five choose the first, and nobody another."""
    scores = [*SHOWN, *[-9.0] * (len(SKILLS) - 3)]
    shown = [place(skill, skill + 1, SHOWN[skill]) for skill in range(3)]
    rows = [
        row(
            number, changes=[change(0, "keep")], shown=shown, scores=scores,
            choices=[choice(0, rank=1)] if number % 5 < 3 else [],
        )
        for number in range(n)
    ]  # fmt: skip
    return ReviewedLists.of(rows, BASE, CATALOGUE, LOOKS, load_learning_parameters())


def order_of(lists: ReviewedLists, *first_three: float) -> np.ndarray:
    """(lists, skills) log-odds of a candidate: these for skills 0, 1 and 2, less for all others."""
    log_odds = np.full((len(lists), len(SKILLS)), -9.0)
    log_odds[:, :3] = first_three
    return log_odds


def test_a_candidate_that_hides_what_is_chosen_is_refused_and_one_that_leaves_it_first_passes() -> None:
    lists = chosen_lists(600)
    same = off_policy_gate(lists, order_of(lists, *SHOWN), LOOKS)
    assert same.passed
    assert same.figure == 0
    # At the third place it is looked at a quarter as often: .6 choices a list become .15.
    hidden = off_policy_gate(lists, order_of(lists, 0.0, 1.0, 2.0), LOOKS)
    assert not hidden.passed
    assert hidden.interval is not None
    assert hidden.interval[1] < 0
    assert "less often" in hidden.sentence


def test_too_few_choices_decide_nothing_and_say_so() -> None:
    lists = chosen_lists(40)
    result = off_policy_gate(lists, order_of(lists, 0.0, 1.0, 2.0), LOOKS)
    assert result.passed
    assert "decide nothing" in result.sentence
    none = off_policy_gate(chosen_lists(0), np.zeros((0, len(SKILLS))), LOOKS)
    assert none.passed
    assert none.n == 0
