from __future__ import annotations

import re

import pytest

from recommender.errors import GrowthError
from recommender.training.corpus import REAL, REAL_DEV, SCREENING, WRITTEN, Row, load_rows
from recommender.training.data_card import (
    CARD_FILE,
    SplitPair,
    data_card,
    first_skill_agreement,
    rows_a_skill,
    split_pairs,
    write_data_card,
)

A, B, C, D = "cold-calling", "wait-time", "entry-routine", "exit-tickets"
CARD = data_card()


def row(*labels: dict[str, int], number: int = 0, source: str = "public") -> Row:
    return Row.model_validate(
        {
            "id": f"r-{number}",
            "kind": "struggle",
            "text": "They talk all day.",
            "status": "rankable",
            "context": {},
            "labels": list(labels),
            "source": source,
        }
    )


def pairs(*first_skills: tuple[str, str]) -> list[Row]:
    return [row({a: 3}, {b: 3}, number=number) for number, (a, b) in enumerate(first_skills)]


def section(title: str) -> dict[str, list[str]]:
    """The table under a heading: first cell -> the other cells."""
    body = CARD.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line.strip("|").split("|") for line in body.splitlines() if line.startswith("|")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


# The shipped card


def test_the_shipped_card_is_what_the_data_give_today():
    assert CARD_FILE.read_bytes() == CARD.encode(), "the data changed: run `growth data card`"


def test_the_card_is_written_to_the_file_asked_for(tmp_path):
    write_data_card(tmp_path / "card.md")
    assert (tmp_path / "card.md").read_bytes() == CARD.encode()


def test_the_card_says_what_the_rows_are_and_what_they_are_not():
    for sentence in ("retold in our own words from public pages", "labelled twice by machine", "not by human coaches"):
        assert sentence in CARD
    assert "only ever measured on and never trained on" in CARD


def test_the_card_quotes_no_row():
    card = " ".join(re.findall(r"[a-z0-9']+", CARD.lower()))
    for file in (WRITTEN, *REAL, REAL_DEV, *SCREENING):
        for each in load_rows(file):
            text = " ".join(re.findall(r"[a-z0-9']+", each.text.lower()))
            assert len(text) < 40 or text[:40] not in card, each.id


def test_every_file_is_counted_with_its_rows_and_pages():
    table = section("Files")
    for file in (WRITTEN, *REAL, REAL_DEV, *SCREENING):
        rows = load_rows(file)
        pages = {each.source for each in rows if re.fullmatch(r"[0-9a-f]{64}", each.source)}
        cells = table[file.name]
        assert cells[0] == f"{len(rows):,}"
        assert cells[4] == (f"{len(pages):,}" if pages else "")


@pytest.mark.parametrize("title", ["Rows by grade band", "Rows by length", "Rows by subject"])
def test_each_way_of_counting_counts_every_row_once(title):
    lines = [cells for label, cells in section(title).items() if label and not label.startswith("-")]
    for column, file in enumerate((WRITTEN, *REAL, REAL_DEV)):
        assert sum(int(cells[column].replace(",", "")) for cells in lines) == len(load_rows(file))


@pytest.mark.parametrize("title", ["Rows by first skill", "Rows by domain of the first skill"])
def test_every_row_the_first_labeller_starts_somewhere_is_counted_once_by_skill(title):
    lines = [cells for label, cells in section(title).items() if label and not label.startswith("-")]
    for column, file in enumerate((WRITTEN, *REAL, REAL_DEV)):
        started = [each for each in load_rows(file) if each.labels and 3 in each.labels[0].values()]
        assert sum(int(cells[column].replace(",", "")) for cells in lines) == len(started)


def test_all_115_skills_are_listed_whether_or_not_a_row_has_them():
    assert len([label for label in section("Rows by first skill") if label and not label.startswith("-")]) == 115


def test_screening_rows_are_counted_by_status():
    table = section("Screening rows by status")
    for column, file in enumerate(SCREENING):
        for status in {each.status for each in load_rows(file)}:
            count = sum(each.status == status for each in load_rows(file))
            assert table[status][column] == f"{count:,}"


# Agreement


def test_agreement_is_the_share_of_rows_with_one_first_skill():
    share = first_skill_agreement(pairs((A, A), (A, B), (C, C), (B, B)))
    assert (share.mean, share.n) == (0.75, 4)
    assert share.low < share.mean < share.high


def test_three_labellers_count_each_pair_a_third():
    # A A B: one pair of three agrees.
    assert first_skill_agreement([row({A: 3}, {A: 3, B: 2}, {B: 3, A: 2})]).mean == pytest.approx(1 / 3)


def test_grades_below_3_do_not_count_as_agreement():
    assert first_skill_agreement([row({A: 3, B: 2}, {B: 3, A: 2})]).mean == 0.0
    assert first_skill_agreement([row({A: 2}, {A: 2})]).mean == 0.0


def test_a_row_with_one_labeller_is_left_out_and_nothing_but_such_rows_is_refused():
    share = first_skill_agreement([row({A: 3}), *pairs((A, A))])
    assert (share.mean, share.n, share.excluded) == (1.0, 1, 1)
    with pytest.raises(GrowthError):
        first_skill_agreement([row({A: 3})])


def test_rows_of_one_page_are_drawn_together():
    # Two pages of ten rows each, all agreed and none agreed: only the pages vary, so each end of the range is reached.
    labels = [(A, A)] * 10 + [(A, B)] * 10
    apart = first_skill_agreement(pairs(*labels))
    together = first_skill_agreement(
        [row({a: 3}, {b: 3}, number=n, source="ab"[n // 10] * 64) for n, (a, b) in enumerate(labels)]
    )
    assert apart.mean == together.mean == 0.5
    assert (together.low, together.high) == (0.0, 1.0)
    assert 0.0 < apart.low < apart.high < 1.0


# Pairs that split


def test_a_pair_is_counted_over_rows_that_start_with_one_of_the_two_only():
    rows = pairs((A, B), (B, A), (A, A), (B, B), (A, A), (A, C), (C, C))
    assert split_pairs(rows) == [SplitPair(A, B, cases=5, split=2)]
    assert split_pairs(rows)[0].is_unsettled


def test_a_pair_with_four_cases_is_not_shown():
    assert split_pairs(pairs((A, B), (A, B), (A, A), (B, B))) == []


def test_a_third_of_the_cases_is_not_yet_unsettled():
    (pair,) = split_pairs(pairs((A, B), (A, B), (A, A), (A, A), (B, B), (B, B)))
    assert (pair.cases, pair.split, pair.is_unsettled) == (6, 2, False)


def test_the_most_split_pair_comes_first():
    rows = pairs((A, B), (A, A), (A, A), (A, A), (B, B), *[(C, D)] * 4, (D, D))
    assert [(pair.first, pair.second, pair.split) for pair in split_pairs(rows)] == [(C, D, 4), (A, B, 1)]


def test_a_row_without_a_first_skill_is_no_case():
    rows = [*pairs((A, B), (A, A), (A, A), (A, A)), row({A: 2}, {A: 3}), row({A: 3})]
    assert split_pairs(rows) == []


# Coverage


def test_a_row_counts_once_for_each_skill_graded_3_or_2_by_some_labeller():
    rows = [row({A: 3, B: 2, C: 1}, {A: 3, C: 1}), row({D: 3}, {B: 2, D: 3})]
    assert rows_a_skill(rows) == {A: 1, B: 2, D: 1}
