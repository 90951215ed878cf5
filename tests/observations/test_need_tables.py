from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from need_rows import RUBRIC, instruments, own_norms, plain_items, rubric, table, visit

from recommender.catalogue.loader import load_catalogue
from recommender.observations.need_tables import (
    ITEM_NEED_COLUMNS,
    SKILL_NEED_COLUMNS,
    item_need_table,
    skill_need_table,
    teacher_notices,
)
from recommender.observations.needs import Estimate, estimate_needs
from recommender.observations.norms import Norms
from recommender.observations.scores import empty_scores


def estimate(*visits, norms: Norms | None = None, own=None) -> Estimate:
    return estimate_needs(table(*visits), own or instruments(), norms or own_norms())


def skills_of(found: Estimate) -> pd.DataFrame:
    return skill_need_table(found, instruments(), load_catalogue())


def test_the_columns_are_those_of_the_contract_even_without_rows() -> None:
    none = estimate_needs(empty_scores(), instruments(), Norms())
    items, skills = item_need_table(none), skills_of(none)
    assert tuple(items.columns) == ITEM_NEED_COLUMNS == (
        "teacher_id", "instrument", "item", "need", "sd", "p_top3", "n_visits", "n_observers", "evidence_grade",
        "notices",
    )  # fmt: skip
    assert tuple(skills.columns) == SKILL_NEED_COLUMNS == (
        "teacher_id", "skill_id", "need", "sd", "p_top3", "evidence_grade"
    )  # fmt: skip
    assert len(items) == len(skills) == 0


def test_rows_stand_by_teacher_instrument_and_the_instruments_own_order_of_items() -> None:
    turned = rubric("another", items=list(reversed(plain_items(2))))
    own = instruments(rubric(), turned)
    found = item_need_table(
        estimate(
            visit("u", {"C": 1, "A": 2}), visit("t", {"I0": 1, "I1": 2}, instrument="another"),
            visit("t", {"B": 3, "A": 4}, "v2"), visit("t", {"A": 3}, "v3"),
            own=own,
        )
    )  # fmt: skip
    assert list(zip(found["teacher_id"], found["instrument"], found["item"], strict=True)) == [
        ("t", "another", "I1"), ("t", "another", "I0"), ("t", RUBRIC, "A"), ("t", RUBRIC, "B"), ("u", RUBRIC, "A"),
        ("u", RUBRIC, "C"),
    ]  # fmt: skip


def test_visits_and_observers_are_counted_per_item() -> None:
    found = item_need_table(
        estimate(
            visit("t", "12", "v1"), visit("t", "2", "v1", observer="o2"), visit("t", "3", "v2"), visit("t", "3", "v3"),
            visit("t", "3", "v4", segment=1), visit("t", "3", "v4", segment=2),
        )
    )  # fmt: skip
    assert found["item"].tolist() == ["A", "B"]
    assert found["n_visits"].tolist() == [4, 1] and found["n_observers"].tolist() == [2, 1]
    assert found["evidence_grade"].tolist() == ["A", "C"]


def test_the_sd_is_that_of_the_need_and_the_chances_of_the_items_sum_to_three() -> None:
    made = estimate(visit("t", "12341"))
    found = item_need_table(made)
    assert found["sd"].tolist() == pytest.approx(np.sqrt(np.diag(made.groups[0].covariance[0])))
    assert found["p_top3"].sum() == pytest.approx(3)


def test_a_skills_need_is_the_weighted_mean_of_its_items_with_the_matching_variance() -> None:
    made = estimate(visit("t", "13241"))
    (group,) = made.groups
    rows = skills_of(made).set_index("skill_id")
    assert set(rows.index) == {"entry-routine", "efficient-transitions", "cold-calling"}
    shares = np.array([0.4, 0.5, 0.3, 0, 0]) / 1.2
    assert rows.loc["efficient-transitions", "need"] == pytest.approx(shares @ group.need[0])
    variance = shares @ group.covariance[0] @ shares
    assert rows.loc["efficient-transitions", "sd"] == pytest.approx(np.sqrt(variance))
    # Only A speaks for entry-routine.
    assert rows.loc["entry-routine", "need"] == pytest.approx(group.need[0, 0])
    assert (rows["p_top3"] == 1).all()


def test_skills_that_no_scored_item_speaks_for_are_left_out() -> None:
    assert skills_of(estimate(visit("t", {"C": 1, "E": 3})))["skill_id"].tolist() == [
        skill for skill in load_catalogue().ids if skill in ("cold-calling", "efficient-transitions")
    ]


def test_a_skills_grade_is_that_of_its_best_seen_item() -> None:
    rows = skills_of(estimate(visit("t", "12", "v1"), visit("t", "-3", "v2"))).set_index("skill_id")
    assert rows["evidence_grade"].to_dict() == {"entry-routine": "C", "efficient-transitions": "B"}


def test_a_flat_profile_has_even_chances_for_skills_too() -> None:
    rows = skills_of(estimate(visit("t", "222-2")))
    assert (rows["need"] == 0).all() and rows["p_top3"].tolist() == [1.0, 1.0, 1.0]


def test_skills_that_the_same_items_speak_for_have_the_same_chance() -> None:
    ids = load_catalogue().ids
    crosswalk = {"A": {ids[0]: 0.5, ids[1]: 0.5}, "B": {ids[2]: 1.0}, "C": {ids[3]: 0.3, ids[4]: 0.3, ids[5]: 0.3}}
    own = instruments(rubric(crosswalk=crosswalk))
    made = estimate_needs(table(visit("t", "13241")), own, own_norms())
    chance = skill_need_table(made, own, load_catalogue()).set_index("skill_id")["p_top3"]
    assert chance[ids[0]] == pytest.approx(chance[ids[1]])
    assert chance[ids[3]] == pytest.approx(chance[ids[4]]) == pytest.approx(chance[ids[5]])
    assert chance.sum() == pytest.approx(3)


def test_notices_are_said_in_plain_words_beside_every_need_of_the_teacher() -> None:
    made = estimate(
        visit("t", "123", observer="UNK"),
        visit("u", "123", school="s"), visit("v", "321", school="s"),
        visit("w", "2"),
    )  # fmt: skip
    assert dict(zip(made.ratings.teachers, teacher_notices(made), strict=True)) == {
        "t": ("unknown_observer",), "u": ("one_rater_school",), "v": ("one_rater_school",), "w": ("one_item",)
    }  # fmt: skip
    said = item_need_table(made).groupby("teacher_id")["notices"].unique()
    assert all(len(sentences) == 1 for sentences in said)
    assert "Nobody knows who observed" in said["t"][0] and "relative to colleagues" in said["u"][0]


def test_one_known_observer_among_unknown_ones_needs_no_notice() -> None:
    made = estimate(visit("t", "123", observer="UNK"), visit("t", "123", "v2"))
    assert teacher_notices(made) == [()]


def test_no_table_holds_a_level_an_average_or_a_note() -> None:
    made = estimate(visit("t", "1234", note="said in confidence"))
    for found in (item_need_table(made), skills_of(made)):
        assert "confidence" not in found.to_csv()
        assert not {"mean", "level", "score", "rank", "value"} & set(found.columns)


def test_many_teachers_skills_are_made_in_steps_without_a_seam(monkeypatch) -> None:
    made = estimate(*(visit(f"t{i}", f"{1 + i % 4}{1 + i // 4}231") for i in range(9)))
    whole = skills_of(made)
    monkeypatch.setattr("recommender.observations.need_tables.TEACHERS_A_STEP", 2)
    pd.testing.assert_frame_equal(skills_of(made), whole, check_exact=True)
