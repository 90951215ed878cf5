from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from need_rows import CODES, RUBRIC, components, instruments, own_norms, plain_items, rubric, table, visit

from recommender.observations.item_distributions import ItemDistribution, prior_of
from recommender.observations.need_tables import item_need_table, teacher_notices
from recommender.observations.needs import NeedGroup, estimate_needs
from recommender.observations.norms import ItemScores, Norms, TenantNorms
from recommender.observations.skill_map import steering_shares

SKEWED = own_norms(A=(1, 5, 60, 134), B=(100, 60, 30, 10))
DIGITS = st.sampled_from("1234-")
# Visits of one teacher: what each of the five items got, who looked, and when.
VISITS = st.lists(
    st.tuples(
        st.text(DIGITS, min_size=5, max_size=5), st.sampled_from("pqr"), st.sampled_from(["2024-03-01", "2026-02-02"])
    ),
    min_size=1,
    max_size=4,
)


def rows_of(teacher: str, visits) -> list[list[dict]]:
    return [
        visit(teacher, scored, f"v{number}", day, observer) for number, (scored, observer, day) in enumerate(visits)
    ]


def group_of(*visits, norms: Norms = SKEWED, own=None) -> NeedGroup:
    """The one group of a table that has one."""
    (group,) = estimate_needs(table(*visits), own or instruments(), norms).groups
    return group


def needs_of(*visits, norms: Norms | None = SKEWED, own=None, **how) -> dict[str, dict[str, float]]:
    """Teacher -> item -> need."""
    found = item_need_table(estimate_needs(table(*visits), own or instruments(), norms, **how))
    return {
        teacher: dict(zip(rows["item"], rows["need"], strict=True)) for teacher, rows in found.groupby("teacher_id")
    }


def test_two_items_scored_once_by_hand() -> None:
    counts = {"I0": [20.0, 30.0, 30.0, 20.0], "I1": [5.0, 10.0, 25.0, 60.0]}
    parts = components(teacher=0.2, lesson=0.1, rater=0.3, residual=0.4)
    items = {f"own/{code}": ItemScores(values=[1.0, 2.0, 3.0, 4.0], counts=own) for code, own in counts.items()}
    norms = Norms(tenants={"": TenantNorms(items=items, components=parts)})
    own = instruments(rubric("own", items=plain_items(2)))
    found = needs_of(visit("t", {"I0": 3, "I1": 2}, instrument="own"), norms=norms, own=own)["t"]

    def level(code: str, value: float) -> float:
        item = ItemDistribution(np.arange(1.0, 5), np.array(counts[code]), prior_of(own["own"], code))
        keeps = item.information
        latent = item.normal_scores(np.array([value]))[0] / keeps
        # One lesson, one rater never met before: nothing is shared between the items, so each stands alone.
        return 0.2 / (0.2 + 0.1 + 0.3 + 0.4 + (1 - keeps) / keeps + 1 / 106) * latent

    levels = level("I0", 3), level("I1", 2)
    assert levels[1] < 0 < levels[0]
    assert found == pytest.approx({"I0": sum(levels) / 2 - levels[0], "I1": sum(levels) / 2 - levels[1]})


def test_a_usual_low_is_less_of_a_need_than_an_unusual_one() -> None:
    # B is scored 1 in half of all lessons, A almost never.
    needs = needs_of(visit("t", "11333"))["t"]
    assert needs["A"] > needs["B"] + 0.1


def test_the_severity_of_a_known_rater_is_taken_off() -> None:
    strict = own_norms(raters={"o1": {"A": (60, 60, -60)}})
    plain, corrected = needs_of(visit("t", "2233-"), norms=own_norms()), needs_of(visit("t", "2233-"), norms=strict)
    # o1 gives A a latent point less than others do, so a 2 of theirs is hardly a need.
    assert corrected["t"]["A"] < plain["t"]["A"] - 0.03


def test_an_unknown_observers_scores_are_not_corrected_even_if_norms_name_one() -> None:
    named = own_norms(raters={"UNK": {"A": (60, 60, -60)}})
    scored = visit("t", "2233-", observer="UNK")
    assert needs_of(scored, norms=named) == needs_of(scored, norms=own_norms())


@settings(max_examples=30, deadline=None)
@given(VISITS)
def test_needs_are_centred_within_the_teacher_over_the_items_scored(visits) -> None:
    assume(any(set(scored) - {"-"} for scored, _, _ in visits))
    group = group_of(*rows_of("t", visits))
    seen = [any(scored[place] != "-" for scored, _, _ in visits) for place in range(5)]
    assert group.observed[0].tolist() == seen
    assert group.need[0].sum() == pytest.approx(0, abs=1e-9)
    assert (group.need[0][~group.observed[0]] == 0).all()
    variance = np.where(seen, 1.0, 0.0) @ group.covariance[0] @ np.where(seen, 1.0, 0.0)
    assert variance == pytest.approx(0, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(VISITS, st.randoms())
def test_neither_the_order_of_rows_nor_rows_without_a_score_change_a_bit(visits, random) -> None:
    assume(any(set(scored) - {"-"} for scored, _, _ in visits))
    rows = [row for scored in rows_of("t", visits) for row in scored]
    first = group_of(rows)
    missing = visit("t", dict.fromkeys("ABCDE"), "v0", "2020-01-01") + visit("t", {"A": None}, "v9", "2027-01-01")
    again = [*rows, *missing]
    random.shuffle(again)
    other = group_of(again)
    assert (first.need.tobytes(), first.covariance.tobytes()) == (other.need.tobytes(), other.covariance.tobytes())


@settings(max_examples=25, deadline=None)
@given(VISITS, VISITS, VISITS)
def test_under_fixed_norms_the_others_in_the_table_do_not_change_a_teachers_bytes(visits, others, more) -> None:
    assume(any(set(scored) - {"-"} for scored, _, _ in visits))
    norms = own_norms(raters={"p": {"A": (9, 7, 4.5), "D": (30, 30, -9)}})
    other_rows = [row for name, given_ in (("a", others), ("z", more)) for row in rows_of(name, given_)]
    other_rows.append(visit("y", "1234", tenant="elsewhere"))
    other_rows.append(visit("x", "4321", instrument="other"))
    own = instruments(rubric(), rubric("other"))
    alone = item_need_table(estimate_needs(table(*rows_of("t", visits)), own, norms))
    everyone = item_need_table(estimate_needs(table(*other_rows, *rows_of("t", visits)), own, norms))
    mine = everyone[everyone["teacher_id"] == "t"].reset_index(drop=True)
    assert mine.to_csv() == alone.to_csv()
    for column in ("need", "sd", "p_top3"):
        assert mine[column].to_numpy().tobytes() == alone[column].to_numpy().tobytes()


@pytest.mark.parametrize(
    "unseen",
    [{"observation_type": "self"}, {"observation_type": "automated"}, {"observer_role": "self"},
     {"observer_role": "model"}],
)  # fmt: skip
def test_self_ratings_and_machine_scores_never_count(unseen) -> None:
    seen = visit("t", "23341"), visit("u", "4-121")
    unseen_too = *seen, visit("t", "11111", "v2", **unseen), visit("w", "12341", **unseen)
    for norms in (SKEWED, None):
        assert needs_of(*unseen_too, norms=norms) == needs_of(*seen, norms=norms)


def test_a_derived_score_changes_nothing() -> None:
    assert needs_of(visit("t", {"A": 1, "B": 3, "C": 2, "O": 1})) == needs_of(visit("t", {"A": 1, "B": 3, "C": 2}))


def test_a_high_score_on_a_reversed_item_is_the_need_a_low_one_is_elsewhere() -> None:
    needs = needs_of(visit("t", {"A": 3, "B": 2, "C": 3, "D": 4}), norms=own_norms())["t"]
    assert needs["D"] == max(needs.values()) > 0
    assert needs_of(visit("t", {"A": 3, "B": 2, "C": 3, "D": 1}), norms=own_norms())["t"]["D"] < 0


def test_segments_weigh_as_their_mean() -> None:
    split = visit("t", {"A": 1, "B": 3}, segment=1), visit("t", {"A": 2, "B": 3}, segment=2)
    assert needs_of(*split) == needs_of(visit("t", {"A": 1.5, "B": 3}))


def test_an_older_lesson_counts_less() -> None:
    def need(day: str) -> float:
        return needs_of(visit("t", "133--", "v1", day, "p"), visit("t", "333--", "v2", "2026-03-01", "q"))["t"]["A"]

    assert need("2026-02-01") > need("2024-02-01") > need("2020-02-01")
    turned = needs_of(visit("t", "333--", "v1", "2022-03-01", "p"), visit("t", "133--", "v2", "2026-03-01", "q"))
    assert turned["t"]["A"] > need("2022-03-01")


def test_two_tenants_teachers_of_one_name_are_two_people() -> None:
    here, there = visit("t", "1333-", tenant="n"), visit("t", "3331-", tenant="s")
    found = needs_of(here, there, norms=Norms())
    assert set(found) == {"n/t", "s/t"}
    assert found["n/t"] == needs_of(here, norms=Norms())["t"] and found["s/t"] == needs_of(there, norms=Norms())["t"]


def test_a_teacher_named_like_a_tenants_teacher_has_needs_of_their_own() -> None:
    visits = visit("t", "1333-", tenant="a"), visit("t", "3331-", tenant="b"), visit("a/t", "3133-", tenant="c")
    groups = estimate_needs(table(*visits), instruments(), Norms()).groups
    assert sorted(np.concatenate([group.teacher for group in groups]).tolist()) == [0, 1, 2]


def test_several_instruments_are_one_teachers_items() -> None:
    own = instruments(rubric(), rubric("other"))
    group = group_of(visit("t", "133--"), visit("t", "3-4--", "v2", instrument="other"), own=own)
    assert [item for item, seen in zip(group.items, group.observed[0], strict=True) if seen] == [
        (RUBRIC, "A"), (RUBRIC, "B"), (RUBRIC, "C"), ("other", "A"), ("other", "C")
    ]  # fmt: skip
    assert group.need[0].sum() == pytest.approx(0, abs=1e-12)


def test_a_flat_profile_gives_no_need_and_says_so() -> None:
    estimate = estimate_needs(table(visit("t", "222-2"), visit("t", "333-3", "v2"), visit("u", "2223")), instruments())
    found = item_need_table(estimate).groupby("teacher_id")
    flat = found.get_group("t")
    assert (flat["need"] == 0).all() and flat["p_top3"].tolist() == [0.75] * 4
    assert [("flat_profile" in keys) for keys in teacher_notices(estimate)] == [True, False]
    assert flat["notices"].str.contains("alike").all()
    assert (found.get_group("u")["need"] != 0).any()


def test_a_flat_profile_is_one_of_places_on_scales_and_not_of_numbers() -> None:
    percent = rubric("percent", items=plain_items(2), scale={"min": 0, "max": 100})
    own = instruments(rubric(), percent)
    same_place = visit("t", {"A": 4, "B": 4}), visit("t", {"I0": 100, "I1": 100}, instrument="percent")
    assert group_of(*same_place, own=own).flat.tolist() == [True]
    same_number = visit("t", {"A": 4, "B": 4}), visit("t", {"I0": 4, "I1": 4}, instrument="percent")
    assert group_of(*same_number, own=own).flat.tolist() == [False]


def test_one_item_has_no_need_and_says_so() -> None:
    estimate = estimate_needs(table(visit("t", "1")), instruments(), SKEWED)
    assert teacher_notices(estimate) == [("one_item",)]
    (row,) = item_need_table(estimate).itertuples()
    assert (row.need, row.sd, row.p_top3) == (0, 0, 1)


def test_needs_on_items_whose_usual_scores_are_hardly_known_are_said_to_be_a_rough_guess() -> None:
    measured = {"norm": {"mean": 2.5, "sd": 0.5, "source": "measured for this test"}}
    kinds = {"nothing": {}, "borrowed": {"family": "climate"}, "measured": measured}
    own = instruments(*(rubric(kind, items=plain_items(2, **more)) for kind, more in kinds.items()))

    def thin(kind: str, scores_before: int) -> bool:
        items = {f"{kind}/I{i}": ItemScores(values=[1.0, 2.0], counts=[scores_before, 0.5]) for i in range(2)}
        norms = Norms(tenants={"": TenantNorms(items=items if scores_before else {})})
        estimate = estimate_needs(table(visit("t", {"I0": 1, "I1": 2}, instrument=kind)), own, norms)
        assert ("thin_norms" in teacher_notices(estimate)[0]) == estimate.thin[0]
        return bool(estimate.thin[0])

    assert {kind: thin(kind, 0) for kind in kinds} == {"nothing": True, "borrowed": True, "measured": False}
    # What is borrowed, through the family or from all ratings, counts like five scores.
    for kind in ("nothing", "borrowed"):
        assert [thin(kind, n) for n in (4, 5)] == [True, False]


def test_without_norms_a_teachers_own_scores_do_not_correct_themselves() -> None:
    # Six scores by o1, all of one teacher: others gave o1 none, so nothing can be taken off.
    own = [visit("t", "23", f"v{i}") for i in range(6)]
    others = [visit(f"u{i}", "32", observer="o2") for i in range(6)]
    estimate = estimate_needs(table(*own, *others), instruments())
    renamed = estimate_needs(table(*own, *others).replace({"observer": {"o1": "UNK"}}), instruments())
    assert item_need_table(estimate)["need"][:2].tolist() == pytest.approx(
        item_need_table(renamed)["need"][:2].tolist()
    )


def lower(scored: str, place: int) -> str | None:
    """The same visit with one item a level worse; None where there is none."""
    worse = {"A": -1, "B": -1, "C": -1, "D": 1, "E": -1}[CODES[place]]
    if scored[place] == "-" or not 1 <= int(scored[place]) + worse <= 4:
        return None
    return scored[:place] + str(int(scored[place]) + worse) + scored[place + 1 :]


@settings(max_examples=70, deadline=None)
@given(VISITS, st.integers(0, 3), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_a_lower_score_never_lowers_the_need_of_its_item_or_of_a_skill_the_item_speaks_for(
    visits, which, place, seed
) -> None:
    assume(which < len(visits))
    scored, *rest = visits[which]
    worse = lower(scored, place)
    assume(worse is not None)
    norms = own_norms(A=(1, 5, 60, 134), B=(100, 60, 30, 10), raters={"p": dict.fromkeys(CODES, (9, 7, 4.5))})
    before = group_of(*rows_of("t", visits), norms=norms)
    changed = [*visits[:which], (worse, *rest), *visits[which + 1 :]]
    after = group_of(*rows_of("t", changed), norms=norms)
    # A flat profile gives no order at all, so becoming flat may take a need away.
    assume(not before.flat[0] and not after.flat[0])
    assert after.need[0, place] >= before.need[0, place] - 1e-12

    rng = np.random.default_rng(seed)
    weights = rng.random((5, 8)) * (rng.random((5, 8)) < 0.6) * before.observed[0][:, None]
    total = weights.sum(axis=0)
    shares = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    steered = steering_shares(shares, before.gain[0], before.observed[0])
    moved = (after.need[0] - before.need[0]) @ steered
    assert (moved[shares[place] > 0] >= -1e-12).all()


def test_a_large_table_is_estimated_in_steps_without_a_seam(monkeypatch) -> None:
    rng = np.random.default_rng(1)
    visits = [visit(f"t{i:02}", "".join(rng.choice(list("1234"), 5)), f"v{j}") for i in range(20) for j in range(2)]
    whole = item_need_table(estimate_needs(table(*visits), instruments(), SKEWED))
    monkeypatch.setattr("recommender.observations.needs.CELLS_A_CHUNK", 75)
    in_steps = estimate_needs(table(*visits), instruments(), SKEWED)
    assert len(in_steps.groups) == 7
    pd.testing.assert_frame_equal(item_need_table(in_steps), whole, check_exact=True)
