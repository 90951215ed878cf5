from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from recommender.catalogue.loader import load_catalogue
from recommender.errors import GrowthError
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.text_report import (
    ARMS,
    REPORT_SEEDS,
    TEXT_FIGURES,
    TUNING_SEEDS,
    print_text_report,
    text_report,
)
from recommender.learning.text_study import ALONE, Arm, StudyTexts, TextStudy, lesson_of, reviewed_lists
from recommender.training.corpus import Row
from recommender.training.fit import REAL_WEIGHT
from recommender.training.folds import make_folds
from recommender.training.simulate.reviewing_parameters import load_reviewing_parameters
from recommender.training.stored_vectors import StoredVectors, text_key

CATALOGUE = load_catalogue()
SKILLS = CATALOGUE.ids[:4]
N = len(CATALOGUE)
FULL = load_learning_parameters().texts.weight.value
REVIEWED, COUNTED, LABELLED, OTHERS = (
    Arm("reviewed"), Arm("counted as they are"), Arm("labelled in full"), Arm("reviews of other texts"),
)  # fmt: skip


def row(name: str, number: int, labels: list[dict[str, int]]) -> Row:
    rng = np.random.default_rng([sum(name.encode()), number])
    return Row.model_validate(
        {
            "id": f"{name}-{number}",
            "kind": "struggle",
            "text": " ".join("".join(rng.choice(list("abcdefghij"), 6)) for _ in range(8)),
            "status": "rankable",
            "context": {},
            "labels": labels,
            "source": f"{number:064d}" if name == "real" else name,
        }
    )


def coaches(**values: object):
    """Coaches who look at every place, never slip and never add, but for the values given."""
    parameters = load_reviewing_parameters()
    honest: dict[str, object] = {"examination": [1.0], "slip": 0.0, "moves_later": 0.0, "adds": 0.0}
    changed = {
        name: getattr(parameters.coaches, name).model_copy(update={"value": value})
        for name, value in (honest | values).items()
    }
    return parameters.model_copy(update={"coaches": parameters.coaches.model_copy(update=changed)})


# The lists and what is read in their reviews. The list of five is the first five skills.

LOG_P = -np.arange(float(N), dtype=np.float32)[None]
FIVE = CATALOGUE.ids[:5]
LABELS = {FIVE[0]: 2, FIVE[2]: 1, FIVE[3]: 3, CATALOGUE.ids[9]: 3}
ASKED = {7: row("real", 7, [LABELS])}
BY_TEXT = {each.text: each for each in ASKED.values()}


def targets(arm: Arm, **habits: object) -> np.ndarray:
    """What an arm teaches of the one text."""
    rows = reviewed_lists(1, ASKED, LOG_P, CATALOGUE, coaches(**habits))
    lesson = lesson_of(arm, rows, BY_TEXT, CATALOGUE, np.random.default_rng(0))
    assert lesson.texts == tuple(BY_TEXT)
    return lesson.targets[0]


def shares(**times: float) -> object:
    """The base head's shares with those of some places multiplied: first=10 for the first, and so on."""
    found = np.exp(LOG_P[0].astype(np.float64))
    for name, factor in times.items():
        at = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "tenth": 9}[name]
        found[at] = (found[0] if name in ("fourth", "tenth") else found[at]) * factor
    return pytest.approx(found / found.sum(), rel=1e-4)


def test_the_list_is_the_first_five_of_the_base_head_with_the_text_and_one_coach_of_five():
    (only,) = reviewed_lists(1, ASKED, LOG_P, CATALOGUE, coaches())
    assert [place.skill_id for place in only.shown] == list(FIVE)
    assert [place.score for place in only.shown] == [0, -1, -2, -3, -4]
    assert only.struggle in BY_TEXT
    rows = reviewed_lists(1, dict.fromkeys(range(300), ASKED[7]), np.repeat(LOG_P, 300, 0), CATALOGUE, coaches())
    assert len({each.coach for each in rows}) == 5
    assert 40 < len({each.teacher for each in rows}) <= 50


# Slip is .1: kept where everybody looks counts 10 times, put first 9 times, removed a ninth. What was put on a leading
# place starts from the first suggestion's share.


def test_of_what_was_looked_at_the_best_is_moved_up_the_relevant_kept_and_the_rest_removed():
    # The first, graded 2, stays; the fourth, graded 3, is put first; second, third and fifth go.
    taken_out = {"second": 1 / 9, "third": 1 / 9, "fifth": 1 / 9}
    kept = 10
    assert targets(REVIEWED) == shares(fourth=9, first=kept, **taken_out)


def test_what_comes_up_later_is_moved_down_and_keeps_its_share():
    assert targets(REVIEWED, moves_later=1.0) == shares(fourth=9, first=10, second=1 / 9, fifth=1 / 9)


def test_a_skill_that_was_missing_and_added_teaches_more_than_the_first_suggestion_promised():
    taken_out = {"second": 1 / 9, "third": 1 / 9, "fifth": 1 / 9}
    assert targets(REVIEWED, adds=1.0) == shares(fourth=9, tenth=9, first=10, **taken_out)


def test_a_list_nobody_looked_down_teaches_by_the_assumed_look_and_counted_as_it_is_all_places_alike():
    look = np.array((1, 0.71, 0.58, 0.5, 0.45))
    unread = {"examination": [0.0]}
    before = np.exp(LOG_P[0].astype(np.float64))
    for arm, seen in ((REVIEWED, look), (COUNTED, np.ones(5))):
        after = before.copy()
        after[:5] /= 1 - seen * 0.9
        assert targets(arm, **unread) == pytest.approx(after / after.sum(), rel=1e-4)


def test_not_reviewed_teaches_what_the_base_head_said():
    assert targets(Arm("not reviewed")) == shares()


def test_labelled_in_full_teaches_the_grades_at_the_weight_of_a_real_text():
    rows = reviewed_lists(1, ASKED, LOG_P, CATALOGUE, coaches())
    lesson = lesson_of(LABELLED, rows, BY_TEXT, CATALOGUE, np.random.default_rng(0))
    assert lesson.weight.tolist() == [REAL_WEIGHT]
    assert targets(LABELLED)[[0, 2, 3, 9]] == pytest.approx(np.array([0.6, 0.3, 1, 1]) / 2.9)


def test_a_coach_holds_what_one_labeller_said_and_not_their_mean():
    two = {n: row("real", n, [{FIVE[0]: 3}, {FIVE[1]: 3}]) for n in range(40)}
    rows = reviewed_lists(1, two, np.repeat(LOG_P, 40, 0), CATALOGUE, coaches())
    lesson = lesson_of(REVIEWED, rows, {each.text: each for each in two.values()}, CATALOGUE, np.random.default_rng(0))
    first = lesson.targets[:, 0] > lesson.targets[:, 1]
    assert 0.25 < first.mean() < 0.75
    assert len(np.unique(lesson.targets, axis=0)) == 2


def test_reviews_of_other_texts_are_the_same_reviews_and_fewer_texts_are_the_first_of_more():
    asked = {n: row("real", n, [{SKILLS[n % 4]: 3}]) for n in range(40)}
    by_text = {each.text: each for each in asked.values()}
    rows = reviewed_lists(1, asked, np.repeat(LOG_P, 40, 0), CATALOGUE, coaches())
    own, others, few = (
        lesson_of(arm, rows, by_text, CATALOGUE, np.random.default_rng(0))
        for arm in (REVIEWED, OTHERS, Arm("reviewed", 10))
    )
    assert own.texts == others.texts
    assert sorted(map(tuple, own.targets.tolist())) == sorted(map(tuple, others.targets.tolist()))
    assert (own.targets != others.targets).any(axis=1).mean() > 0.5
    assert own.weight.tolist() == [FULL] * 40
    assert few.texts == own.texts[:10]


# The report, on texts of four skills; those of one skill lie around one direction. Written texts know two of the four,
# so that the other two can only be learned from what is reviewed.

WRITTEN = tuple(row("written", n, [{SKILLS[n % 2]: 3}]) for n in range(12))
REAL = tuple(row("real", n, [{SKILLS[n % 4]: 3}]) for n in range(80))
STUDY = TextStudy(
    (1, 2), (ALONE, Arm("reviewed", 20), REVIEWED, COUNTED, LABELLED, Arm("not reviewed"), OTHERS), corpus=0
)


def study_texts() -> StudyTexts:
    rng = np.random.default_rng(0)
    rows = (*WRITTEN, *REAL)
    about = np.array([SKILLS.index(next(iter(each.labels[0]))) for each in rows])
    values = np.eye(8)[about] * 60 + rng.normal(0, 15, (len(rows), 8))
    vectors = StoredVectors(
        {text_key(each.text): at for at, each in enumerate(rows)}, values.round().clip(-127, 127).astype(np.int8)
    )
    return StudyTexts(WRITTEN, REAL, tuple(make_folds(REAL)), CATALOGUE, vectors)


@pytest.fixture(scope="module")
def report():
    return text_report(STUDY, study_texts(), jobs=1)


def gain(report, arm: Arm, figure: str = "nDCG@5") -> dict[str, float]:
    (found,) = [each for each in report["arms"] if (each["way"], each["size"]) == (arm.way, arm.size)]
    return found["more than corpus alone"][figure]


def test_reviewed_texts_help_where_the_corpus_does_not_know_the_skill_and_reviews_of_other_texts_do_not(report):
    assert gain(report, REVIEWED)["low"] > 0.02
    assert gain(report, LABELLED)["low"] > 0.02
    assert gain(report, OTHERS)["mean"] < 0.25 * gain(report, REVIEWED)["mean"]


def test_every_arm_has_every_figure_of_every_real_row_and_its_difference_from_the_corpus_alone(report):
    alone = report["arms"][0]["figures"]
    for arm in report["arms"]:
        for name in TEXT_FIGURES:
            value, more = arm["figures"][name], arm["more than corpus alone"][name]
            assert value["n"] == more["n"] == len(REAL)
            assert more["low"] <= more["mean"] <= more["high"]
            assert more["mean"] == pytest.approx(value["mean"] - alone[name]["mean"], abs=2e-4)
    assert gain(report, ALONE) == {"mean": 0, "low": 0, "high": 0, "n": len(REAL), "p": 1}


def test_an_arm_teaches_no_more_texts_than_its_size_and_none_without_one(report):
    taught = {(arm["way"], arm["size"]): arm["texts taught"] for arm in report["arms"]}
    assert taught["corpus alone", 0] == 0
    assert 10 <= taught["reviewed", 20] <= 20
    # All that a fold leaves are reviewed.
    assert taught["reviewed", None] == taught["labelled in full", None] == taught["reviews of other texts", None] <= 64


def test_the_same_study_gives_the_same_report_and_another_seed_another(report):
    texts = study_texts()
    one = TextStudy((1,), (ALONE, REVIEWED), corpus=0)
    first = text_report(one, texts, jobs=1)
    assert text_report(one, texts, jobs=1) == first
    other = text_report(TextStudy((2,), (ALONE, REVIEWED), corpus=0), texts, jobs=1)
    assert other["arms"] != first["arms"]
    pooled = next(each for each in report["arms"] if (each["way"], each["size"]) == ("reviewed", None))
    both = [each["arms"][1]["figures"]["nDCG@5"]["mean"] for each in (first, other)]
    assert np.mean(both) == pytest.approx(pooled["figures"]["nDCG@5"]["mean"], abs=2e-4)


def test_the_table_has_a_line_an_arm_and_no_word_of_a_text(report):
    console = Console(file=io.StringIO(), width=240)
    print_text_report(report, console)
    printed = console.file.getvalue()
    for arm in STUDY.arms:
        assert arm.way in printed
    assert sum("+0." in line or "-0." in line or "corpus alone" in line for line in printed.splitlines()) == len(
        STUDY.arms
    )
    assert not any(each.text.split()[0] in printed for each in REAL)


def test_a_study_without_the_corpus_alone_or_without_a_text_to_review_is_refused():
    texts = study_texts()
    with pytest.raises(GrowthError, match="an arm to compare"):
        text_report(TextStudy((1,), (REVIEWED,), corpus=8), texts, jobs=1)
    with pytest.raises(GrowthError, match="a corpus of 64"):
        text_report(TextStudy((1,), (ALONE,), corpus=64), texts, jobs=1)


def test_the_report_compares_every_way_and_never_prints_the_seeds_the_weight_was_looked_at_on():
    assert not set(REPORT_SEEDS) & set(TUNING_SEEDS)
    assert {arm.way for arm in ARMS} == {arm.way for arm in STUDY.arms}
    assert len(set(ARMS)) == len(ARMS)
