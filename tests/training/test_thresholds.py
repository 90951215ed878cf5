from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.struggles.screening import STATUSES, Thresholds
from recommender.training.corpus import Row
from recommender.training.thresholds import (
    FALSE_ALARM,
    MISSED_SAFEGUARDING,
    RANKED_ANYWAY,
    REFUSED_STRUGGLE,
    ScreeningCase,
    choose_thresholds,
)

CAUTIOUS = Thresholds(safeguarding=0.01, refuse=0.2)


def cases(*groups: tuple[int, str, tuple[float, float, float, float]], other_language: bool = False) -> ScreeningCase:
    """Groups of texts: how many, what they are, and their probabilities in the order of the statuses."""
    status = [status for count, status, _ in groups for _ in range(count)]
    probabilities = np.array([p for count, _, p in groups for _ in range(count)], np.float32)
    return ScreeningCase(probabilities, np.full(len(status), other_language), status, np.zeros(len(status), bool))


def joined(*parts: ScreeningCase) -> ScreeningCase:
    return ScreeningCase(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.other_language for part in parts]),
        [status for part in parts for status in part.status],
        np.concatenate([part.real for part in parts]),
    )


def real(case: ScreeningCase) -> ScreeningCase:
    return replace(case, real=np.ones(len(case.status), bool))


def cost(case: ScreeningCase, thresholds: Thresholds) -> float:
    """The cost of the decisions themselves, independent of how the thresholds were searched."""
    total = 0.0
    for decision, status in zip(case.decisions(thresholds), case.status, strict=True):
        if status == "safeguarding":
            total += MISSED_SAFEGUARDING * (decision == "rankable")
        elif decision == "safeguarding":
            total += FALSE_ALARM
        elif status == "rankable":
            total += REFUSED_STRUGGLE * (decision != "rankable")
        else:
            total += RANKED_ANYWAY * (decision == "rankable")
    return total


def test_the_costs_are_those_of_the_hand_worked_cases():
    assert (MISSED_SAFEGUARDING, FALSE_ALARM, REFUSED_STRUGGLE, RANKED_ANYWAY) == (20, 2, 1.5, 1.0)


# A missed child against false alarms: one for ten


@pytest.mark.parametrize("alarms", [1, 9])
def test_one_child_in_danger_is_worth_nine_false_alarms(alarms):
    # The struggles look more like danger than the one text that is: to find it, all of them must be alarms.
    case = cases((1, "safeguarding", (0.9, 0, 0, 0.1)), (alarms, "rankable", (0.8, 0, 0, 0.2)))
    assert choose_thresholds(case).safeguarding <= 0.1
    assert cost(case, choose_thresholds(case)) == 2 * alarms


def test_at_equal_cost_the_more_cautious_threshold_is_taken():
    case = cases((1, "safeguarding", (0.9, 0, 0, 0.1)), (10, "rankable", (0.8, 0, 0, 0.2)))
    assert choose_thresholds(case) == CAUTIOUS


def test_one_child_in_danger_is_not_worth_eleven_false_alarms():
    case = cases((1, "safeguarding", (0.9, 0, 0, 0.1)), (11, "rankable", (0.8, 0, 0, 0.2)))
    chosen = choose_thresholds(case)
    assert chosen.safeguarding == pytest.approx(0.205)
    assert cost(case, chosen) == 20


def test_where_the_two_can_be_told_apart_nothing_is_paid():
    case = cases((3, "safeguarding", (0.7, 0, 0, 0.3)), (300, "rankable", (0.95, 0, 0, 0.05)))
    chosen = choose_thresholds(case)
    assert chosen.safeguarding == pytest.approx(0.055)
    assert cost(case, chosen) == 0


# A refused struggle against texts ranked anyway: two for three


@pytest.mark.parametrize(("vague", "refused"), [(1, False), (2, True), (3, True)])
def test_a_refused_struggle_is_worth_one_and_a_half_vague_texts_ranked(vague, refused):
    case = cases((1, "rankable", (0.5, 0.5, 0, 0)), (vague, "not_enough", (0.6, 0.4, 0, 0)))
    chosen = choose_thresholds(case)
    assert (chosen.refuse <= 0.4) is refused
    assert cost(case, chosen) == min(1.5, 1.0 * vague)


def test_both_refusals_count_as_refused_whichever_is_answered():
    # Off-topic texts that look vague are refused all the same: nothing is paid.
    case = cases((5, "out_of_scope", (0.2, 0.7, 0.1, 0)), (5, "rankable", (0.9, 0.1, 0, 0)))
    assert cost(case, choose_thresholds(case)) == 0
    assert set(case.decisions(choose_thresholds(case))) == {"not_enough", "rankable"}


def test_a_threshold_lies_just_above_the_struggles_it_lets_through():
    case = cases((10, "rankable", (0.5, 0.5, 0, 0)), (1, "not_enough", (0.3, 0.7, 0, 0)))
    assert choose_thresholds(case).refuse == pytest.approx(0.52)


# Real struggles: at most one in fifty is turned away, whatever the rest costs


@pytest.mark.parametrize(("vague", "refused"), [(1, True), (2, False)])
def test_at_most_one_real_struggle_in_fifty_is_refused_to_save_costs(vague, refused):
    struggles = real(cases((50 - vague, "rankable", (1, 0, 0, 0)), (vague, "rankable", (0.5, 0.5, 0, 0))))
    # Ranked, the hundred cost 100; refused with the real struggles that look like them, at most 3.
    case = joined(struggles, cases((100, "not_enough", (0.5, 0.5, 0, 0))))
    chosen = choose_thresholds(case)
    assert (chosen.refuse <= 0.5) is refused
    assert case.decisions(chosen)[:50].count("rankable") == (50 - vague if refused else 50)


def test_a_real_struggle_taken_for_danger_is_turned_away_as_well():
    struggles = real(cases((48, "rankable", (1, 0, 0, 0)), (2, "rankable", (0.75, 0, 0, 0.25))))
    case = joined(struggles, cases((100, "safeguarding", (0.75, 0, 0, 0.25))))
    assert choose_thresholds(case).safeguarding > 0.25


# Another language


def test_a_text_in_another_language_is_refused_whatever_the_threshold():
    case = cases((4, "out_of_scope", (1.0, 0, 0, 0)), other_language=True)
    chosen = choose_thresholds(case)
    assert chosen == CAUTIOUS
    assert case.decisions(Thresholds(0.6, 0.94)) == ["out_of_scope"] * 4


def test_a_text_in_another_language_costs_nothing_where_it_is_no_alarm():
    # Refused for their language, eleven texts that look like danger are free; as alarms they would cost 22.
    english = cases((1, "safeguarding", (0.9, 0, 0, 0.1)))
    spanish = cases((11, "out_of_scope", (0.8, 0, 0, 0.2)), other_language=True)
    case = joined(english, spanish)
    chosen = choose_thresholds(case)
    assert chosen.safeguarding > 0.2
    assert cost(case, chosen) == 20


def test_danger_in_another_language_is_still_danger():
    case = cases((1, "safeguarding", (0.5, 0, 0.4, 0.1)), other_language=True)
    assert case.decisions(choose_thresholds(case)) == ["safeguarding"]


# The search


def test_no_pair_of_the_grid_costs_less():
    rng = np.random.default_rng(0)
    status = [STATUSES[i] for i in rng.choice(4, size=80, p=[0.7, 0.1, 0.1, 0.1])]
    logits = rng.normal(size=(80, 4)) + 2 * np.eye(4)[[STATUSES.index(s) for s in status]]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    case = ScreeningCase(p.astype(np.float32), rng.random(80) < 0.05, status, np.zeros(80, bool))
    best = cost(case, choose_thresholds(case))
    for safeguarding in np.arange(0.01, 0.6, 0.05):
        for refuse in np.arange(0.2, 0.94, 0.06):
            assert best <= cost(case, Thresholds(float(safeguarding), float(refuse)))


def test_rows_bring_their_status_and_their_language():
    def row(number: int, text: str, status: str) -> Row:
        return Row.model_validate(
            {
                "id": f"t-{number}", "kind": "struggle", "text": text, "status": status, "context": {}, "labels": [],
                "source": "public",
            }
        )  # fmt: skip

    spanish = "Mis alumnos hablan todo el tiempo mientras explico la lección y no sé cómo conseguir que me escuchen."
    english = "They talk all day while I explain, and I do not know how to make them listen to me."
    rows = [row(1, spanish, "out_of_scope"), row(2, english, "rankable")]
    case = ScreeningCase.of(rows, np.full((2, 4), 0.25, np.float32))
    assert case.other_language.tolist() == [True, False]
    assert case.status == ["out_of_scope", "rankable"]
