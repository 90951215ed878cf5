from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from recommender.catalogue.loader import load_catalogue
from recommender.errors import DataFileError
from recommender.training.corpus import (
    DATA_FOLDER,
    GRADE_SHARE,
    REAL,
    REAL_DEV,
    SCREENING,
    WRITTEN,
    Row,
    acceptable,
    gains,
    load_rows,
    soft_targets,
)
from recommender.training.folds import near_duplicates

CATALOGUE = load_catalogue()
A, B, C, D = "cold-calling", "wait-time", "entry-routine", "exit-tickets"
TRAINING = (WRITTEN, *REAL, *SCREENING)
EVERY_FILE = (*TRAINING, REAL_DEV)
SHARED_RUN = 8


def content(**changes: object) -> dict[str, object]:
    return {
        "id": "t-1",
        "kind": "struggle",
        "text": "They talk all day and nobody listens.",
        "status": "rankable",
        "context": {"grade_band": "middle", "subject": "history"},
        "labels": [{A: 3}],
        "source": "public",
    } | changes


def row(*labels: dict[str, int]) -> Row:
    return Row.model_validate(content(labels=list(labels)))


def values(table: np.ndarray) -> dict[str, float]:
    """The skills of a one-row table that are not 0."""
    (line,) = table
    return {CATALOGUE.ids[i]: float(line[i]) for i in np.flatnonzero(line)}


# What the labels say, by hand


def test_gains_are_the_mean_grade_over_labellers_and_0_where_nobody_named_the_skill():
    labelled = row({A: 3, B: 2, C: 1}, {A: 3, B: 1, D: 2})
    assert values(gains([labelled], CATALOGUE)) == {A: 3.0, B: 1.5, C: 0.5, D: 1.0}


def test_soft_targets_are_shares_of_the_grades_that_sum_to_one():
    # 3 counts 1, 2 counts .6, 1 counts .3: sums 1, .45, .15, .3 of 1.9 over two labellers.
    labelled = row({A: 3, B: 2, C: 1}, {A: 3, B: 1, D: 2})
    expected = {A: 1 / 1.9, B: 0.45 / 1.9, C: 0.15 / 1.9, D: 0.3 / 1.9}
    assert GRADE_SHARE == {3: 1.0, 2: 0.6, 1: 0.3}
    assert values(soft_targets([labelled], CATALOGUE)) == pytest.approx(expected)


def test_acceptable_is_the_share_of_labellers_who_would_or_could_well_start_there():
    labelled = row({A: 3, B: 2, C: 1}, {A: 3, B: 1, D: 2})
    assert values(acceptable([labelled], CATALOGUE)) == {A: 1.0, B: 0.5, D: 0.5}


def test_three_labellers_count_a_third_each():
    labelled = row({A: 3}, {A: 2}, {B: 3})
    assert values(gains([labelled], CATALOGUE)) == pytest.approx({A: 5 / 3, B: 1.0})
    assert values(acceptable([labelled], CATALOGUE)) == pytest.approx({A: 2 / 3, B: 1 / 3})
    assert values(soft_targets([labelled], CATALOGUE)) == pytest.approx({A: 1.6 / 2.6, B: 1 / 2.6})


def test_a_row_without_labels_has_no_target_and_no_gain():
    rows = [row(), row({A: 3})]
    assert soft_targets(rows, CATALOGUE).sum(axis=1).tolist() == [0.0, 1.0]
    assert gains(rows, CATALOGUE).sum(axis=1).tolist() == [0.0, 3.0]
    assert soft_targets(rows, CATALOGUE).shape == (2, 115)


def test_a_labeller_who_named_nothing_still_counts():
    assert values(acceptable([row({A: 3}, {})], CATALOGUE)) == {A: 0.5}


def test_the_context_of_a_row_is_folded_as_a_cases_would_be():
    context = row().case_context()
    assert (context.grade_band, context.subject) == ("middle", "social-studies")
    nothing = Row.model_validate(content(context={})).case_context()
    assert (nothing.grade_band, nothing.subject) == ("unknown", "unknown")


# Reading a file


def write(tmp_path: Path, *lines: object) -> Path:
    file = tmp_path / "rows.jsonl"
    as_text = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    file.write_text("".join(line + "\n" for line in as_text), encoding="utf-8")
    return file


def refusal(file: Path) -> DataFileError:
    with pytest.raises(DataFileError) as caught:
        load_rows(file)
    return caught.value


def test_rows_are_read_in_file_order(tmp_path):
    rows = load_rows(write(tmp_path, content(id="b"), content(id="a")))
    assert [each.id for each in rows] == ["b", "a"]
    assert rows[0] == Row.model_validate(content(id="b"))


def test_an_empty_file_holds_no_rows(tmp_path):
    assert load_rows(write(tmp_path)) == ()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": 5}, "id"),
        ({"kind": "poem"}, "kind"),
        ({"text": ""}, "text"),
        ({"text": "x" * 4_001}, "text"),
        ({"status": "ranked"}, "status"),
        ({"context": {"grade_band": "college"}}, "context.grade_band"),
        ({"context": {"mood": "low"}}, "context.mood"),
        ({"labels": [{A: 4}]}, f"labels.0.{A}"),
        ({"labels": [{A: 3}, {A: 3, B: 0}]}, f"labels.1.{B}"),
        ({"labels": [{A: 2.5}]}, f"labels.0.{A}"),
        ({"labels": {A: 3}}, "labels"),
        ({"source": None}, "source"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_broken_row_is_refused_with_its_file_line_and_field(tmp_path, changes, field):
    file = write(tmp_path, content(id="a"), content(id="b"), content(id="c") | changes, content(id="d"))
    assert refusal(file).where == f"rows.jsonl:3: {field}"


@pytest.mark.parametrize("field", ["id", "kind", "text", "status", "context", "labels", "source"])
def test_a_missing_field_is_named(tmp_path, field):
    broken = content()
    del broken[field]
    error = refusal(write(tmp_path, broken))
    assert (error.where, error.found) == (f"rows.jsonl:1: {field}", "field required")


@pytest.mark.parametrize("line", ["", "{", "[]", "null", "not json"])
def test_a_line_that_is_no_row_is_refused_with_its_number(tmp_path, line):
    assert refusal(write(tmp_path, content(id="a"), line)).where.startswith("rows.jsonl:2: ")


def test_a_label_of_an_unknown_skill_is_refused_with_its_line(tmp_path):
    error = refusal(write(tmp_path, content(id="a"), content(id="b", labels=[{"nobody-knows-this": 3}])))
    assert error.where.startswith("rows.jsonl:2: labels.0")


def test_an_id_used_twice_is_refused(tmp_path):
    error = refusal(write(tmp_path, content(id="a"), content(id="b"), content(id="a")))
    assert (error.where, error.wanted) == ("rows.jsonl", "every id once")


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_a_separator_inside_a_text_ends_no_line(tmp_path, separator):
    text = f"They talk{separator}and talk"
    file = write(tmp_path, content(id="a", text=text), content(id="b"))
    assert [each.text for each in load_rows(file)] == [text, content()["text"]]


def test_a_refusal_never_quotes_the_text(tmp_path):
    error = refusal(write(tmp_path, content(text="xylophone " * 500)))
    assert "xylophone" not in str(error)


# The shipped data


def real_rows() -> list[Row]:
    return [each for file in (*REAL, REAL_DEV) for each in load_rows(file)]


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9']+", text.lower())
    return {tuple(words[i : i + SHARED_RUN]) for i in range(len(words) - SHARED_RUN + 1)}


def test_every_data_file_is_one_of_those_tested_here():
    assert sorted(DATA_FOLDER.glob("*.jsonl")) == sorted(EVERY_FILE)


def test_an_id_is_used_once_over_all_files():
    used = Counter(each.id for file in EVERY_FILE for each in load_rows(file))
    assert [text_id for text_id, count in used.items() if count > 1] == []


def test_every_labelled_skill_is_in_the_catalogue():
    for file in EVERY_FILE:
        for each in load_rows(file):
            assert {skill_id for labels in each.labels for skill_id in labels} <= set(CATALOGUE.ids), each.id


@pytest.mark.parametrize("file", [WRITTEN, *REAL], ids=lambda file: file.stem)
def test_every_row_to_learn_ranking_from_is_rankable_and_labelled_twice(file):
    for each in load_rows(file):
        assert each.status == "rankable", each.id
        assert len(each.labels) == 2, each.id


def test_a_text_that_is_not_rankable_has_no_labels():
    for file in EVERY_FILE:
        assert [each.id for each in load_rows(file) if each.status != "rankable" and each.labels] == []


def test_no_training_text_retells_a_development_text():
    development = [each.text for each in load_rows(REAL_DEV)]
    rows = [each for file in TRAINING for each in load_rows(file)]
    pairs = near_duplicates(development + [each.text for each in rows])
    assert [rows[j - len(development)].id for i, j in pairs if i < len(development) <= j] == []


def test_no_training_text_shares_eight_words_in_a_row_with_a_development_text():
    development = {run for each in load_rows(REAL_DEV) for run in runs(each.text)}
    assert [e.id for file in TRAINING for e in load_rows(file) if not development.isdisjoint(runs(e.text))] == []


def test_no_page_gave_more_than_six_real_struggles():
    pages = Counter(each.source for file in REAL for each in load_rows(file))
    assert {source: count for source, count in pages.items() if count > 6} == {}
    assert all(re.fullmatch(r"[0-9a-f]{64}", source) for source in pages)


def test_a_real_struggle_is_12_to_130_words_long():
    lengths = {each.id: len(each.text.split()) for each in real_rows()}
    assert {text_id: length for text_id, length in lengths.items() if not 12 <= length <= 130} == {}


def test_every_labeller_of_a_real_struggle_would_start_with_exactly_one_skill():
    for each in real_rows():
        for labels in each.labels:
            assert list(labels.values()).count(3) == 1, each.id


def test_every_labeller_of_a_real_training_struggle_names_few_others():
    for file in REAL:
        for each in load_rows(file):
            for labels in each.labels:
                assert list(labels.values()).count(2) <= 3, each.id
                assert list(labels.values()).count(1) <= 4, each.id
