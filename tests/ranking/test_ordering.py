from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommender.catalogue.loader import load_catalogue
from recommender.ranking.ordering import Ordering, Placed

bounded = settings(max_examples=60, deadline=None, derandomize=True)

CATALOGUE = load_catalogue()
N = len(CATALOGUE)
PENALTY = -0.5
SPREADING = Ordering(CATALOGUE, PENALTY)
NOTHING = np.zeros(N, dtype=bool)

# Each of the three names both others as neighbours or is named by them.
TRIO = ("cold-calling", "every-student-response", "high-ratio-questioning")
STRANGER = "phonics-routine"


def scores(**of: float) -> np.ndarray:
    """Scores of some skills (dashes as underscores); all others stand far below."""
    result = np.full(N, -100.0)
    for name, score in of.items():
        result[CATALOGUE.index[name.replace("_", "-")]] = score
    return result


def placed(ordering: Ordering, score: np.ndarray, top: int, left_out: np.ndarray = NOTHING) -> list[tuple[str, float]]:
    return [(CATALOGUE.ids[place.skill], place.spread) for place in ordering.place(score, top, left_out)]


def test_the_skills_of_the_hand_worked_lists_are_neighbours_as_said():
    assert all(CATALOGUE.are_neighbours(a, b) for a in TRIO for b in TRIO if a != b)
    assert not any(CATALOGUE.are_neighbours(STRANGER, skill_id) for skill_id in TRIO)


def test_without_neighbours_the_best_score_comes_first():
    score = scores(phonics_routine=3, source_analysis=2, wait_time=4)
    assert placed(SPREADING, score, 3) == [("wait-time", 0), ("phonics-routine", 0), ("source-analysis", 0)]


def test_the_second_of_a_kind_is_free_and_the_third_moves_down():
    score = scores(cold_calling=3, every_student_response=2.5, high_ratio_questioning=2, phonics_routine=1.75)
    assert placed(SPREADING, score, 4) == [
        ("cold-calling", 0),
        ("every-student-response", 0),
        ("phonics-routine", 0),
        ("high-ratio-questioning", PENALTY),
    ]


def test_the_third_of_a_kind_stays_where_its_lead_is_larger_than_the_penalty():
    score = scores(cold_calling=3, every_student_response=2.5, high_ratio_questioning=2, phonics_routine=1.25)
    assert placed(SPREADING, score, 4)[2] == ("high-ratio-questioning", PENALTY)


def test_every_further_neighbour_above_costs_the_penalty_again():
    # The middle of a star: its four neighbours stand above it, of which one is free.
    middle = "executive-function-supports"
    around = {
        "behavior_self_monitoring": 5,
        "note_making_instruction": 4.5,
        "project_milestones": 4,
        "independent_work_routines": 3.5,
    }
    assert all(CATALOGUE.are_neighbours(middle, name.replace("_", "-")) for name in around)
    score = scores(**around, executive_function_supports=3.25)
    assert placed(SPREADING, score, 5)[-1] == (middle, 3 * PENALTY)


def test_without_a_penalty_only_scores_count():
    score = scores(cold_calling=3, every_student_response=2.5, high_ratio_questioning=2, phonics_routine=1.75)
    assert placed(Ordering(CATALOGUE, 0), score, 3)[2] == ("high-ratio-questioning", 0)


def test_equal_scores_stand_in_catalogue_order():
    assert [place.skill for place in Ordering(CATALOGUE, 0).place(np.zeros(N), N, NOTHING)] == list(range(N))
    tied = scores(phonics_routine=1, wait_time=1, source_analysis=1)
    in_order = sorted(
        ("phonics-routine", "wait-time", "source-analysis"), key=lambda skill_id: CATALOGUE.index[skill_id]
    )
    assert [skill_id for skill_id, _ in placed(SPREADING, tied, 3)] == in_order


def test_what_is_left_out_is_never_placed_and_pushes_nobody_down():
    score = scores(cold_calling=3, every_student_response=2.5, high_ratio_questioning=2, phonics_routine=1.75)
    left_out = NOTHING.copy()
    left_out[CATALOGUE.index["cold-calling"]] = True
    assert placed(SPREADING, score, 3, left_out) == [
        ("every-student-response", 0),
        ("high-ratio-questioning", 0),
        ("phonics-routine", 0),
    ]
    assert left_out.sum() == 1


def test_the_list_ends_where_nothing_is_left():
    left_out = ~NOTHING
    assert SPREADING.place(np.zeros(N), 3, left_out) == []
    left_out[[4, 7]] = False
    assert SPREADING.place(np.zeros(N), 3, left_out) == [Placed(4, 0), Placed(7, 0)]


def test_a_whole_list_holds_every_skill_once():
    order = SPREADING.place(np.linspace(1, -1, N), N, NOTHING)
    assert sorted(place.skill for place in order) == list(range(N))


@pytest.mark.parametrize("penalty", [0.0, -0.1, -0.5])
def test_the_first_place_is_never_moved_down(penalty):
    rng = np.random.default_rng(0)
    for score in rng.normal(size=(20, N)):
        assert Ordering(CATALOGUE, penalty).place(score, 1, NOTHING) == [Placed(int(score.argmax()), 0)]


@bounded
@given(
    arrays(np.float64, N, elements=st.integers(-20, 20).map(lambda eighths: eighths / 8)),
    arrays(np.bool_, N),
    st.integers(1, N),
)
def test_any_list_is_greedy_without_what_is_left_out_and_always_the_same(score, left_out, top):
    order = SPREADING.place(score, top, left_out)
    assert order == SPREADING.place(score, top, left_out)
    assert len(order) == min(top, int((~left_out).sum()))
    skills = [place.skill for place in order]
    assert len(set(skills)) == len(skills)
    assert not left_out[skills].any()
    for rank, place in enumerate(order):
        above = sum(CATALOGUE.are_neighbours(CATALOGUE.ids[place.skill], CATALOGUE.ids[i]) for i in skills[:rank])
        assert place.spread == PENALTY * max(above - 1, 0)
    reached = [score[place.skill] + place.spread for place in order]
    assert reached == sorted(reached, reverse=True)


@bounded
@given(arrays(np.float64, N, elements=st.integers(-20, 20).map(lambda eighths: eighths / 8)), st.integers(2, 20))
def test_asking_for_fewer_gives_the_beginning_of_the_longer_list(score, top):
    longer = SPREADING.place(score, top, NOTHING)
    assert SPREADING.place(score, top - 1, NOTHING) == longer[:-1]
