import math
from datetime import date, timedelta

import pandas as pd
import pytest
from score_rubrics import score_table

from recommender.errors import DataFileError
from recommender.exchange.score_schema import check_score_table
from recommender.observations import scores as table


def refusal(scores):
    with pytest.raises(DataFileError) as caught:
        check_score_table(scores, "a test's import")
    return str(caught.value)


def test_a_plain_table_and_one_without_rows_keep_the_rules():
    check_score_table(score_table({}, {"value": 1.5, "observation_type": "peer", "observer_role": "coach"}), "test")
    check_score_table(table.empty_scores(), "test")


def test_import_columns_may_be_there_and_no_others():
    scores = score_table({}).assign(source_system="grow", source_row_hash="0" * 64)
    check_score_table(scores.astype({"source_system": str, "source_row_hash": str}), "test")
    assert "str_matches" in refusal(score_table({}).assign(source_row_hash="0123").astype({"source_row_hash": str}))
    assert "column_in_schema" in refusal(score_table({}).assign(teacher_name="Maria"))


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("teacher_id", ""),
        ("visit", ""),
        ("observer", ""),
        ("instrument", ""),
        ("item", ""),
        ("teacher_id", "x" * 201),
        ("note", "x" * 4_001),
        ("value", math.nan),
        ("value", math.inf),
        ("segment", -1),
        ("segment", 1_001),
        ("observation_type", "drop-in"),
        ("observer_role", "boss"),
        ("observed_on", pd.NaT),
        ("observed_on", pd.Timestamp(date.today() + timedelta(days=2))),
    ],
)
def test_a_cell_outside_its_rule_is_refused_by_column_and_not_repeated(column, cell):
    message = refusal(score_table({}, {column: cell}))
    assert f"{column}: " in message
    assert "drop-in" not in message and "boss" not in message and "xxx" not in message


@pytest.mark.parametrize("column", table.COLUMNS)
def test_a_column_that_is_not_there_is_refused(column):
    assert "column_in_dataframe" in refusal(score_table({}).drop(columns=column))


@pytest.mark.parametrize(("column", "kind"), [("value", str), ("segment", "float64"), ("observed_on", str)])
def test_a_column_of_another_type_is_refused(column, kind):
    assert f"{column}: dtype" in refusal(score_table({}).astype({column: kind}))


def test_all_problems_are_looked_for_at_once():
    message = refusal(score_table({"value": math.inf, "segment": -1, "teacher_id": ""}))
    assert all(f"{column}: " in message for column in ("value", "segment", "teacher_id"))
