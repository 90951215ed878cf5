"""`growth needs` and `growth norms fit` as a person and a script use them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from ed_fi_shapes import TPDM, write_xml, xml_element, xml_rating
from written_scores import DANIELSON, LESSON_ITEMS, MARKER, district, growth, visit, write_rows

from recommender.catalogue.instruments import load_instruments
from recommender.catalogue.loader import load_catalogue
from recommender.exchange.pseudonyms import KEY_VARIABLE
from recommender.observations.norms import Norms
from recommender.observations.notices import notice

ITEM_COLUMNS = [
    "teacher_id", "instrument", "item", "need", "sd", "p_top3", "n_visits", "n_observers", "evidence_grade", "notices",
]  # fmt: skip
SKILL_COLUMNS = ["teacher_id", "skill_id", "need", "sd", "p_top3", "evidence_grade"]


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "scores.csv", *district())


def read_needs(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, dtype={"teacher_id": str, "item": str})


# Needs


def test_needs_are_written_per_teacher_and_item_as_the_contract_says(tmp_path: Path, scores: Path):
    result = growth("needs", scores, "--output", tmp_path / "needs.csv")
    assert result.exit_code == 0, result.output
    assert "360 scores read" in result.output and "needs of 12 teachers" in result.output
    table = read_needs(tmp_path / "needs.csv")
    assert list(table.columns) == ITEM_COLUMNS
    assert len(table) == 12 * len(LESSON_ITEMS)
    assert set(table["instrument"]) == {DANIELSON}
    first = table[table["teacher_id"] == "d0"]
    assert first["item"].tolist() == list(LESSON_ITEMS)
    by_teacher = table.groupby("teacher_id")
    assert by_teacher["need"].sum().abs().max() <= len(LESSON_ITEMS) * 0.00005 + 1e-9
    assert (by_teacher["p_top3"].sum() - 3).abs().max() < 0.001
    assert (table["sd"] > 0).all()
    assert set(zip(table["n_visits"], table["n_observers"], table["evidence_grade"], strict=True)) == {(3, 3, "B")}
    assert not (tmp_path / "needs.csv.rejects.jsonl").exists()


def test_parquet_scores_and_needs_hold_what_csv_ones_do(tmp_path: Path, scores: Path):
    frame = pd.read_csv(scores, keep_default_na=False)
    frame.to_parquet(tmp_path / "scores.parquet")
    for name in ("scores.csv", "scores.parquet"):
        for suffix in (".csv", ".parquet"):
            assert growth("needs", tmp_path / name, "-o", tmp_path / f"from {name}{suffix}").exit_code == 0
    from_csv, from_parquet = (tmp_path / f"from {name}.csv" for name in ("scores.csv", "scores.parquet"))
    assert from_csv.read_bytes() == from_parquet.read_bytes()
    table = pd.read_parquet(tmp_path / "from scores.csv.parquet")
    assert list(table.columns) == ITEM_COLUMNS
    pd.testing.assert_frame_equal(table, read_needs(from_csv), check_dtype=False)


def test_needs_per_skill_are_written_beside_them(tmp_path: Path, scores: Path):
    result = growth("needs", scores, "-o", tmp_path / "needs.csv", "--skills", tmp_path / "skills.csv")
    assert result.exit_code == 0, result.output
    table = read_needs(tmp_path / "skills.csv")
    assert list(table.columns) == SKILL_COLUMNS
    crosswalk = load_instruments().crosswalk(DANIELSON)
    spoken_for = {skill_id for item in LESSON_ITEMS for skill_id in crosswalk[item]}
    one = table[table["teacher_id"] == "d3"]
    assert set(one["skill_id"]) == spoken_for
    places = [load_catalogue().index[skill_id] for skill_id in one["skill_id"]]
    assert places == sorted(places)
    # Only 3b speaks for wait time, so that both have one need.
    items = read_needs(tmp_path / "needs.csv").set_index(["teacher_id", "item"])
    skills = table.set_index(["teacher_id", "skill_id"])
    for column in ("need", "sd"):
        assert skills.loc[("d3", "wait-time"), column] == items.loc[("d3", "3b"), column]


def test_a_refused_row_is_listed_beside_the_output_and_costs_no_other(tmp_path: Path):
    note = {"note": f"A {MARKER} note."}
    good = district(**note)
    bad = [
        {"item": "9z", **note}, {"value": MARKER, **note}, {"teacher_id": "a.b@school.org", **note},
        {"observed_on": "soon", **note}, {"value": 7, **note},
    ]  # fmt: skip
    scores = write_rows(tmp_path / "scores.csv", *good, *bad, {"value": "N/A", **note})
    result = growth("needs", scores, "-o", tmp_path / "needs.csv", "--skills", tmp_path / "skills.csv")
    assert result.exit_code == 3
    listed = [json.loads(line) for line in (tmp_path / "needs.csv.rejects.jsonl").read_text().splitlines()]
    first = len(good) + 2
    assert [(reject["line"], reject["field"]) for reject in listed] == [
        (first, "item"), (first + 1, "value"), (first + 2, "teacher_id"), (first + 3, "observed_on"),
        (first + 4, "value"),
    ]  # fmt: skip
    assert "1 not scored" in result.output and "5 rejected" in result.output
    assert growth("needs", write_rows(tmp_path / "good.csv", *good), "-o", tmp_path / "good-needs.csv").exit_code == 0
    assert (tmp_path / "needs.csv").read_bytes() == (tmp_path / "good-needs.csv").read_bytes()
    written = "".join(path.read_text() for path in tmp_path.iterdir() if path.name not in ("scores.csv", "good.csv"))
    assert MARKER not in written + result.output
    assert "school.org" not in written + result.output


def test_a_file_without_one_usable_score_ends_with_exit_code_2_and_no_needs(tmp_path: Path):
    scores = write_rows(tmp_path / "scores.csv", {"item": "9z"}, {"value": "N/A"})
    result = growth("needs", scores, "-o", tmp_path / "needs.csv")
    assert result.exit_code == 2
    assert "no usable score" in result.output
    assert not (tmp_path / "needs.csv").exists()
    assert len((tmp_path / "needs.csv.rejects.jsonl").read_text().splitlines()) == 1


def test_what_cannot_be_read_or_written_ends_with_exit_code_2(tmp_path: Path, scores: Path):
    assert growth("needs", tmp_path / "none.csv", "-o", tmp_path / "needs.csv").exit_code == 2
    assert growth("needs", scores, "-o", tmp_path / "needs.jsonl").exit_code == 2
    assert growth("needs", scores, "-o", tmp_path / "needs.csv", "--skills", tmp_path / "skills.txt").exit_code == 2
    (tmp_path / "norms.json").write_text("{}{")
    assert growth("needs", scores, "-o", tmp_path / "needs.csv", "--norms", tmp_path / "norms.json").exit_code == 2
    assert not (tmp_path / "needs.csv").exists()


def test_the_order_of_the_rows_makes_no_difference(tmp_path: Path, scores: Path):
    rows = district()
    shuffled = write_rows(
        tmp_path / "shuffled.csv", *(rows[i] for i in np.random.default_rng(1).permutation(len(rows)))
    )
    for path in (scores, shuffled):
        assert growth("needs", path, "-o", tmp_path / f"{path.stem}-needs.csv").exit_code == 0
    assert (tmp_path / "scores-needs.csv").read_bytes() == (tmp_path / "shuffled-needs.csv").read_bytes()


def test_columns_that_are_not_read_are_named(tmp_path: Path, scores: Path):
    pd.read_csv(scores).assign(gender="x").to_csv(tmp_path / "more.csv", index=False)
    result = growth("needs", tmp_path / "more.csv", "-o", tmp_path / "needs.csv")
    assert result.exit_code == 0
    assert "columns not read: gender" in result.output


def test_a_users_own_rubric_is_named_by_its_file(tmp_path: Path):
    crosswalk = {"q": {"wait-time": 1.0}}
    items = [{"code": code, "label": code} for code in ("q", "r", "s", "t")]
    document = {"id": "own", "title": "Own", "scale": {"min": 1, "max": 5}, "items": items, "crosswalk": crosswalk}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(document))
    rng = np.random.default_rng(3)
    rows = [
        row
        for teacher in range(10)
        for row in visit(
            f"t{teacher}", dict(zip("qrst", rng.integers(1, 6, 4).tolist(), strict=True)), instrument="own"
        )
    ]
    scores = write_rows(tmp_path / "scores.csv", *rows)
    assert growth("needs", scores, "-o", tmp_path / "needs.csv").exit_code == 2
    arguments = ("--instrument", tmp_path / "own.yaml", "--skills", tmp_path / "skills.csv")
    assert growth("needs", scores, "-o", tmp_path / "needs.csv", *arguments).exit_code == 0
    assert len(read_needs(tmp_path / "needs.csv")) == 40
    assert set(read_needs(tmp_path / "skills.csv")["skill_id"]) == {"wait-time"}


# Norms


def test_norms_are_fitted_once_and_read_back(tmp_path: Path, scores: Path):
    result = growth("norms", "fit", scores, "-o", tmp_path / "norms.json")
    assert result.exit_code == 0, result.output
    assert "10 items, 3 raters, shipped variance components" in result.output
    norms = Norms.load(tmp_path / "norms.json")
    assert list(norms.tenants) == [""]
    assert set(norms.tenants[""].raters) == {"o0", "o1", "o2"}
    counts = norms.tenants[""].items[f"{DANIELSON}/3b"]
    assert sum(counts.counts) == 36
    again = growth("norms", "fit", scores, "-o", tmp_path / "again.json")
    assert again.exit_code == 0
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "norms.json").read_bytes()


def test_every_tenant_has_norms_of_its_own(tmp_path: Path):
    rows = [*district(6, tenant="north"), *district(6, seed=8, tenant="south")]
    assert growth("norms", "fit", write_rows(tmp_path / "s.csv", *rows), "-o", tmp_path / "n.json").exit_code == 0
    norms = Norms.load(tmp_path / "n.json")
    assert set(norms.tenants) == {"north", "south"}
    assert sum(norms.tenants["north"].items[f"{DANIELSON}/3b"].counts) == 18


def test_under_norms_a_teachers_needs_do_not_depend_on_the_rest_of_the_file(tmp_path: Path, scores: Path):
    assert growth("norms", "fit", scores, "-o", tmp_path / "norms.json").exit_code == 0
    alone = write_rows(tmp_path / "alone.csv", *(row for row in district() if row["teacher_id"] == "d5"))
    for path in (scores, alone):
        arguments = ("-o", tmp_path / f"{path.stem}-needs.csv", "--norms", tmp_path / "norms.json")
        assert growth("needs", path, *arguments).exit_code == 0
    lines = (tmp_path / "scores-needs.csv").read_text().splitlines()
    assert [line for line in lines if line.startswith("d5,")] == (
        tmp_path / "alone-needs.csv"
    ).read_text().splitlines()[1:]


def test_norms_change_what_a_score_is_worth(tmp_path: Path):
    strict = [row | {"value": 1 if row["item"] == "3b" else 3} for row in district()]
    assert growth("norms", "fit", write_rows(tmp_path / "s.csv", *strict), "-o", tmp_path / "norms.json").exit_code == 0
    one = write_rows(tmp_path / "one.csv", *visit("t1", dict.fromkeys(LESSON_ITEMS, 3) | {"3b": 2}))
    found = []
    for extra in ((), ("--norms", tmp_path / "norms.json")):
        assert growth("needs", one, "-o", tmp_path / "needs.csv", *extra).exit_code == 0
        found.append(read_needs(tmp_path / "needs.csv").set_index("item").loc["3b", "need"])
    # Where 3b is a 1 for everybody, a 2 is more than usual.
    assert found[0] > 0 > found[1]


def test_norms_of_a_file_with_refused_rows_are_fitted_on_the_rest(tmp_path: Path):
    scores = write_rows(tmp_path / "s.csv", *district(), {"item": "9z", "note": MARKER})
    result = growth("norms", "fit", scores, "-o", tmp_path / "norms.json")
    assert result.exit_code == 3
    rejects = (tmp_path / "norms.json.rejects.jsonl").read_text()
    assert json.loads(rejects)["field"] == "item"
    assert MARKER not in rejects + result.output + (tmp_path / "norms.json").read_text()
    nothing = growth("norms", "fit", write_rows(tmp_path / "none.csv", {"item": "9z"}), "-o", tmp_path / "none.json")
    assert nothing.exit_code == 2
    assert not (tmp_path / "none.json").exists()


# A public sample's look-alike


def test_people_with_one_rating_on_everything_are_flat_with_no_need_and_even_chances(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    titles = (
        "ALIGNMENT AND OBJECTIVES", "INSTRUCTIONAL DELIVERY METHODS", "ADDRESS MISCONCEPTIONS",
        "CLEAR AND CONCISE SPEECH", "PROFESSIONALISM", "CLASSROOM MANAGEMENT AND CULTURE", "OVERALL",
    )  # fmt: skip
    bands = "".join(
        f"<ElementRatingLevel><EvaluationRatingLevel>{TPDM}/EvaluationRatingLevelDescriptor#{name}"
        f"</EvaluationRatingLevel><MinRating>{low}</MinRating><MaxRating>{high}</MaxRating></ElementRatingLevel>"
        for name, low, high in (("Ineffective", 0, 24), ("Effective", 25, 89), ("Highly Effective", 90, 100))
    )
    elements = [xml_element(title, bands, bounds="<MaxRating>100</MaxRating>") for title in titles]
    ratings = [xml_rating(f"{person:032X}", title, 51 + person) for person in range(50) for title in titles]
    sample = write_xml(tmp_path / "sample.xml", *ratings, *elements)
    arguments = ("--format", "ed-fi", "--include-formal", "--output", tmp_path / "scores.csv")
    imported = growth("import", sample, *arguments)
    assert imported.exit_code == 0, imported.output
    result = growth("needs", tmp_path / "scores.csv", "-o", tmp_path / "needs.csv", "--skills", tmp_path / "skills.csv")
    assert result.exit_code == 0, result.output
    for name in ("needs.csv", "skills.csv"):
        table = read_needs(tmp_path / name)
        assert table["teacher_id"].nunique() == 50
        assert (table["need"] == 0).all()
        assert (table["p_top3"] == (3 / table.groupby("teacher_id")["need"].transform("size")).round(4)).all()
    items = read_needs(tmp_path / "needs.csv")
    assert set(items.groupby("teacher_id").size()) == {6}
    assert items["notices"].str.contains(notice("flat_profile"), regex=False).all()
