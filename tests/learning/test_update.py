from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from evidence_rows import CATALOGUE, SKILLS, change, choice, place, reviewed, row
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, brentq
from scipy.special import expit

from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.objective import N_SHARED, Layout, Objective
from recommender.learning.parameters import LearningParameters, load_learning_parameters
from recommender.learning.positions import Positions
from recommender.learning.signals import read_signals
from recommender.learning.update import Update, fit_update

PARAMETERS = load_learning_parameters()
LOOKED_AT = Positions.everywhere()


def with_sds(intercept: float = 1.0, factor: float = 0.3, skill: float = 0.3, tenant: float = 0.15):
    """learning.yaml with the SDs fixed, so that nothing about them is learned."""
    update = PARAMETERS.update
    return PARAMETERS.model_copy(
        update={
            "update": update.model_copy(
                update={
                    "intercept_sd": update.intercept_sd.model_copy(update={"value": intercept}),
                    "factor_sd": update.factor_sd.model_copy(update={"value": factor}),
                    "skill_sd": update.skill_sd.model_copy(update={"start": skill, "least": skill, "most": skill}),
                    "tenant_sd": update.tenant_sd.model_copy(update={"start": tenant, "least": tenant, "most": tenant}),
                }
            )
        }
    )


def fit(
    rows: list[EvidenceRow], parameters: LearningParameters = PARAMETERS, positions: Positions = LOOKED_AT
) -> Update:
    return fit_update(Evidence.of(rows), CATALOGUE, positions, parameters)


def as_bytes(update: Update) -> str:
    return json.dumps(asdict(update), sort_keys=True)


# By hand


@pytest.mark.parametrize(("kept", "removed"), [(30, 10), (3, 1), (0, 5)])
def test_one_skill_of_one_tenant_is_moved_to_where_the_evidence_and_the_priors_balance(kept, removed):
    rows = [reviewed(n, removed=n >= kept) for n in range(kept + removed)]
    sds = {"intercept": 0.5, "skill": 0.4, "tenant": 0.3}
    update = fit(rows, with_sds(**sds))
    variance = sum(sd**2 for sd in sds.values())
    # The shipped log-odds are 0. The sum t of intercept and both offsets solves n (p(t) - share kept) + t / variance
    # = 0 and is split by variance.
    total = brentq(lambda t: kept * (expit(t) - 1) + removed * expit(t) + t / variance, -5, 5)
    assert update.intercept == pytest.approx(total * 0.25 / variance, abs=1e-4)
    assert update.skill_offsets == {SKILLS[0]: pytest.approx(total * 0.16 / variance, abs=1e-4)}
    assert update.tenant_offsets == {"north": {SKILLS[0]: pytest.approx(total * 0.09 / variance, abs=1e-4)}}


def test_a_removal_at_a_place_few_look_at_counts_by_its_target_and_information():
    # Place 2 is looked at by half: target -1 for the removed, 1 for the kept; information p e / (1 - e (1 - p)) = 1/3.
    positions = Positions((1.0, 0.5))
    rows = [
        row(n, changes=[change(1, "remove" if n < 4 else "keep")], shown=[place(0, 1), place(1, 2)]) for n in range(20)
    ]
    update = fit(rows, with_sds(intercept=1e-4, skill=0.5, tenant=1e-4), positions)
    b = brentq(lambda t: (4 * (expit(t) + 1) + 16 * (expit(t) - 1)) / 3 + t / 0.25, -5, 5)
    assert update.skill_offsets[SKILLS[1]] == pytest.approx(b, abs=1e-4)


def test_a_choice_moves_the_chosen_up_and_the_others_down_with_the_look_given_to_each_place():
    positions = Positions((1.0, 0.5))
    rows = [row(n, choices=[choice(1, rank=2)], shown=[place(0, 1), place(1, 2)]) for n in range(4)]
    update = fit(rows, with_sds(skill=0.5, tenant=1e-4), positions)
    # Skill 1 wins against skill 0 by d = 2b: chance e d / (1 + e d) with e .5; each choice counts by the kind's weight.
    weight = 4 * PARAMETERS.signals.chosen.weight
    b = brentq(lambda t: -weight * (1 - expit(2 * t + np.log(0.5))) + t / 0.25, 0, 3)
    assert update.skill_offsets[SKILLS[1]] == pytest.approx(b, abs=1e-4)
    assert update.skill_offsets[SKILLS[0]] == pytest.approx(-b, abs=1e-4)
    assert update.intercept == 0


def test_a_decline_moves_the_declined_down_and_the_others_up():
    rows = [row(n, choices=[choice(0, "declined", reason="not_my_need", rank=1)]) for n in range(4)]
    update = fit(rows)
    assert update.skill_offsets[SKILLS[0]] < 0 < update.skill_offsets[SKILLS[1]]


def test_without_evidence_nothing_moves():
    for rows in ([], [row(), row(1)]):
        update = fit(rows)
        assert (update.skill_offsets, update.tenant_offsets, update.intercept) == ({}, {}, 0.0)
        assert set(update.factors.values()) == {0.0}
        assert not update.offsets(CATALOGUE).any()


# The objective


def _objective() -> Objective:
    scores = [-0.01 * at for at in range(len(CATALOGUE))]
    shown = [place(at, at + 1, prior=-1.0, struggle=0.5 - at / 4, context=-0.25 * (at % 2)) for at in range(4)]
    rows = [
        row(n, tenant=("north", "south")[n % 2], shown=shown, scores=scores, changes=changes, choices=choices)
        for n, (changes, choices) in enumerate(
            [
                ([change(0, "keep"), change(1, "remove"), change(60, "add", 1)], [choice(2, rank=3)]),
                ([change(3, "move", 1), change(2, "move", 4)], [choice(1, "declined", reason="not_my_need", rank=2)]),
                ([change(2, "remove")], []),
            ]
        )
    ]
    judged, picks = read_signals(rows, CATALOGUE, PARAMETERS)
    layout = Layout(len(CATALOGUE), ("north", "south"))
    weights = np.linspace(0.5, 1.5, len(judged)), np.linspace(0.2, 0.7, len(picks))
    return Objective(layout, rows, judged, picks, Positions((1.0, 0.7, 0.5, 0.4)), weights)


def test_the_gradient_and_the_curvature_are_those_of_the_loss():
    objective = _objective()
    theta = np.random.default_rng(3).normal(0, 0.3, objective.layout.size)
    value, gradient = objective.loss(theta)
    assert np.isfinite(value)
    np.testing.assert_allclose(approx_fprime(theta, lambda t: objective.loss(t)[0], 1e-7), gradient, atol=2e-6)
    # Of the factors the curvature is an upper bound: alternatives of one pick hang together in them.
    for at in (0, N_SHARED, N_SHARED + 1, N_SHARED + 60, N_SHARED + len(CATALOGUE) + 2):
        step = np.zeros_like(theta)
        step[at] = 1e-5
        second = (objective.loss(theta + step)[1][at] - objective.loss(theta - step)[1][at]) / 2e-5
        assert objective.curvature(theta)[at] == pytest.approx(second, rel=1e-4, abs=1e-9)


# Shrinkage


def told(tenant: str, lists: int, start: int = 0, *, disliked: int = 0) -> list[EvidenceRow]:
    """Lists of one skill each, ten skills in turn, all at log-odds 0; nine of ten of the disliked skill are removed,
    of the others every second one, by forty coaches.
    """
    rows = []
    for n in range(lists):
        skill, turn = n % 10, n // 10
        removed = turn % 10 != 9 if skill == disliked else turn % 2 == 0
        rows.append(reviewed(start + n, removed, skill=skill, tenant=tenant, coach=f"{tenant}-{n % 40}"))
    return rows


def test_a_tenant_with_20_reviews_moves_little_and_with_2000_a_lot():
    few, many = fit(told("north", 20)), fit(told("north", 2_000))
    little, much = (update.offsets(CATALOGUE, "north")[0] + update.intercept for update in (few, many))
    # Removed nine times in ten, the skill's odds are 1 to 9: log-odds -2.2.
    assert -0.25 < little < 0
    assert -2.2 < much < -1.5
    assert abs(many.offsets(CATALOGUE, "north")[1] + many.intercept) < 0.2


def test_what_two_tenants_disagree_on_stays_with_each_and_what_they_share_is_everyones():
    rows = [*told("north", 2_000, disliked=0), *told("south", 2_000, 2_000, disliked=1)]
    update = fit(rows)
    north, south, stranger = (update.offsets(CATALOGUE, tenant) for tenant in ("north", "south", None))
    assert north[0] < stranger[0] < south[0]
    assert south[1] < stranger[1] < north[1]
    assert north[0] - south[0] < -1


def test_the_sd_of_offsets_is_learned_within_its_bounds():
    rng = np.random.default_rng(7)

    def rows(sd: float) -> list[EvidenceRow]:
        offsets = rng.normal(0, sd, 60)
        return [
            reviewed(n, rng.random() > expit(offsets[n % 60]), skill=n % 60, coach=f"c{n % 60}") for n in range(2_400)
        ]

    bounds = PARAMETERS.update.skill_sd
    assert fit(rows(0.7)).prior_sds["skills"] == pytest.approx(0.7, abs=0.25)
    assert fit(rows(0.0)).prior_sds["skills"] <= bounds.least + 0.1
    assert fit(rows(4.0)).prior_sds["skills"] == bounds.most


def test_coaches_who_hold_less_by_the_words_lower_their_factor():
    rng = np.random.default_rng(5)
    rows = []
    for n in range(3_000):
        score = rng.normal(0, 1.5)
        removed = rng.random() > expit(0.6 * score)
        rows.append(reviewed(n, removed, skill=n % 100, score=score, coach=f"c{n % 40}"))
    update = fit(rows)
    assert update.factors["words"] == pytest.approx(-0.4, abs=0.1)
    assert update.factors["observations"] == update.factors["context"] == 0


# The same rows, the same update


@settings(deadline=None, max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_byte(random):
    rows = [*told("north", 30), row(99, choices=[choice(1, rank=2)])]
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert as_bytes(fit(shuffled)) == as_bytes(fit(rows))


def test_a_withdrawn_row_is_as_if_it_had_never_been_there():
    rows = told("north", 60)
    withdrawn = [each for each in rows if each.coach != "north-3"]
    never = [each for each in told("north", 60) if each.coach != "north-3"]
    assert as_bytes(fit(withdrawn)) == as_bytes(fit(never)) != as_bytes(fit(rows))


def test_copies_of_rows_change_no_byte_of_what_is_learned():
    rows = told("north", 60)
    copies = [each.model_copy(update={"id": f"{each.id}-copy"}) for each in rows]
    assert as_bytes(fit([*rows, *copies])) == as_bytes(fit(rows))


def test_one_coach_of_very_many_reviews_says_less_than_as_many_by_several():
    def rows(coaches: int) -> list[EvidenceRow]:
        return [reviewed(n, removed=True, skill=n % 20, coach=f"c{n % coaches}") for n in range(600)]

    assert abs(fit(rows(1)).intercept) < abs(fit(rows(20)).intercept)
    assert fit(rows(1)).effective_sizes["judgements"] <= fit(rows(20)).effective_sizes["judgements"]


def test_no_id_of_a_person_or_case_is_in_the_figures():
    text = as_bytes(fit(told("north", 40)))
    assert "north-3" not in text
    assert "c1" not in text
    assert '"t1"' not in text
