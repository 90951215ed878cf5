from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from recommender.catalogue.loader import load_catalogue
from recommender.errors import DataFileError, GrowthError
from recommender.training.corpus import Row
from recommender.training.learning_curve import CURVE_FIGURES, learning_curve, nested_subset
from recommender.training.stored_vectors import StoredVectors, text_key

CATALOGUE = load_catalogue()
SKILLS = CATALOGUE.ids[:4]


def made_up(name: str, n: int, skills: tuple[str, ...] = SKILLS) -> list[Row]:
    rng = np.random.default_rng(sum(name.encode()))
    return [
        Row.model_validate(
            {
                "id": f"{name}-{i}",
                "kind": "struggle",
                "text": " ".join("".join(rng.choice(list("abcdefghij"), 6)) for _ in range(8)),
                "status": "rankable",
                "context": {},
                "labels": [{skills[i % len(skills)]: 3}],
                "source": f"{i:064d}" if name == "real" else name,
            }
        )
        for i in range(n)
    ]


# Written texts know two of the four skills; the other two can only be learnt from real ones.
WRITTEN = made_up("written", 12, SKILLS[:2])
REAL = made_up("real", 60)
DEVELOPMENT = made_up("development", 8)


def vectors() -> StoredVectors:
    """Texts of one skill lie around one direction."""
    rng = np.random.default_rng(0)
    rows = [*WRITTEN, *REAL, *DEVELOPMENT]
    keys = {text_key(row.text): i for i, row in enumerate(rows)}
    about = np.array([SKILLS.index(next(iter(row.labels[0]))) for row in rows])
    values = np.eye(8)[about] * 80 + rng.normal(0, 18, (len(rows), 8))
    return StoredVectors(keys, values.round().clip(-127, 127).astype(np.int8))


def curve(*sizes: int | None, **changes: object) -> dict[str, Any]:
    settings = {"written": WRITTEN, "real": REAL, "development": DEVELOPMENT, "vectors": vectors(), "jobs": 1}
    return learning_curve(sizes, **(settings | changes))  # type: ignore[arg-type]


# Subsets


def test_a_smaller_subset_is_part_of_every_larger_one_and_none_is_all():
    train = np.arange(0, 400, 2)
    subsets = [nested_subset(train, size, fold=3) for size in (0, 10, 50, 150, None)]
    assert [len(subset) for subset in subsets] == [0, 10, 50, 150, 200]
    for smaller, larger in pairwise(subsets):
        assert set(smaller.tolist()) < set(larger.tolist())
    assert subsets[-1].tolist() == train.tolist()


def test_a_subset_is_the_same_every_time_and_another_in_another_fold():
    train = np.arange(200)
    assert nested_subset(train, 20, 0).tolist() == nested_subset(train, 20, 0).tolist()
    assert nested_subset(train, 20, 0).tolist() != nested_subset(train, 20, 1).tolist()


def test_a_subset_is_drawn_from_the_whole_fold_and_not_from_its_start():
    assert nested_subset(np.arange(1000), 100, 0).max() > 800


# The curve


SAID: list[str] = []


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return curve(10, 20, 48, 1000, None, say=SAID.append)


def test_the_curve_starts_with_written_texts_alone_and_ends_with_all_a_fold_leaves(report):
    assert [point["size"] for point in report["points"]] == [0, 10, 20, None]
    assert [point["real rows trained on"] for point in report["points"]] == [0, 10, 20, 48]
    assert (report["written rows"], report["real rows"], report["development rows"], report["folds"]) == (12, 60, 8, 5)


def test_a_size_some_fold_cannot_fill_is_left_out_and_said(report):
    assert [line for line in SAID if "left out" in line] == [
        "learning curve: 48 left out, a fold leaves 48",
        "learning curve: 1000 left out, a fold leaves 48",
    ]


def test_every_row_is_measured_at_every_size_with_an_interval(report):
    for point in report["points"]:
        for part, n in (("held out", 60), ("development", 8)):
            assert tuple(point[part]) == CURVE_FIGURES
            for value in point[part].values():
                assert value["n"] == n
                assert 0 <= value["low"] <= value["mean"] <= value["high"] <= 1


def test_skills_that_only_real_struggles_show_are_learnt_from_them(report):
    written_only, everything = report["points"][0], report["points"][-1]
    # Half of the rows are about skills no written text has; seen or not is all that decides here.
    assert written_only["held out"]["hit@1"]["mean"] == pytest.approx(0.5, abs=0.05)
    assert everything["held out"]["hit@1"]["mean"] > 0.95
    assert everything["development"]["hit@1"]["mean"] > 0.95


def test_the_step_to_a_size_is_the_paired_difference_from_the_size_before(report):
    assert report["points"][0]["more than the size before"] is None
    for before, after in pairwise(report["points"]):
        gain = after["held out"]["nDCG@5"]["mean"] - before["held out"]["nDCG@5"]["mean"]
        assert after["more than the size before"]["mean"] == pytest.approx(gain, abs=2e-4)


def test_the_same_rows_give_the_same_figures_whatever_the_order_of_the_sizes(report):
    assert curve(None, 20, 10, 20) == report


def test_a_row_is_never_answered_by_a_model_that_learnt_from_its_page():
    # Ten skills with one real row and page each.
    alone = made_up("real", 10, CATALOGUE.ids[:10])
    keys = {text_key(row.text): i for i, row in enumerate([*WRITTEN, *alone, *DEVELOPMENT])}
    stored = StoredVectors(keys, np.random.default_rng(0).integers(-90, 90, (len(keys), 8)).astype(np.int8))
    (_, everything) = curve(None, real=alone, vectors=stored)["points"]
    # Written texts know two of the ten; the other eight are known from the row itself alone.
    assert everything["held out"]["hit@1"]["mean"] <= 0.2


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_below_one_is_refused(size):
    with pytest.raises(GrowthError, match="1 or more"):
        curve(size, 10)


def test_a_text_without_a_stored_vector_is_refused():
    with pytest.raises(DataFileError, match="without a stored vector"):
        curve(None, vectors=StoredVectors({}, np.zeros((0, 8), np.int8)))
