import hashlib

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from score_rubrics import INSTRUMENTS, score_table

from recommender.errors import DataFileError
from recommender.exchange.observation_files import read_observations
from recommender.exchange.score_files import WRITTEN_COLUMNS, appended, row_hashes, write_scores
from recommender.observations import scores as table

bounded = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAMES = ["scores.csv", "scores.parquet"]


def hashed(scores):
    scores = scores.assign(source_system="test", source_row_hash=row_hashes(scores))
    return scores.astype({"source_system": str, "source_row_hash": str})


def test_a_hash_is_sha256_of_identity_and_value():
    (found,) = row_hashes(score_table({"tenant": "D1", "segment": 2, "value": 2.5}))
    text = "\x1f".join(["D1", "t1", "v1", "2026-10-02", "o1", "own-1", "3b", "2", "2.5"])
    assert found == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": "D2"},
        {"teacher_id": "t2"},
        {"visit": "v2"},
        {"observed_on": pd.Timestamp(2026, 10, 3)},
        {"observer": "o2"},
        {"instrument": "own-2"},
        {"item": "2a"},
        {"segment": 1},
        {"value": 3.5},
    ],
)
def test_every_part_of_identity_and_the_value_change_the_hash(change):
    one, other = row_hashes(score_table({}, change))
    assert one != other


@pytest.mark.parametrize("change", [{"note": "x"}, {"school": "s"}, {"observation_type": "peer"}])
def test_what_is_said_beside_a_score_does_not_change_its_hash(change):
    one, other = row_hashes(score_table({}, change))
    assert one == other


@pytest.mark.parametrize("name", NAMES)
def test_a_written_table_has_the_canonical_columns_in_order(tmp_path, name):
    write_scores(hashed(score_table({"note": "a, b"})), tmp_path / name)
    if name.endswith("csv"):
        header, row = (tmp_path / name).read_text().splitlines()
        assert header.split(",") == list(WRITTEN_COLUMNS)
        assert row.startswith('t1,v1,2026-10-02,o1,own-1,3b,3.0,,,0,,,"a, b",test,')
    else:
        schema = pq.read_schema(tmp_path / name)
        assert schema.names == list(WRITTEN_COLUMNS)
        assert str(schema.field("observed_on").type) == "date32[day]"


@pytest.mark.parametrize("name", NAMES)
def test_the_same_table_is_the_same_bytes(tmp_path, name):
    scores = hashed(score_table({}, {"value": 0.1}))
    write_scores(scores, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    write_scores(scores, tmp_path / name)
    assert (tmp_path / name).read_bytes() == first


def test_text_a_spreadsheet_would_run_is_guarded_in_csv_and_comes_back_as_it_was(tmp_path):
    ids = ["=1+1", "-7", "@x", "+1", "'=1", "'x"]
    scores = hashed(score_table(*[{"visit": each, "note": each} for each in ids]))
    write_scores(scores, tmp_path / "scores.csv")
    assert "\n=" not in (tmp_path / "scores.csv").read_text().replace(",", "\n")
    read = read_observations(tmp_path / "scores.csv", INSTRUMENTS).scores
    # An id that already looks guarded is the one that cannot be told apart.
    assert read[table.VISIT].tolist() == ["=1+1", "-7", "@x", "+1", "=1", "'x"]


def test_another_suffix_is_refused_and_a_failed_write_leaves_what_was_there(tmp_path):
    with pytest.raises(DataFileError, match="JSON Lines"):
        write_scores(hashed(score_table({})), tmp_path / "scores.jsonl")
    (tmp_path / "scores.csv").write_text("before")
    with pytest.raises(KeyError):
        write_scores(score_table({}), tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_appending_adds_new_rows_keeps_known_ones_in_place_and_lets_earlier_values_give_way():
    existing = hashed(score_table({"item": "2a"}, {"item": "3b", "value": 2.0}, {"item": "3c"}))
    new = hashed(score_table({"item": "3c"}, {"item": "3b", "value": 4.0}, {"item": "2a", "segment": 1}))
    together, known, corrected = appended(existing, new)
    assert (known, corrected) == (1, 1)
    cells = together[["item", "segment", "value"]].to_numpy().tolist()
    assert cells == [["2a", 0, 3.0], ["3c", 0, 3.0], ["3b", 0, 4.0], ["2a", 1, 3.0]]


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda text: text.strip() == text and not text.startswith("'")
)
changes = st.lists(
    st.fixed_dictionaries(
        {
            "visit": texts.filter(lambda text: "@" not in text),
            "note": texts | st.just(""),
            "value": st.floats(1, 4),
            "segment": st.integers(0, 1_000),
        }
    ),
    min_size=1,
    max_size=6,
)


@bounded
@given(changes, st.sampled_from(NAMES))
def test_any_table_comes_back_as_it_was(tmp_path, rows, name):
    scores = hashed(score_table(*rows))
    write_scores(scores, tmp_path / name)
    read = read_observations(tmp_path / name, INSTRUMENTS)
    assert not read.rejects and not read.unread_columns
    expected = scores.drop(columns="source_row_hash")
    pd.testing.assert_frame_equal(read.scores, expected[list(read.scores.columns)])
    assert row_hashes(read.scores) == scores["source_row_hash"].tolist()


@bounded
@given(changes, changes)
def test_appending_the_same_rows_again_changes_nothing(first, second):
    existing, new = (hashed(score_table(*rows)).drop_duplicates("source_row_hash") for rows in (first, second))
    once, _, _ = appended(existing, new)
    twice, known, corrected = appended(once, new)
    pd.testing.assert_frame_equal(once, twice)
    assert (known, corrected) == (len(new), 0)
