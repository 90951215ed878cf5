from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.cases import Ranking, Reason, Suggestion
from recommender.errors import SettingsError
from recommender.ranking.exploration import MAX_RATE, NEAR_TIE, explore

SKILLS = ("cold-calling", "wait-time", "hinge-questions", "entry-routine", "exit-tickets", "choral-response", "do-now")
SCORES = st.lists(st.floats(-3, 3), max_size=len(SKILLS)).map(lambda values: sorted(values, reverse=True))
RATES = st.floats(0, MAX_RATE)


def ranking(*scores: float) -> Ranking:
    suggestions = [
        Suggestion(
            rank=rank, skill_id=SKILLS[rank - 1], name=f"Skill {rank}", probability=0.5, confidence="likely",
            score=score, reasons=[Reason(source="prior", text="The starting point", effect=score)],
        )
        for rank, score in enumerate(scores, start=1)
    ]  # fmt: skip
    return Ranking(
        case_id="c", status="ranked", suggestions=suggestions, model_version="m", catalogue_version="c",
        input_hash="sha256:0",
    )  # fmt: skip


def order(shown: Ranking) -> list[int]:
    """Where each place's suggestion stood before, from 1 on."""
    return [SKILLS.index(suggestion.skill_id) + 1 for suggestion in shown.suggestions]


@given(SCORES, st.text())
def test_switched_off_the_list_keeps_its_bytes(scores: list[float], seed_text: str) -> None:
    before = ranking(*scores)
    shown, propensities = explore(before, 0.0, seed_text)
    assert shown.to_json() == before.to_json()
    assert propensities == (1.0,) * len(scores)


@given(SCORES, RATES, st.text())
def test_the_same_seed_gives_the_same_list_of_the_same_suggestions(
    scores: list[float], rate: float, seed_text: str
) -> None:
    before = ranking(*scores)
    shown, propensities = explore(before, rate, seed_text)
    assert explore(before, rate, seed_text) == (shown, propensities)
    assert [suggestion.rank for suggestion in shown.suggestions] == list(range(1, len(scores) + 1))
    unranked = [
        sorted(json.dumps(s.model_dump(exclude={"rank"})) for s in each.suggestions) for each in (before, shown)
    ]
    assert unranked[0] == unranked[1]
    assert shown.model_dump(exclude={"suggestions"}) == before.model_dump(exclude={"suggestions"})


@given(SCORES, st.floats(0.01, MAX_RATE), st.text())
def test_only_near_ties_change_places_and_each_place_has_the_chance_it_was_filled_with(
    scores: list[float], rate: float, seed_text: str
) -> None:
    shown, propensities = explore(ranking(*scores), rate, seed_text)
    before, place = order(shown), 0
    while place < len(scores):
        is_pair = place + 1 < len(scores) and abs(scores[place] - scores[place + 1]) < NEAR_TIE
        if is_pair:
            is_swapped = before[place : place + 2] == [place + 2, place + 1]
            assert is_swapped or before[place : place + 2] == [place + 1, place + 2]
            assert propensities[place : place + 2] == ((rate, rate) if is_swapped else (1 - rate, 1 - rate))
        else:
            assert (before[place], propensities[place]) == (place + 1, 1.0)
        place += 2 if is_pair else 1


def test_a_difference_of_a_quarter_is_no_near_tie() -> None:
    seeds = [str(number) for number in range(400)]
    assert {tuple(order(explore(ranking(0.25, 0.0), MAX_RATE, seed)[0])) for seed in seeds} == {(1, 2)}
    assert {tuple(order(explore(ranking(0.249, 0.0), MAX_RATE, seed)[0])) for seed in seeds} == {(1, 2), (2, 1)}


def test_pairs_are_taken_from_the_top_and_share_no_place() -> None:
    seen = {tuple(order(explore(ranking(0.2, 0.1, 0.0, -1.0), MAX_RATE, str(seed))[0])) for seed in range(400)}
    assert seen == {(1, 2, 3, 4), (2, 1, 3, 4)}


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_over_two_thousand_cases_each_pair_is_swapped_as_often_as_said_and_apart_from_the_others(rate: float) -> None:
    two_pairs, n = ranking(1.0, 0.9, 0.0, -0.1), 2_000
    swaps = [order(explore(two_pairs, rate, f"sha256:{seed}")[0]) for seed in range(n)]
    first, second = ([placed[place] != place + 1 for placed in swaps] for place in (0, 2))
    # Four standard errors: by chance it fails once in 16,000 seeds, and these seeds are fixed.
    for swapped in (first, second):
        assert abs(sum(swapped) / n - rate) < 4 * (rate * (1 - rate) / n) ** 0.5
    both, expected = sum(a and b for a, b in zip(first, second, strict=True)) / n, rate**2
    assert abs(both - expected) < 4 * (expected * (1 - expected) / n) ** 0.5


@pytest.mark.parametrize("rate", [-0.01, 0.21, 1.0, float("nan")])
def test_a_rate_that_would_cost_teachers_their_order_is_refused(rate: float) -> None:
    with pytest.raises(SettingsError):
        explore(ranking(0.1, 0.0), rate, "s")


def test_a_message_instead_of_a_list_stays_as_it_is() -> None:
    short = ranking().model_copy(update={"status": "not_enough", "message": "Say more"})
    assert explore(short, MAX_RATE, "s") == (short, ())
