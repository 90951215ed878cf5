from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from recommender.training.corpus import REAL, Row, load_rows
from recommender.training.folds import N_FOLDS, NEAR_DUPLICATE, group_rows, make_folds, near_duplicates

PAGE, OTHER_PAGE = "a" * 64, "b" * 64
STORIES = [
    "Half my fourth graders stop writing after two lines and just draw on the back of the page.",
    "During lab everyone fights over the one good microscope and nobody fills in the data table.",
    "When I hand back quizzes they look at the grade, crumple the paper and never read a comment.",
    "Parents only hear from me when something went wrong, and now they do not pick up the phone.",
    "My seniors copy the notes word for word off the slide and cannot tell me what any of it means.",
    "The bell rings and it takes eleven minutes until the last of them sits down with a book out.",
    "Two girls run every debate and the boys in the back row play a game under the desk instead.",
]
RETOLD = "Half of my fourth graders stop writing after two lines and then just draw on the back of their page."


def row(text: str, source: str = "public") -> Row:
    return Row.model_validate(
        {
            "id": "t-1",
            "kind": "struggle",
            "text": text,
            "status": "rankable",
            "context": {},
            "labels": [],
            "source": source,
        }
    )


def stories_of_random_words(n: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join("".join(rng.choice(list("abcdefghij"), 6)) for _ in range(12)) for _ in range(n)]


# Near-duplicates


def test_a_retelling_is_found_and_other_stories_are_not():
    assert near_duplicates([*STORIES, RETOLD]) == [(0, len(STORIES))]


def test_typos_case_and_a_missing_sentence_do_not_hide_a_duplicate():
    typed = STORIES[1].lower().replace("everyone", "evryone").replace("table", "tabel")
    shortened = STORIES[2].removesuffix(" and never read a comment.")
    assert near_duplicates([*STORIES, typed, shortened]) == [(1, 7), (2, 8)]


def test_every_pair_of_three_copies_is_named_once_in_order():
    assert near_duplicates([STORIES[0], STORIES[1], STORIES[0], STORIES[0]]) == [(0, 2), (0, 3), (2, 3)]


def test_duplicates_are_found_however_far_apart_they_stand():
    texts = stories_of_random_words(1_203)
    texts[1_100], texts[1_202] = texts[3], texts[700]
    assert near_duplicates(texts) == [(3, 1_100), (700, 1_202)]


def test_the_bound_lies_between_a_retelling_and_the_rest():
    assert 0.3 < NEAR_DUPLICATE < 0.8


# Groups


def test_texts_from_one_page_are_one_group_and_the_word_public_is_no_page():
    rows = [row(STORIES[0], PAGE), row(STORIES[1]), row(STORIES[2], PAGE), row(STORIES[3]), row(STORIES[4], OTHER_PAGE)]
    groups = group_rows(rows)
    assert groups[0] == groups[2]
    assert len(set(groups.tolist())) == 4


def test_a_page_and_a_retelling_join_into_one_group():
    # 0 and 1 share a page, 1 and 2 tell one story, 2 and 3 share another page.
    rows = [
        row(STORIES[3], PAGE),
        row(STORIES[0], PAGE),
        row(RETOLD, OTHER_PAGE),
        row(STORIES[4], OTHER_PAGE),
        row(STORIES[5]),
    ]
    groups = group_rows(rows)
    assert len(set(groups[:4].tolist())) == 1
    assert groups[4] != groups[0]


def test_rows_that_share_nothing_stand_alone():
    assert len(set(group_rows([row(text) for text in STORIES]).tolist())) == len(STORIES)


# Folds


def made_up_rows() -> list[Row]:
    texts = stories_of_random_words(60)
    return [row(text, f"{number // 3:064d}") for number, text in enumerate(texts)]


@pytest.mark.parametrize("n_folds", [2, 5])
def test_every_row_is_tested_exactly_once_and_never_trained_on_there(n_folds):
    rows = made_up_rows()
    folds = make_folds(rows, n_folds)
    assert len(folds) == n_folds
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(len(rows)))
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(len(rows)))


def test_no_page_straddles_a_fold():
    rows = made_up_rows()
    for train, test in make_folds(rows):
        assert not {rows[i].source for i in train} & {rows[i].source for i in test}


def test_folds_are_the_same_every_time():
    rows = made_up_rows()
    for one, other in zip(make_folds(rows), make_folds(rows), strict=True):
        assert (one[0] == other[0]).all()
        assert (one[1] == other[1]).all()


def test_in_the_shipped_data_no_page_and_no_retelling_straddles_a_fold():
    rows = [one for file in REAL for one in load_rows(file)]
    fold_of = np.zeros(len(rows), int)
    folds = make_folds(rows)
    for number, (_, test) in enumerate(folds):
        fold_of[test] = number
    pages: dict[str, set[int]] = {}
    for one, fold in zip(rows, fold_of, strict=True):
        if len(one.source) == 64:
            pages.setdefault(one.source, set()).add(int(fold))
    assert {source for source, seen in pages.items() if len(seen) > 1} == set()
    assert all(fold_of[i] == fold_of[j] for i, j in near_duplicates([one.text for one in rows]))
    sizes = sorted(len(test) for _, test in folds)
    assert len(sizes) == N_FOLDS
    assert all(after - before < 0.05 * len(rows) for before, after in pairwise(sizes))
