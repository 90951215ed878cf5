from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import DataFileError
from recommender.training.corpus import REAL, REAL_DEV, REAL_TRAIN, SCREENING, WRITTEN, Row, load_rows
from recommender.training.data_copies import PlacedRow, near_copies, shared_runs
from recommender.training.data_rules import (
    DataFiles,
    Finding,
    check_data,
    domain_shares,
    few_rows_of_one_source,
    first_skill,
    ids_used_once,
    labels_are_complete,
    lengths_in_range,
    no_near_copies,
    no_shared_runs,
    no_topic_too_large,
    read_used_sources,
    screening_sources_are_known,
    sources_are_hashes,
    sources_are_new,
    topic_shares,
)
from recommender.training.stored_vectors import StoredVectors, text_key

A, B, C, D, E, F = ("cold-calling", "wait-time", "entry-routine", "exit-tickets", "talk-moves", "class-meetings")
PAGE, OTHER_PAGE = "a" * 64, "b" * 64
SECRET = "xylophone"
TEXT = f"{SECRET} " + " ".join(f"w{number}" for number in range(14))
NO_VECTORS = StoredVectors({}, np.zeros((0, 2), np.int8))


def content(**changes: object) -> dict[str, object]:
    return {
        "id": "g-1",
        "kind": "struggle",
        "text": TEXT,
        "status": "rankable",
        "context": {},
        "labels": [{A: 3, B: 2}, {A: 3}],
        "source": PAGE,
    } | changes


def placed(line: int = 1, file: str = "grown.jsonl", **changes: object) -> PlacedRow:
    return PlacedRow(file, line, Row.model_validate(content(**changes)))


def told(findings: object) -> list[tuple[str, int | None, str | None]]:
    return [(finding.file, finding.line, finding.row_id) for finding in findings]


def words(start: int, n: int) -> str:
    return " ".join(f"w{number}" for number in range(start, start + n))


# What a finding says


def test_a_finding_is_one_line_with_place_row_rule_and_both_sides():
    (finding,) = lengths_in_range([placed(7, id="g-7", text="Too short.")])
    assert str(finding) == "grown.jsonl:7: g-7: length: found 2 words; wanted 12 to 130"


def test_a_finding_about_a_whole_file_names_no_line_and_no_row():
    finding = Finding("grown.jsonl", None, None, "no topic too large", "much", "little")
    assert str(finding) == "grown.jsonl: no topic too large: found much; wanted little"


# Ids


def test_an_id_of_another_file_is_found_at_its_second_place():
    rows = [placed(1, "older.jsonl", id="x"), placed(1, id="y"), placed(2, id="x")]
    (finding,) = ids_used_once(rows)
    assert told([finding]) == [("grown.jsonl", 2, "x")]
    assert "older.jsonl:1" in finding.found


# Sources


@pytest.mark.parametrize("source", ["", "public", "written:x", "A" * 64, "a" * 63, "a" * 65, "g" * 64])
def test_a_source_that_is_no_hash_is_found(source):
    assert told(sources_are_hashes([placed(1), placed(2, source=source)])) == [("grown.jsonl", 2, "g-1")]


def test_a_source_that_is_no_hash_is_not_repeated():
    (finding,) = sources_are_hashes([placed(source="https://example.org/secret")])
    assert "secret" not in str(finding)


def test_a_screening_text_may_be_written_for_the_project_but_not_come_from_nowhere():
    rows = [placed(1, source="written:screening (pay)"), placed(2, source="public")]
    assert told(screening_sources_are_known(rows)) == [("grown.jsonl", 2, "g-1")]


def test_the_seventh_row_of_a_page_is_found_whatever_file_the_others_are_in():
    rows = [placed(n, "older.jsonl") for n in range(1, 5)] + [placed(n) for n in range(1, 5)]
    assert told(few_rows_of_one_source(rows)) == [("grown.jsonl", 3, "g-1"), ("grown.jsonl", 4, "g-1")]


def test_the_word_public_is_no_page_to_count():
    assert list(few_rows_of_one_source([placed(n, source="public") for n in range(20)])) == []


def test_a_page_in_the_list_of_used_ones_or_of_an_older_row_is_found():
    third = "c" * 64
    older = [placed(9, "older.jsonl", id="o-9", source=third), placed(1, "dev.jsonl", source="public")]
    rows = [placed(1), placed(2, source=OTHER_PAGE), placed(3, source=third)]
    one, other = sources_are_new(rows, frozenset({PAGE}), older)
    assert told([one, other]) == [("grown.jsonl", 1, "g-1"), ("grown.jsonl", 3, "g-1")]
    assert other.found == "the source of older.jsonl:9 (o-9)"


def test_a_line_of_the_used_sources_that_is_no_hash_is_refused_with_its_number(tmp_path):
    file = tmp_path / "used.sha256"
    file.write_text(f"{PAGE}\nhttps://example.org\n")
    with pytest.raises(DataFileError) as caught:
        read_used_sources(file)
    assert caught.value.where == "used.sha256:2"
    assert "example" not in str(caught.value)


def test_the_pages_of_the_older_real_struggles_are_in_the_list_of_used_ones():
    assert {row.source for row in load_rows(REAL_TRAIN)} <= read_used_sources()


# Length


@pytest.mark.parametrize(("n", "found"), [(11, 1), (12, 0), (130, 0), (131, 1)])
def test_a_text_has_12_to_130_words(n, found):
    assert len(list(lengths_in_range([placed(text=words(0, n))]))) == found


# Topics


def test_a_skill_that_is_first_in_more_than_12_of_100_rows_is_found():
    def rows(n: int) -> list[PlacedRow]:
        others = [B, C, D, E, F, "hinge-questions", "peer-feedback", "tiered-tasks", "fading-scaffolds"]
        return [placed(labels=[{A: 3}, {B: 3}] if i < n else [{others[i % 9]: 3}, {A: 3}]) for i in range(100)]

    assert list(no_topic_too_large(rows(12))) == []
    (finding,) = no_topic_too_large(rows(13))
    assert told([finding]) == [("grown.jsonl", None, None)]
    assert finding.found == f"{A} first in 13.0% of 100 rows"


def test_the_topic_is_the_first_labellers_grade_3_and_its_domain_is_the_catalogues():
    rows = [placed(labels=labels).row for labels in ([{B: 2, A: 3}, {C: 3}], [{B: 3}, {A: 3}], [{C: 3}, {A: 3}], [])]
    assert topic_shares(rows) == {A: 0.25, C: 0.25, B: 0.25}
    # Cold calling belongs to engagement, wait time to questioning, the entry routine to routines.
    assert domain_shares(rows) == {
        "engagement-participation": 0.25,
        "questioning-discourse": 0.25,
        "routines-transitions": 0.25,
    }


def test_first_skill_is_the_first_of_grade_3_and_none_where_there_is_none():
    assert first_skill({B: 2, C: 3, A: 3}) == C
    assert first_skill({B: 2}) is None


# Labels


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([{A: 3, B: 2, C: 2, D: 2}, {A: 3, B: 1, C: 1, D: 1, E: 1}], []),
        ([{A: 3}], ["1 labellers"]),
        ([{A: 3}, {B: 2}], ["0 skills of grade 3 by labeller 2"]),
        ([{A: 3, B: 3}, {B: 3}], ["2 skills of grade 3 by labeller 1"]),
        ([{A: 3, B: 2, C: 2, D: 2, E: 2}, {A: 3}], ["4 skills of grade 2 by labeller 1"]),
        ([{A: 3}, {A: 3, B: 1, C: 1, D: 1, E: 1, F: 1}], ["5 skills of grade 1 by labeller 2"]),
    ],
)
def test_each_of_two_labellers_starts_with_one_skill_and_names_few_others(labels, found):
    assert [finding.found for finding in labels_are_complete([placed(labels=labels)])] == found


# Near copies


def vectors_of(texts: dict[str, tuple[float, float]]) -> StoredVectors:
    keys = {text_key(text): at for at, text in enumerate(texts)}
    return StoredVectors(keys, np.round(np.array(list(texts.values())) * 100).astype(np.int8))


def test_two_texts_whose_stored_vectors_point_the_same_way_are_found_and_others_are_not():
    # Cosines with the first: .96 and .8.
    vectors = vectors_of({words(0, 12): (1.0, 0.0), words(50, 12): (0.96, 0.28), words(90, 12): (0.8, -0.6)})
    grown = placed(1, text=words(0, 12))
    others = [placed(4, "older.jsonl", id="o-4", text=words(50, 12)), placed(5, "older.jsonl", text=words(90, 12))]
    (finding,) = no_near_copies([grown], others, vectors)
    assert told([finding]) == [("grown.jsonl", 1, "g-1")]
    assert finding.found == "MiniLM cosine 0.960 with older.jsonl:4 (o-4)"


def test_near_copies_among_other_rows_are_not_this_rules_business():
    vectors = vectors_of({words(0, 12): (1.0, 0.0), words(50, 12): (1.0, 0.0), words(90, 12): (0.0, 1.0)})
    others = [placed(1, "older.jsonl", text=words(0, 12)), placed(2, "older.jsonl", text=words(50, 12))]
    assert near_copies([placed(text=words(90, 12))], others, vectors) == []


def test_of_two_new_rows_that_are_near_copies_the_later_is_told_once():
    vectors = vectors_of({words(0, 12): (1.0, 0.0), words(50, 12): (1.0, 0.0)})
    (copy,) = near_copies([placed(1, text=words(0, 12)), placed(2, text=words(50, 12))], [], vectors)
    assert (copy.one.line, copy.other.line) == (2, 1)


def test_texts_without_a_stored_vector_are_compared_by_their_letters():
    story = "Half my fourth graders stop writing after two lines and just draw on the back of the page."
    retold = "Half of my fourth graders stop writing after two lines and then draw on the back of their page."
    other = "The bell rings and it takes eleven minutes until the last of them sits down with a book out."
    vectors = vectors_of({story: (1.0, 0.0)})
    screening = [placed(3, "screening.jsonl", id="s-3", text=retold), placed(4, "screening.jsonl", text=other)]
    (finding,) = no_near_copies([placed(text=story)], screening, vectors)
    assert finding.found == "character 4-gram cosine over 0.50 with screening.jsonl:3 (s-3)"
    # A new row of which no vector is stored is compared with every text in this way.
    (finding,) = no_near_copies([placed(text=retold)], [placed(8, "older.jsonl", id="o-8", text=story)], vectors)
    assert finding.found == "character 4-gram cosine over 0.50 with older.jsonl:8 (o-8)"


# Shared runs of words


def test_eight_shared_words_are_found_whatever_case_and_marks_and_seven_are_not():
    other = placed(6, "dev.jsonl", id="d-6", text="Well: I don't know, WHAT to do - anymore! Help")
    eight = placed(1, text="honestly i don't know what to do anymore help us")
    seven = placed(2, text="because i don't know what to do anymore at all")
    (finding,) = no_shared_runs([eight, seven], [other])
    assert told([finding]) == [("grown.jsonl", 1, "g-1")]
    assert finding.found == "a run of 8 words of dev.jsonl:6 (d-6)"


def test_runs_that_other_rows_share_among_themselves_are_not_found():
    others = [placed(1, "dev.jsonl", text=words(0, 12)), placed(2, "dev.jsonl", text=words(0, 12))]
    assert list(shared_runs([placed(text=words(50, 12))], others)) == []


def test_a_long_shared_run_is_told_once():
    rows = [placed(1, text=words(0, 40)), placed(2, text=words(0, 40))]
    assert [(one.line, other.line) for one, other, _ in shared_runs(rows, [])] == [(2, 1)]


def test_a_text_that_repeats_itself_shares_nothing_with_another():
    assert list(shared_runs([placed(text=" ".join([words(0, 8)] * 3))], [])) == []


texts = st.lists(st.sampled_from("abc"), min_size=1, max_size=8).map(" ".join)


@given(others=st.lists(texts, max_size=4), rows=st.lists(texts, max_size=4))
def test_the_rows_told_are_those_that_share_a_run_with_a_row_before_them(others, rows):
    everything = [*others, *rows]

    def runs(text: str) -> set[str]:
        parts = text.split()
        return {" ".join(parts[i : i + 3]) for i in range(len(parts) - 2)}

    expected = {
        i - len(others)
        for i in range(len(others), len(everything))
        if any(runs(everything[i]) & runs(everything[j]) for j in range(i))
    }
    found = shared_runs(
        [placed(n, text=text) for n, text in enumerate(rows)],
        [placed(n, "older.jsonl", text=text) for n, text in enumerate(others)],
        length=3,
    )
    assert {one.line for one, _, _ in found} == expected


# All rules on files


def write(file: Path, *rows: dict[str, object]) -> tuple[Path]:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return (file,)


def files_with(tmp_path: Path, **rows: list[dict[str, object]]) -> DataFiles:
    used = tmp_path / "used.sha256"
    used.write_text(OTHER_PAGE + "\n")
    groups = ("grown", "older", "development", "screening", "written")
    return DataFiles(
        **{name: write(tmp_path / f"{name}.jsonl", *rows.get(name, [])) for name in groups}, used_sources=used
    )


def rules_broken(files: DataFiles) -> set[tuple[str, int | None, str]]:
    findings = check_data(files, NO_VECTORS)
    assert SECRET not in "".join(map(str, findings))
    return {(f.file, f.line, f.rule) for f in findings if f.rule != "no topic too large"}


def test_good_rows_break_no_rule(tmp_path):
    rows = [content(id=f"g-{n}", text=words(100 * n, 15), source=f"{n:064d}") for n in range(3)]
    assert rules_broken(files_with(tmp_path, grown=rows)) == set()


def test_every_rule_is_asked_of_the_files(tmp_path):
    fine = content(id="fine", text=words(100, 15), source="c" * 64)
    grown = [
        content(id="copied", text=TEXT, source="d" * 64),
        fine | {"id": "older"},
        fine | {"id": "short", "text": words(200, 3)},
        fine | {"id": "unlabelled", "text": words(300, 15), "labels": []},
        fine | {"id": "hashless", "text": words(400, 15), "source": "public"},
        fine | {"id": "used", "text": words(500, 15), "source": OTHER_PAGE},
    ]
    older = [content(id="older", text=words(600, 15), source="e" * 64)]
    development = [content(id="dev", text=TEXT, source="public")]
    files = files_with(tmp_path, grown=grown, older=older, development=development)
    assert rules_broken(files) == {
        ("grown.jsonl", 1, "near copy"),
        ("grown.jsonl", 1, "shared run of words"),
        ("grown.jsonl", 2, "id used once"),
        ("grown.jsonl", 3, "length"),
        ("grown.jsonl", 4, "labels"),
        ("grown.jsonl", 5, "source is a hash"),
        ("grown.jsonl", 6, "source is new"),
    }


def test_hashed_screening_rows_keep_the_source_rules_and_written_ones_need_not(tmp_path):
    def screening(n: int, source: str) -> dict[str, object]:
        return content(id=f"s-{n}", text=f"Off {n}", status="out_of_scope", labels=[], source=source)

    sources = [*["f" * 64] * 6, OTHER_PAGE, "written:screening (pay)", "somewhere"]
    grown = [content(id="g", text=words(0, 15), source="f" * 64)]
    files = files_with(tmp_path, grown=grown, screening=[screening(n, s) for n, s in enumerate(sources)])
    assert rules_broken(files) == {
        ("screening.jsonl", 6, "few rows of one source"),
        ("screening.jsonl", 7, "source is new"),
        ("screening.jsonl", 9, "source is a hash"),
    }


def test_a_row_that_does_not_parse_is_found_and_the_other_files_are_still_checked(tmp_path):
    broken = {"older": [content(id="o"), content(id="p", status=SECRET)]}
    files = files_with(tmp_path, grown=[content(text=words(0, 3))], **broken)
    assert rules_broken(files) == {("older.jsonl", 2, "row parses"), ("grown.jsonl", 1, "length")}


def test_an_id_twice_in_one_file_is_found_without_a_line(tmp_path):
    files = files_with(tmp_path, written=[content(id="w"), content(id="w")])
    assert rules_broken(files) == {("written.jsonl", None, "row parses")}


def test_by_default_every_file_of_the_corpus_is_checked():
    files = DataFiles()
    assert {*files.grown, *files.older} == set(REAL)
    assert (*files.screening, *files.written, *files.development) == (*SCREENING, WRITTEN, REAL_DEV)


def test_the_shipped_data_break_no_rule():
    assert [str(finding) for finding in check_data()] == []
