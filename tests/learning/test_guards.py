from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from evidence_rows import SKILLS, change, place, reviewed, row
from scipy.special import expit

from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.guards import Finding, guard
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.positions import Positions

LIMITS = load_learning_parameters().guards


def by(coach: str, n: int, *, shift: float = 0.0, scale: float = 1.0, start: int = 0) -> list[EvidenceRow]:
    """Lists of one skill at random log-odds s, kept with the chance of shift + scale s; two hours between lists."""
    rng = np.random.default_rng(sum(coach.encode()))
    rows = []
    for number in range(n):
        score = rng.normal(0, 1.5)
        removed = bool(rng.random() > expit(shift + scale * score))
        rows.append(reviewed(start + 12 * number, removed, skill=number % 100, score=score, coach=coach))
    return [each.model_copy(update={"id": f"{coach}-{each.id}", "case": f"{coach}-{each.case}"}) for each in rows]


def crowd(*odd: EvidenceRow, shift: float = 0.0, scale: float = 1.0) -> list[EvidenceRow]:
    return [*(each for name in range(8) for each in by(f"coach-{name}", 80, shift=shift, scale=scale)), *odd]


def findings(rows: list[EvidenceRow]) -> list[Finding]:
    return guard(Evidence.of(rows), positions=Positions.everywhere())


def names(rows: list[EvidenceRow]) -> set[str]:
    return {finding.name for finding in findings(rows)}


def test_honest_coaches_give_no_finding():
    assert findings(crowd()) == []


def test_coaches_who_all_disagree_with_the_model_alike_give_no_finding():
    assert findings(crowd(shift=-1.0, scale=0.6)) == []


def test_no_evidence_gives_no_finding():
    assert findings([]) == []


def test_a_coach_who_keeps_everything_is_named_with_the_chance_of_it():
    quiet = by("quiet", 40, shift=50.0)
    found = [each for each in findings(crowd(*quiet)) if each.name == "keeps_everything"]
    (finding,) = found
    assert finding.about == ("north", "quiet")
    assert finding.n == 40
    assert finding.value < LIMITS.keep_chance.value
    assert "40 reviews" in finding.sentence


def test_a_coach_of_a_handful_of_kept_lists_is_not_named():
    assert names(crowd(*by("quiet", LIMITS.least_reviews.value - 1, shift=50.0))) == set()


def test_a_coach_who_removes_what_fits_best_is_found_by_the_scale():
    odd = [each for each in findings(crowd(*by("turned", 80, scale=-1.0))) if each.name == "other_scale"]
    assert [each.about for each in odd] == [("north", "turned")]
    assert odd[0].value < -LIMITS.coach_distance.value


@pytest.mark.parametrize(("shift", "sign"), [(-3.0, -1), (3.0, 1)])
def test_a_coach_far_stricter_or_milder_than_the_others_is_found(shift, sign):
    odd = [each for each in findings(crowd(*by("odd", 80, shift=shift))) if each.name == "stricter_or_milder"]
    assert [each.about for each in odd] == [("north", "odd")]
    assert np.sign(odd[0].value) == sign


def test_a_coach_with_two_fifths_of_all_reviews_is_found_unless_there_are_hardly_others():
    many = by("busy", 600)
    (finding,) = findings(crowd(*many))
    assert (finding.name, finding.about) == ("coach_share", ("north", "busy"))
    assert finding.value == pytest.approx(600 / 1_240, abs=1e-4)
    few = [*by("busy", 600), *by("other", 80)]
    assert "coach_share" not in names(few)


def burst(n: int) -> list[EvidenceRow]:
    start = row().shown_at
    review = {"reviewed_at": start, "changes": [change(110, "move", 1)]}
    shown = [place(1, 1), place(110, 2)]
    return [row(number, coach=f"coach-{number % 8}", review=review, shown=shown) for number in range(n)]


def test_a_burst_on_one_skill_is_found_with_its_tenant_and_skill():
    (finding,) = [each for each in findings(crowd(*burst(200))) if each.name == "burst"]
    assert finding.about == ("north", SKILLS[110])
    assert finding.value == 200
    assert names(crowd(*burst(LIMITS.burst_signals.value - 5))) == set()


def test_a_file_sent_twice_is_found_whatever_its_ids_and_times():
    rows = crowd()
    again = [each.model_copy(update={"id": f"again-{each.id}"}) for each in rows]
    (finding,) = findings([*rows, *again])
    assert (finding.name, finding.value, finding.n) == ("duplicates", 0.5, 1_280)
    assert findings([*rows, *again[:4]]) == []


def test_findings_are_the_same_in_whatever_order_the_rows_come():
    rows = crowd(*by("quiet", 40, shift=50.0), *by("turned", 80, scale=-1.0), *burst(100))
    assert findings(rows[::-1]) == findings(rows)
    assert len(names(rows)) >= 3


def test_a_sentence_names_no_person():
    rows = crowd(*by("quiet", 40, shift=50.0), *by("turned", 80, scale=-1.0), *burst(100))
    for finding in findings(rows):
        assert json.dumps(asdict(finding))
        assert not {"quiet", "turned", "north"} & set(finding.sentence.replace(".", " ").split())
