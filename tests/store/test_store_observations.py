from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import func, select
from store_rows import School, make_school

from recommender.catalogue.instruments import load_instruments
from recommender.errors import DataFileError
from recommender.observations import scores as table
from recommender.observations.norm_fit import fit_norms
from recommender.observations.norms import Norms
from recommender.observations.ratings import observed_ratings
from service.store.database import Database
from service.store.errors import NotAllowedError
from service.store.observations import (
    ImportedScores,
    KeptScores,
    kept_scores,
    scores_of_teacher,
    scores_of_tenant,
    store_scores,
)
from service.store.tables.texts import StoredText
from service.store.tenant_norms import current_norms, refit_norms

ITEMS = ("2a", "2b", "2c", "3a", "3b", "3c")


def score_rows(teacher: str = "t-teacher", note: str = "14 questions", shift: float = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            table.TEACHER: teacher, table.VISIT: "v1", table.OBSERVED_ON: pd.Timestamp("2026-10-02"),
            table.OBSERVER: "o1", table.INSTRUMENT: "danielson-2022", table.ITEM: ITEMS,
            table.VALUE: [2 + shift, 3, 3, 2, 1, 4], table.TENANT: "whatever the file says", table.NOTE: note,
        }
    )  # fmt: skip


def test_importing_twice_takes_nothing_twice_and_a_new_value_corrects_the_row(database, school: School) -> None:
    with database.write() as session:
        assert store_scores(session, school.administrator, score_rows()) == ImportedScores(6, 0, 0)
    with database.write() as session:
        assert store_scores(session, school.operator, score_rows(note="other words")) == ImportedScores(0, 6, 0)
        corrected = score_rows(note="seen again", shift=1)
        assert store_scores(session, school.operator, corrected) == ImportedScores(0, 5, 1)
        mine = scores_of_teacher(session, school.teacher)
        assert session.scalar(select(func.count()).select_from(StoredText)) == 6
    values = dict(zip(mine[table.ITEM], mine[table.VALUE], strict=True))
    notes = dict(zip(mine[table.ITEM], mine[table.NOTE], strict=True))
    assert (values["2a"], notes["2a"], notes["2b"]) == (3.0, "seen again", "14 questions")
    assert set(mine[table.TENANT]) == {school.tenant_id}
    assert list(mine.columns) == list(table.COLUMNS)
    assert mine.dtypes.to_dict() == table.empty_scores().dtypes.to_dict()


def test_the_same_row_in_two_schools_is_two_rows(database: Database, school: School) -> None:
    with database.write() as session:
        other = make_school(session, "South")
        for tenant in (school, other):
            assert store_scores(session, tenant.operator, score_rows()).new == 6
        assert len(scores_of_tenant(session, school.operator)) == 6


def test_of_a_row_twice_in_one_file_the_last_counts(lite: Database, lite_school: School) -> None:
    twice = pd.concat([score_rows(), score_rows(shift=0.5)])
    with lite.write() as session:
        assert store_scores(session, lite_school.operator, twice) == ImportedScores(6, 0, 0)
        assert scores_of_teacher(session, lite_school.teacher)[table.VALUE].max() == 4
        assert 2.5 in set(scores_of_teacher(session, lite_school.teacher)[table.VALUE])


def test_kept_scores_are_told_with_the_day_of_the_last_look_somebody_else_took(database, school: School) -> None:
    with database.write() as session:
        assert kept_scores(session, school.teacher) == KeptScores(0, None)
        own = score_rows().assign(**{table.OBSERVED_ON: pd.Timestamp("2026-10-30"), table.OBSERVATION_TYPE: "self"})
        store_scores(session, school.operator, own)
        assert kept_scores(session, school.teacher) == KeptScores(6, None)
        by_machine = score_rows().assign(**{table.VISIT: "v2", table.OBSERVER_ROLE: "model"})
        store_scores(session, school.operator, by_machine)
        store_scores(session, school.operator, score_rows().assign(**{table.VISIT: "v3"}))
        store_scores(session, school.operator, score_rows("t-other"))
        assert kept_scores(session, school.teacher) == KeptScores(18, date(2026, 10, 2))
        for nobody in (school.coach, school.administrator, school.operator):
            assert kept_scores(session, nobody) == KeptScores(0, None)


def test_a_teacher_sees_their_own_scores_and_nobody_else_a_single_one(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        store_scores(session, lite_school.operator, pd.concat([score_rows(), score_rows("t-other")]))
        assert set(scores_of_teacher(session, lite_school.teacher)[table.TEACHER]) == {"t-teacher"}
        for nobody in (lite_school.coach, lite_school.administrator, lite_school.operator):
            assert scores_of_teacher(session, nobody).empty
        for nobody in (lite_school.teacher, lite_school.coach, lite_school.administrator):
            with pytest.raises(NotAllowedError):
                scores_of_tenant(session, nobody)
        for nobody in (lite_school.teacher, lite_school.coach):
            with pytest.raises(NotAllowedError):
                store_scores(session, nobody, score_rows())


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), None])
def test_a_score_that_is_no_number_is_refused(lite: Database, lite_school: School, broken) -> None:
    rows = score_rows().astype({table.VALUE: object})
    rows.loc[0, table.VALUE] = broken
    with pytest.raises(DataFileError, match="finite"), lite.write() as session:
        store_scores(session, lite_school.operator, rows.astype({table.VALUE: float}))
    with pytest.raises(DataFileError, match="observer"), lite.write() as session:
        store_scores(session, lite_school.operator, score_rows().drop(columns=table.OBSERVER))


def test_norms_fitted_on_stored_scores_are_those_of_the_table(database: Database, school: School) -> None:
    rng, instruments = np.random.default_rng(4), load_instruments()
    scores = pd.concat(
        score_rows(f"t{t}").assign(**{table.OBSERVER: f"o{t % 4}", table.VALUE: rng.integers(1, 5, len(ITEMS)) * 1.0})
        for t in range(30)
    )
    with database.write() as session:
        assert current_norms(session, school.operator) == Norms()
        with pytest.raises(DataFileError, match="no stored score"):
            refit_norms(session, school.operator, instruments)
        store_scores(session, school.operator, scores)
        fitted = refit_norms(session, school.operator, instruments)
    with database.read() as session:
        kept = current_norms(session, school.teacher)
        frame = scores_of_tenant(session, school.operator)
    assert kept == fitted == fit_norms(observed_ratings(frame, instruments), instruments)
    assert kept.of(school.tenant_id).items["danielson-2022/2a"].counts
