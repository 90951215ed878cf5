from __future__ import annotations

import numpy as np
import pytest
from evidence_rows import CATALOGUE, MARKER, SKILLS, change, place, row
from small_models import SHIPPED

from recommender.cases import Ranking
from recommender.learning.evidence import Evidence
from recommender.learning.fixed_cases import changed_cases, golden_cases
from recommender.learning.gate_parameters import GATES_FILE, load_gate_parameters
from recommender.learning.gate_rules import (
    calibration_gate,
    determinism_gate,
    development_gate,
    golden_gate,
    guards_gate,
    held_back_gate,
    latency_gate,
    screening_gate,
    slice_gates,
)
from recommender.learning.guards import Finding
from recommender.learning.held_back import ReviewedLists, referee, split_by_time
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.positions import Positions
from recommender.ranking.fusion import FusionWeights
from recommender.ranking.ordering import Ordering
from recommender.ranking.versions import DEFAULT_MODELS

GATES = load_gate_parameters()
BASE = FusionWeights.load(DEFAULT_MODELS / SHIPPED)
# Places 1, 2 and 3 are looked at always, in half and in a quarter of the cases.
LOOKS = Positions((1.0, 0.5, 0.25))
PLAIN = Ordering(CATALOGUE, 0.0)


def around(mean: float, half_width: float, n: int = 400) -> np.ndarray:
    """Values with this mean whose 95% interval is about so wide."""
    spread = half_width / 1.96 * np.sqrt(n)
    return mean + spread * np.resize([-1.0, 1.0], n)


@pytest.mark.parametrize(
    ("mean", "half", "passed"),
    [(0.0, 0.02, True), (-0.008, 0.02, True), (-0.012, 0.02, False), (-0.006, 0.003, False), (0.03, 0.05, True)],
)
def test_the_development_gate_fails_below_its_margin_and_where_even_the_upper_end_is_below_nothing(mean, half, passed):
    assert development_gate(around(mean, half), GATES).passed is passed


@pytest.mark.parametrize(
    ("mean", "half", "passed", "says"),
    [
        (0.02, 0.015, True, "not worse by 0.01"),
        (0.0, 0.008, True, "not worse by 0.01"),
        (0.0, 0.02, False, "Cannot tell"),
        (0.01, 0.03, False, "Cannot tell"),
        (-0.02, 0.03, False, "falls"),
        (-0.006, 0.003, False, "falls"),
    ],
)
def test_the_newest_reviews_must_show_that_a_version_is_not_worse_and_too_few_is_no_pass(mean, half, passed, says):
    result = held_back_gate(around(mean, half), [str(number) for number in range(400)], GATES)
    assert result.passed is passed
    assert says in result.sentence


def test_without_reviews_only_a_version_that_no_review_taught_passes():
    nothing = np.zeros(0)
    assert not held_back_gate(nothing, [], GATES).passed
    passed = held_back_gate(nothing, [], GATES, corpus_only=True)
    assert passed.passed and "only texts did" in passed.sentence
    assert not held_back_gate(around(-0.03, 0.01), range(400), GATES, corpus_only=True).passed


def test_a_few_lists_that_came_out_the_same_do_not_show_that_a_version_is_not_worse():
    few = held_back_gate(np.zeros(29), range(29), GATES)
    assert not few.passed and few.sentence.startswith(
        "Cannot tell: 29 reviewed lists were held back, and 30 are needed"
    )
    assert held_back_gate(np.zeros(30), range(30), GATES).passed
    assert held_back_gate(np.zeros(29), range(29), GATES, corpus_only=True).passed


def test_lists_of_one_teacher_count_together():
    difference = around(0.0, 0.008)
    # Each of two teachers is all up or all down: nothing is known but two values.
    together = held_back_gate(difference, ["up" if value > 0 else "down" for value in difference], GATES)
    assert not together.passed and "Cannot tell" in together.sentence


def test_a_slice_fails_only_beyond_its_margin_for_sure_and_is_not_judged_on_few_rows():
    difference = np.concatenate([around(-0.06, 0.03, 40), around(-0.03, 0.03, 40), around(-0.5, 0.01, 20)])
    labels = {"grade band": ["high"] * 40 + ["middle"] * 40 + ["elementary"] * 20}
    by_name = {result.name: result for result in slice_gates("held back", difference, labels, GATES)}
    assert not by_name["held back, grade band: high"].passed
    assert by_name["held back, grade band: middle"].passed
    few = by_name["held back, grade band: few rows"]
    assert few.passed and few.sentence == "Not judged: 1 slices with fewer than 30 rows."
    assert "elementary" not in str(by_name)


@pytest.mark.parametrize(("now", "passed"), [(0.049, True), (0.051, False), (0.0, True)])
def test_calibration_may_get_worse_by_its_margin_and_no_more(now, passed):
    assert calibration_gate("held back", 0.03, now, 0.02, 100).passed is passed


def test_safeguarding_may_not_fall_at_all_and_other_screening_by_its_margin():
    before = {"safeguarding": 0.98, "not_enough": 0.9}
    assert screening_gate(before, {"safeguarding": 0.98, "not_enough": 0.895}, GATES).passed
    assert not screening_gate(before, {"safeguarding": 0.979, "not_enough": 0.9}, GATES).passed
    assert not screening_gate(before, {"safeguarding": 1.0, "not_enough": 0.88}, GATES).passed


def test_speed_is_compared_by_the_middle_pair_so_that_one_slow_run_decides_nothing():
    before = np.full(9, 0.010)
    passed = latency_gate(before, np.array([*[0.0103] * 8, 5.0]), GATES)
    assert (passed.passed, passed.figure) == (True, 1.0), "to a tenth: no two runs take the same time"
    assert not latency_gate(before, np.full(9, 0.0112), GATES).passed


def test_what_came_out_differently_is_named():
    assert determinism_gate([]).passed
    assert "fusion.json" in determinism_gate(["fusion.json"]).sentence
    assert golden_gate([], ["slow-start"], 14, GATES).passed
    assert not golden_gate(["slow-start"], [], 14, GATES).passed
    assert not golden_gate([], ["slow-start", "feedback"], 14, GATES).passed


def test_any_finding_of_the_guards_refuses_and_nobody_is_named():
    finding = Finding("burst", (MARKER, "entry-routine"), 40, 30, 2, f"{MARKER} said so")
    assert guards_gate([]).passed
    refused = guards_gate([finding, finding])
    assert not refused.passed and "burst (2)" in refused.sentence
    assert MARKER not in str(refused.as_data())


def test_a_fixed_case_changed_when_its_status_did_or_its_first_skill_was_not_in_sight(recommender):
    cases = golden_cases()
    answers = {case.case_id: recommender.rank(case) for case in cases}
    ranked = [answer for answer in answers.values() if answer.status == "ranked"]
    assert len(cases) >= 12 and len({answer.status for answer in answers.values()}) == 4
    assert answers["someone-is-hurt"].status == "safeguarding" and answers["scores-alone"].status == "ranked"
    assert changed_cases(ranked, ranked, GATES) == ([], [])
    one = next(answer for answer in ranked if len(answer.suggestions) == 3)
    assert changed_cases([one], [led_by(one, 2)], GATES) == ([], [])
    other = led_by(one, 2, skill_id=next(s for s in SKILLS if s not in [x.skill_id for x in one.suggestions]))
    assert changed_cases([one], [other], GATES) == ([], [one.case_id])
    assert changed_cases([one], [one.model_copy(update={"status": "not_enough"})], GATES) == ([one.case_id], [])


def led_by(ranking: Ranking, at: int, **fields: str) -> Ranking:
    """The ranking with the suggestion at a place put first."""
    first = ranking.suggestions[at].model_copy(update=fields)
    return ranking.model_copy(update={"suggestions": [first, *ranking.suggestions]})


def test_a_broken_margin_is_refused_with_its_field(tmp_path):
    file = tmp_path / "gates.yaml"
    file.write_text(GATES_FILE.read_text(encoding="utf-8").replace("ratio: {value: 1.1", "ratio: {value: -1"))
    with pytest.raises(Exception, match=r"gates.yaml: latency: ratio"):
        load_gate_parameters(file)


def listed(number: int, changes, scores=None, **more):
    """A reviewed list of skills 0, 1 and 2 at the log-odds 2, 1 and 0; all others at -9."""
    log_odds = np.full(len(SKILLS), -9.0)
    log_odds[:3] = (2.0, 1.0, 0.0)
    for skill, value in (scores or {}).items():
        log_odds[skill] = value
    shown = [place(skill, skill + 1, float(log_odds[skill])) for skill in range(3)]
    return row(number, changes=changes, shown=shown, scores=log_odds.tolist(), **more)


def reviewed_lists(*rows):
    return ReviewedLists.of(rows, BASE, CATALOGUE, LOOKS, load_learning_parameters())


def test_words_that_were_learned_from_judge_nothing_whatever_case_they_came_in():
    words = ["One story.", "Another story.", None, None, "one  STORY.", "A third story.", None, None]
    rows = [row(number, case=f"c{number}", struggle=text) for number, text in enumerate(words)]
    learned, held_back = split_by_time(Evidence.of(rows), 0.5)
    assert [each.struggle for each in learned.rows] == words[:4]
    assert [each.struggle for each in held_back.rows] == words[5:], "only the story that was read is left out"


def test_the_newest_lists_are_held_back_and_none_of_a_case_that_was_learned_from():
    rows = [listed(number, [change(0, "keep")]) for number in range(10)]
    again = listed(10, [change(1, "keep")], case="c3", teacher="t3")
    learned, held_back = split_by_time(Evidence.of([*reversed(rows), again]), 0.2)
    assert [each.id for each in learned.rows] == [f"r{number:05d}" for number in range(9)]
    assert [each.id for each in held_back.rows] == ["r00009"]


def test_copies_do_not_stand_on_both_sides():
    rows = [listed(number, [change(0, "keep")]) for number in range(4)]
    copies = [each.model_copy(update={"id": f"copy-{each.id}", "shown_at": rows[-1].shown_at}) for each in rows]
    learned, held_back = split_by_time(Evidence.of([*rows, *copies]), 0.5)
    assert len(learned.rows) + len(held_back.rows) == 4


def test_a_list_is_worth_the_unbiased_relevance_of_its_places():
    lists = reviewed_lists(listed(0, [change(0, "keep"), change(1, "remove"), change(2, "keep")]))
    shipped = lists.log_odds(BASE)
    discount = 1 / np.log2(np.arange(2, 7))
    # Removed at a place looked at in half of the cases: 1 - 1/.5. Two more places fall to skills at -9.
    never = np.zeros_like(shipped)
    assert lists.target[0, :3].tolist() == [1.0, -1.0, 1.0]
    expected = (discount[0] - discount[1] + discount[2]) / (discount[0] + discount[1])
    assert lists.worth(shipped, PLAIN, never)[0] == pytest.approx(expected)
    better = shipped.copy()
    better[0, 1] = -5.0
    gained = (discount[0] + discount[1] - discount[2]) / (discount[0] + discount[1])
    assert lists.worth(better, PLAIN, never)[0] == pytest.approx(gained)


def test_a_skill_nobody_judged_counts_as_likely_as_the_referee_says():
    lists = reviewed_lists(listed(0, [change(0, "keep")]))
    expected = np.zeros((1, len(SKILLS)))
    expected[0, 7] = 0.5
    raised = lists.log_odds(BASE)
    raised[0, 7] = 9.0
    discount = 1 / np.log2(np.arange(2, 7))
    assert lists.worth(raised, PLAIN, expected)[0] == pytest.approx(
        (0.5 * discount[0] + discount[1]) / (discount[0] + 0.5 * discount[1])
    )


def test_an_added_skill_is_relevant():
    lists = reviewed_lists(listed(0, [change(5, "add", 1)]))
    assert lists.target[0, 5] == 1.0 and np.isnan(lists.target[0, 0])


def test_a_version_scores_rows_of_words_by_its_own_weights_and_others_by_its_offsets_alone():
    seen = listed(1, [change(0, "keep")], tenant="south")
    parts = {"struggle": 1.0, "observation": 1.0}
    seen = seen.model_copy(update={"shown": [row(shown=[place(0, 1, **parts)]).shown[0], *seen.shown[1:]]})
    lists = reviewed_lists(listed(0, [change(0, "keep")]), seen)
    assert np.allclose(lists.log_odds(BASE)[:, :3], [2.0, 1.0, 0.0])
    other = BASE.model_copy(
        update={
            "slope": 2 * BASE.slope, "intercept": 2 * BASE.intercept + 0.5, "skill_offsets": {SKILLS[1]: 0.3},
            "tenant_offsets": {"south": {SKILLS[1]: 0.2}},
        }
    )  # fmt: skip
    assert np.allclose(lists.log_odds(other)[0, :3], [4.5, 2.8, 0.5])
    assert np.allclose(lists.log_odds(other)[1, :3], [2.0, 1.5, 0.0])
    change_of_head = np.zeros((2, len(SKILLS)))
    change_of_head[0, 2] = 1.0
    assert lists.log_odds(BASE, change_of_head)[0, 2] == pytest.approx(BASE.slope)


def test_removals_are_predicted_by_looking_and_not_fitting():
    lists = reviewed_lists(listed(0, [change(0, "keep"), change(1, "remove"), change(2, "move", 3)]))
    chance, event = lists.removals(np.zeros((1, len(SKILLS))), LOOKS)
    assert chance.tolist() == [0.5, 0.25, 0.125]
    assert event.tolist() == [0.0, 1.0, 0.5]


def test_the_referee_learned_from_the_held_back_lists_and_without_any_is_the_base():
    rows = [listed(number, [change(0, "keep"), change(1, "remove")]) for number in range(60)]
    learned = referee(rows, BASE, CATALOGUE, LOOKS, load_learning_parameters())
    assert learned.skill_offsets[SKILLS[1]] < 0
    assert referee([], BASE, CATALOGUE, LOOKS, load_learning_parameters()) is BASE
