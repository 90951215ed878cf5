"""Needs written as CSV and Parquet, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from recommender.errors import DataFileError
from recommender.exchange.need_files import check_need_output, write_needs
from recommender.observations.need_tables import ITEM_NEED_COLUMNS, SKILL_NEED_COLUMNS


def needs(**changes: object) -> pd.DataFrame:
    row = {
        "teacher_id": "t1", "instrument": "danielson-2022", "item": "3b", "need": 0.123456, "sd": 0.98765,
        "p_top3": 1 / 3, "n_visits": 2, "n_observers": 1, "evidence_grade": "B", "notices": "One, and two.",
    }  # fmt: skip
    return pd.DataFrame([row | changes], columns=list(ITEM_NEED_COLUMNS))


def test_the_columns_are_those_of_the_contract_in_its_order():
    assert ITEM_NEED_COLUMNS == (
        "teacher_id", "instrument", "item", "need", "sd", "p_top3", "n_visits", "n_observers", "evidence_grade",
        "notices",
    )  # fmt: skip
    assert SKILL_NEED_COLUMNS == ("teacher_id", "skill_id", "need", "sd", "p_top3", "evidence_grade")


def test_a_csv_has_four_decimals_and_one_line_a_row(tmp_path: Path):
    write_needs(needs(), tmp_path / "needs.csv")
    assert (tmp_path / "needs.csv").read_bytes() == (
        b"teacher_id,instrument,item,need,sd,p_top3,n_visits,n_observers,evidence_grade,notices\n"
        b't1,danielson-2022,3b,0.1235,0.9876,0.3333,2,1,B,"One, and two."\n'
    )


def test_a_need_that_rounds_to_nothing_has_no_sign(tmp_path: Path):
    write_needs(needs(need=-0.00004), tmp_path / "needs.csv")
    assert ",0.0,0.9876," in (tmp_path / "needs.csv").read_text()


def test_parquet_holds_the_same_numbers_as_numbers(tmp_path: Path):
    write_needs(needs(), tmp_path / "needs.parquet")
    table = pd.read_parquet(tmp_path / "needs.parquet")
    assert list(table.columns) == list(ITEM_NEED_COLUMNS)
    assert table.loc[0, ["need", "sd", "p_top3"]].tolist() == [0.1235, 0.9876, 0.3333]
    assert table["n_visits"].tolist() == [2]


def test_the_table_in_hand_is_not_changed(tmp_path: Path):
    table = needs()
    write_needs(table, tmp_path / "needs.csv")
    assert table["need"].tolist() == [0.123456]


@pytest.mark.parametrize("name", ["needs.jsonl", "needs.txt", "needs", "needs.xlsx"])
def test_another_format_is_refused(name: str):
    with pytest.raises(DataFileError):
        check_need_output(Path(name))


@pytest.mark.parametrize("name", ["needs.csv", "NEEDS.CSV", "needs.parquet"])
def test_csv_and_parquet_are_taken(name: str):
    check_need_output(Path(name))


def test_a_folder_that_is_not_there_is_said_and_nothing_is_left(tmp_path: Path):
    with pytest.raises(DataFileError, match="no such folder"):
        write_needs(needs(), tmp_path / "none" / "needs.csv")
    assert list(tmp_path.iterdir()) == []
