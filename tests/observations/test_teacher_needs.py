from __future__ import annotations

import numpy as np
import pytest
from need_rows import RUBRIC, instruments, own_norms, rubric, table, visit

from recommender.catalogue.loader import load_catalogue
from recommender.observations.need_tables import item_need_table
from recommender.observations.needs import estimate_needs
from recommender.observations.norm_fit import fit_norms
from recommender.observations.norms import Norms
from recommender.observations.ratings import observed_ratings
from recommender.observations.scores import empty_scores
from recommender.observations.teacher_needs import NeedReader, TeacherNeeds, lead_of


def read(*visits, norms: Norms | None = None, own=None, **how) -> TeacherNeeds | None:
    return NeedReader(own or instruments(), load_catalogue(), norms or own_norms(), **how).read(table(*visits))


def test_a_teachers_needs_are_those_of_the_table_for_the_items_scored() -> None:
    visits = visit("t", {"A": 1, "C": 3, "D": 2}), visit("t", {"A": 2, "E": 2}, "v2", observer="o2")
    found = read(*visits)
    rows = item_need_table(estimate_needs(table(*visits), instruments(), own_norms()))
    assert [code for _, code in found.items] == rows["item"].tolist() == ["A", "C", "D", "E"]
    assert found.need.tolist() == rows["need"].tolist()
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(rows["sd"])
    assert list(found.visits) == rows["n_visits"].tolist() == [2, 1, 1, 1]
    assert (found.grade, found.notices, found.gives_order) == ("B", (), True)


def test_shares_sum_to_one_or_to_nothing_and_skill_sds_follow_from_them() -> None:
    found = read(visit("t", "13241"))
    index = load_catalogue().index
    sums = found.shares.sum(axis=0)
    assert sums[index["entry-routine"]] == pytest.approx(1) and ((sums == 0) | np.isclose(sums, 1)).all()
    one = found.shares[:, index["efficient-transitions"]]
    assert (one[:3] > 0).all() and (one[3:] == 0).all()
    assert found.skill_sd[index["efficient-transitions"]] == pytest.approx(np.sqrt(one @ found.covariance @ one))
    assert found.skill_sd[index["wait-time"]] == 0


def test_a_skill_that_both_of_two_items_speak_for_is_told_apart_by_nothing() -> None:
    found = read(visit("t", "13"))
    index = load_catalogue().index
    assert found.shares[:, index["efficient-transitions"]].tolist() == [0.0, 0.0]
    assert found.shares[:, index["entry-routine"]] == pytest.approx([1.0, 0.0])


def test_lead_is_one_for_an_items_foremost_skill_and_a_fraction_for_others() -> None:
    weights = np.array([[0.6, 0.3, 0.0], [0.0, 0.5, 0.0]])
    shares = np.array([[1.0, 0.375, 0.0], [0.0, 0.625, 0.0]])
    assert lead_of(weights, shares) == pytest.approx([1.0, 0.375 * 0.5 + 0.625, 0.0])


def test_no_observed_score_is_no_needs() -> None:
    reader = NeedReader(instruments(), load_catalogue(), own_norms())
    assert reader.read(empty_scores()) is None
    assert read(visit("t", "123", observation_type="self")) is None
    assert read(visit("t", {"A": None, "O": 4})) is None


def test_a_lesson_with_nothing_but_denominators_is_no_needs() -> None:
    count = {"level": "count", "scale": {"min": 0, "max": 999}}
    items = [{"code": "n", "label": "N", **count}, {"code": "X", "label": "X", "per": "n", **count}]
    assert read(visit("t", {"n": 300}, instrument="talk"), own=instruments(rubric("talk", items=items))) is None


@pytest.mark.parametrize(("scored", "notice"), [("2", "one_item"), ("22", "flat_profile")])
def test_one_item_or_a_flat_profile_gives_no_order(scored, notice) -> None:
    found = read(visit("t", scored))
    assert not found.gives_order and notice in found.notices and not found.need.any()


def test_the_grade_counts_lessons_and_observers_over_all_items() -> None:
    assert read(*(visit("t", "12", f"v{i}", observer=f"o{i % 2}") for i in range(4))).grade == "A"
    assert read(*(visit("t", "12", f"v{i}") for i in range(4))).grade == "B"
    assert read(visit("t", "12")).grade == "C"


def test_a_teacher_whose_scores_the_norms_hold_is_read_as_in_the_whole_table() -> None:
    rng = np.random.default_rng(2)
    visits = [visit(f"t{i}", "".join(rng.choice(list("1234"), 5))) for i in range(12)]
    own, scores = instruments(), table(*visits)
    norms = fit_norms(observed_ratings(scores, own), own)
    reader = NeedReader(own, load_catalogue(), norms, norms_hold_scores=True)
    whole = item_need_table(estimate_needs(scores, own))
    for teacher in ("t3", "t7"):
        mine = reader.read(scores[scores["teacher_id"] == teacher])
        assert mine.need == pytest.approx(whole[whole["teacher_id"] == teacher]["need"].to_numpy(), abs=1e-9)


def test_items_carry_their_instrument() -> None:
    own = instruments(rubric(), rubric("other"))
    found = read(visit("t", "12"), visit("t", "3", instrument="other"), own=own)
    assert found.items == ((RUBRIC, "A"), (RUBRIC, "B"), ("other", "A"))
