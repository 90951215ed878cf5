"""`growth rank --observations`: each case meets its own teacher's scores."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from written_scores import DANIELSON, LESSON_ITEMS, MARKER, district, growth, visit, write_rows

from recommender.cases import Case
from recommender.catalogue.instruments import load_instruments
from recommender.catalogue.loader import load_catalogue
from recommender.exchange.teacher_scores import TeacherScores
from recommender.observations.norms import Norms
from recommender.observations.teacher_needs import NeedReader
from recommender.ranking.messages import message
from recommender.ranking.recommender import Recommender

QUESTIONS = "The same three students answer every question I ask and the rest wait for them to do it."
QUESTIONS_LOW = dict.fromkeys(LESSON_ITEMS, 3) | {"3b": 1, "3c": 2}
ROUTINES_LOW = dict.fromkeys(LESSON_ITEMS, 3) | {"2c": 1, "2d": 2}
NOTE = f"The {MARKER} note."
INSTRUMENTS = load_instruments()


def twice(teacher: str, values: dict[str, int], **more: Any) -> list[dict[str, Any]]:
    return [row for number in (0, 1) for row in visit(teacher, values, number, observer=f"o{number}", **more)]


def seen(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a file as the observations of a case."""
    fields = ("instrument", "item", "value", "observed_on", "observer", "visit", "segment")
    return [{field: row[field] for field in fields} for row in rows]


T1, T2 = twice("t1", QUESTIONS_LOW), twice("t2", ROUTINES_LOW)
BAD_ROWS = [
    {"teacher_id": "t1", "item": "9z", "note": NOTE},
    {"teacher_id": "t1", "value": MARKER, "note": NOTE},
    {"teacher_id": "a.b@school.org", "note": NOTE},
]
SCORES = [
    *district(8),
    *T1,
    *T2,
    *twice("flat", dict.fromkeys(LESSON_ITEMS, 2)),
    *twice("twin", QUESTIONS_LOW, tenant="north"),
    *twice("twin", ROUTINES_LOW, tenant="south"),
    *BAD_ROWS,
]
CASES: list[dict[str, Any]] = [
    {"case_id": "joined", "teacher_id": "t1", "top": 115},
    {"case_id": "own too", "teacher_id": "t1", "observations": seen(T1), "top": 115},
    {"case_id": "other", "teacher_id": "t2", "top": 115},
    {"case_id": "words", "struggle": QUESTIONS},
    {"case_id": "twin", "teacher_id": "twin"},
    {"case_id": "nobody", "teacher_id": "nobody"},
    {"case_id": "flat", "teacher_id": "flat"},
    {"case_id": "new scores", "teacher_id": "t1", "top": 115,
     "observations": seen(visit("t1", ROUTINES_LOW | {"3b": 4, "3c": 4}, 3))},
    {"case_id": "bad item", "teacher_id": "t2", "observations": [
        {**seen(T2)[0], "note": NOTE}, {**seen(T2)[1], "item": MARKER, "note": NOTE}]},
    {"case_id": "bad value", "struggle": NOTE, "observations": [{**seen(T2)[0], "value": MARKER, "note": NOTE}]},
    {"case_id": "off scale", "observations": [{**seen(T2)[0], "value": 9, "note": NOTE}]},
]  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What one run of `growth rank` said and wrote."""

    exit_code: int
    said: str
    lines: dict[str, str]
    rejects: list[dict[str, Any]]
    refused_scores: list[dict[str, Any]]
    written: str

    def ranking(self, case_id: str) -> dict[str, Any]:
        return json.loads(self.lines[case_id])

    def suggestions(self, case_id: str) -> list[dict[str, Any]]:
        return self.ranking(case_id)["suggestions"]


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(folder: Path, cases: Path, scores: Path, *more: object) -> Run:
    output = folder / "rankings.jsonl"
    result = growth("rank", cases, "--observations", scores, "--output", output, *more)
    lines = {json.loads(line)["case_id"]: line for line in output.read_text().splitlines()}
    rejects, refused = (Path(f"{path}.rejects.jsonl") for path in (output, scores))
    written = "".join(path.read_text() for path in (output, rejects, refused) if path.exists())
    return Run(result.exit_code, result.output, lines, json_lines(rejects), json_lines(refused), written)


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("scores") / "scores.csv", *SCORES)


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory, scores: Path) -> Run:
    folder = tmp_path_factory.mktemp("ranked")
    cases = folder / "cases.jsonl"
    cases.write_text("".join(json.dumps(case) + "\n" for case in CASES), encoding="utf-8")
    return run(folder, cases, scores)


def test_scores_meet_the_case_of_their_teacher(ranked: Run):
    crosswalk = INSTRUMENTS.crosswalk(DANIELSON)
    for case_id, lowest in (("joined", "3b"), ("other", "2c")):
        ranking = ranked.ranking(case_id)
        assert (ranking["status"], ranking["evidence_grade"]) == ("ranked", "B")
        effects = {
            suggestion["skill_id"]: sum(r["effect"] for r in suggestion["reasons"] if r["source"] == "observation")
            for suggestion in ranking["suggestions"]
        }
        assert max(effects, key=effects.__getitem__) in crosswalk[lowest]


def test_a_score_in_the_case_and_in_the_file_counts_once(ranked: Run):
    assert ranked.suggestions("own too") == ranked.suggestions("joined")
    assert ranked.ranking("own too")["evidence_grade"] == ranked.ranking("joined")["evidence_grade"]


def test_further_scores_of_the_case_count_beside_the_files(ranked: Run):
    def pull(case_id: str, item: str) -> float:
        reasons = [reason for s in ranked.suggestions(case_id) for reason in s["reasons"]]
        return max((reason["effect"] for reason in reasons if reason["item"] == item), default=-9.0)

    assert pull("new scores", "3b") < pull("joined", "3b")
    assert pull("new scores", "2c") > pull("joined", "2c")
    assert "(3 visits)" in ranked.lines["new scores"] and "(2 visits)" in ranked.lines["joined"]


def test_a_case_without_a_teacher_is_untouched(ranked: Run, recommender: Recommender):
    alone = recommender.rank(Case(case_id="words", struggle=QUESTIONS))
    assert ranked.lines["words"] == alone.to_json()


def test_a_teacher_without_scores_and_one_with_flat_ones_are_answered_kindly(ranked: Run):
    assert ranked.ranking("nobody")["message"] == message("empty")
    assert ranked.ranking("flat")["message"] == message("scores_alike")
    assert all(ranked.ranking(case_id)["status"] == "not_enough" for case_id in ("nobody", "flat"))


def test_an_id_in_two_tenants_joins_nobody_and_that_is_said(ranked: Run):
    assert ranked.ranking("twin")["message"] == message("empty")
    assert "1 teacher ids stand in two tenants and are joined to no case" in " ".join(ranked.said.split())


def test_the_hash_is_of_the_case_alone(ranked: Run):
    for case in CASES[:8]:
        assert ranked.ranking(case["case_id"])["input_hash"] == Case.model_validate(case, strict=False).input_hash()


def test_a_bad_observation_is_refused_with_line_and_field_and_costs_no_other_case(ranked: Run):
    assert ranked.exit_code == 3
    assert list(ranked.lines) == [case["case_id"] for case in CASES[:8]]
    assert [(reject["line"], reject["field"]) for reject in ranked.rejects] == [
        (9, "observations.1.item"), (10, "observations.0.value"), (11, "observations.0.value"),
    ]  # fmt: skip


def test_refused_scores_are_listed_beside_their_file(ranked: Run):
    first = len(SCORES) - len(BAD_ROWS) + 2
    assert [(reject["line"], reject["field"]) for reject in ranked.refused_scores] == [
        (first, "item"), (first + 1, "value"), (first + 2, "teacher_id"),
    ]  # fmt: skip
    assert "3 rejected" in ranked.said


def test_what_people_wrote_stands_in_no_output(ranked: Run):
    assert MARKER not in ranked.said + ranked.written
    assert "school.org" not in ranked.said + ranked.written


def test_other_cases_csv_and_processes_make_no_difference(tmp_path: Path, scores: Path, ranked: Run):
    cases = tmp_path / "cases.csv"
    cases.write_text("case_id,teacher_id,top\nflat,flat,3\nother,t2,115\njoined,t1,115\n", encoding="utf-8")
    again = run(tmp_path, cases, scores, "--jobs", 2)
    assert again.exit_code == 3
    assert list(again.lines) == ["flat", "other", "joined"]
    assert all(again.lines[case_id] == ranked.lines[case_id] for case_id in again.lines)


def test_given_norms_take_the_place_of_the_files_own(tmp_path: Path, scores: Path, ranked: Run):
    strict = [row | {"value": 1 if row["item"] == "3b" else 3} for row in district(20)]
    assert (
        growth("norms", "fit", write_rows(tmp_path / "strict.csv", *strict), "-o", tmp_path / "n.json").exit_code == 0
    )
    cases = tmp_path / "cases.jsonl"
    cases.write_text(json.dumps(CASES[0]) + "\n", encoding="utf-8")
    again = run(tmp_path, cases, scores, "--norms", tmp_path / "n.json")
    assert again.exit_code == 3
    norms = Norms.load(tmp_path / "n.json")
    case = Case.model_validate(CASES[0])
    joined = TeacherScores.read(scores, INSTRUMENTS, norms, Console(file=StringIO())).of(case)
    expected = Recommender.load(norms=norms).rank(case, joined)
    assert again.lines["joined"] == expected.to_json() != ranked.lines["joined"]
    crosswalk = INSTRUMENTS.crosswalk(DANIELSON)

    def best(of: Run) -> float:
        scores = (s["score"] for s in of.suggestions("joined") if s["skill_id"] in crosswalk["3b"])
        return max(scores, default=-np.inf)

    # Where 3b is a 1 for everybody, a 1 is no sign of need.
    assert best(again) < best(ranked)


# The same needs as `growth needs`


@pytest.mark.parametrize("with_norms", [False, True])
def test_ranking_and_growth_needs_see_the_same_needs(tmp_path: Path, with_norms: bool):
    path = write_rows(tmp_path / "scores.csv", *district(8), *T1, *T2)
    norms, arguments = None, ()
    if with_norms:
        arguments = ("--norms", tmp_path / "norms.json")
        others = write_rows(tmp_path / "others.csv", *district(30, seed=9))
        assert growth("norms", "fit", others, "-o", tmp_path / "norms.json").exit_code == 0
        norms = Norms.load(tmp_path / "norms.json")
    assert growth("needs", path, "-o", tmp_path / "needs.csv", *arguments).exit_code == 0
    table = pd.read_csv(tmp_path / "needs.csv").set_index("teacher_id")
    joined = TeacherScores.read(path, INSTRUMENTS, norms, Console(file=StringIO()))
    assert joined.norms is not None
    assert joined.norms_hold_scores is not with_norms
    reader = NeedReader(INSTRUMENTS, load_catalogue(), joined.norms, norms_hold_scores=joined.norms_hold_scores)
    for teacher in ("t1", "t2", "d3"):
        scores = joined.of(Case(case_id="c", teacher_id=teacher))
        assert scores is not None
        needs = reader.read(scores)
        assert needs is not None
        rows = table.loc[teacher]
        assert [item for _, item in needs.items] == rows["item"].tolist()
        np.testing.assert_allclose(needs.need, rows["need"], atol=0.00006)
        np.testing.assert_allclose(np.sqrt(np.diag(needs.covariance)), rows["sd"], atol=0.00006)
        assert needs.visits == tuple(rows["n_visits"])
        assert {needs.grade} == set(rows["evidence_grade"])
