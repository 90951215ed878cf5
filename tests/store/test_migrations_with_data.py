from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import MetaData, inspect, select
from store_rows import NOW, School, make_school, stored

from recommender.observations.norms import Norms
from service.store.alerts import raise_alert
from service.store.choices import record_choice
from service.store.consents import give_consent
from service.store.contests import answer_contest, raise_contest
from service.store.cycles import start_cycle
from service.store.database import Database, StoreSession
from service.store.drafts import save_draft
from service.store.keys import create_key
from service.store.observations import store_scores
from service.store.people import create_person
from service.store.practice import add_check_in, add_follow_up
from service.store.reviews import SkillChange, record_review
from service.store.schema_version import all_versions, current_version, downgrade, upgrade
from service.store.shares import share_case, share_cycle
from service.store.sign_in import begin_session
from service.store.sign_in_links import issue_link
from service.store.tables.schema import METADATA
from service.store.tenant_norms import store_norms

VERSION_TABLE = "alembic_version"
DAY = date(2026, 11, 3)
SCORE = {
    "teacher_id": "t-teacher", "visit": "v1", "observed_on": pd.Timestamp("2026-10-02"), "observer": "o1",
    "instrument": "danielson-2022", "item": "3b", "value": 2.0, "note": "14 questions",
}  # fmt: skip
# Closed lists that grew: what an older version does not know, its tables cannot keep.
NEWER = {"texts": ("subject_kind", {"contest", "draft"}), "person_roles": ("role", {"safeguarding"})}
Rows = dict[str, list[dict[str, Any]]]


def fill(session: StoreSession, school: School) -> None:
    """A row in every table, and a text in every place that has one."""
    root, teacher, coach = school.operator, school.teacher, school.coach
    create_person(session, root, "Sal Safe", ["safeguarding"], email="sal@north.example", now=NOW)
    create_key(session, root, "gradebook", ["write"], now=NOW)
    issue_link(session, root, coach.id, now=NOW)
    begin_session(session, school.tenant_id, teacher.id, "link", NOW)
    give_consent(session, school.administrator, "decisions", of_tenant=True, now=NOW)
    give_consent(session, teacher, "decisions", now=NOW)
    save_draft(session, teacher, "Nobody listens when", {"grade_band": "middle"}, now=NOW)
    store_scores(session, root, pd.DataFrame([SCORE]), NOW)
    store_norms(session, root, Norms(), 1, NOW)
    made = stored(session, teacher)
    ask = (session, teacher, made.case_id, made.ranking_id)
    share_case(session, teacher, made.case_id, coach.id, NOW)
    changes = [SkillChange("wait-time", "remove", None, "Not yet")]
    review = record_review(session, coach, made.case_id, made.ranking_id, changes, now=NOW)
    raise_alert(session, teacher, teacher.id, made.case_id, NOW)
    about_list = raise_contest(
        session, teacher, made.case_id, about="suggestion", about_id=made.ranking_id, why="No.", now=NOW
    )
    answer_contest(session, coach, about_list, "I see.", NOW)
    raise_contest(session, teacher, made.case_id, about="review", about_id=review, why="It is.", now=NOW)
    record_choice(*ask, "wait-time", "declined", why="No time", idempotency_key="k1", now=NOW)
    choice = record_choice(*ask, "cold-calling", "chosen", now=NOW + timedelta(minutes=1))
    cycle = start_cycle(session, teacher, made.case_id, choice, DAY, weeks=4, now=NOW)
    share_cycle(session, teacher, cycle, coach.id, NOW)
    add_check_in(session, teacher, cycle, DAY, 3, note="Better", now=NOW)
    add_follow_up(session, coach, cycle, "baseline", DAY, 1, 4, note="One of four", now=NOW)


def rows_in(database: Database) -> Rows:
    """Every row of every table there is, as the database has it: nothing here knows which columns to expect."""
    found = MetaData()
    with database.engine.connect() as connection:
        found.reflect(connection)
        tables = [table for table in found.sorted_tables if table.name != VERSION_TABLE]
        return {table.name: list(map(dict, connection.execute(select(table)).mappings())) for table in tables}


def as_in(older: Rows, rows: Rows) -> Rows:
    """Of ``rows`` what ``older`` tables have a place for: their columns, and of what is newer what they kept."""
    kept: Rows = {}
    for name, of_table in older.items():
        column, newer = NEWER.get(name, ("", set()))
        gone = newer - {row.get(column) for row in of_table}
        columns = of_table[0].keys() if of_table else ()
        kept[name] = [{key: row[key] for key in columns} for row in rows[name] if row.get(column) not in gone]
    return kept


def in_order(rows: Rows) -> Rows:
    return {name: sorted(of_table, key=repr) for name, of_table in rows.items()}


@pytest.fixture
def filled(empty_database: Database) -> Database:
    upgrade(empty_database)
    with empty_database.write() as session:
        fill(session, make_school(session))
        make_school(session, "South")
    return empty_database


def test_every_table_has_a_row_here_so_that_a_new_one_is_not_forgotten(filled: Database) -> None:
    rows = rows_in(filled)
    assert set(rows) == set(METADATA.tables)
    assert [name for name, of_table in rows.items() if not of_table] == []
    assert {row["subject_kind"] for row in rows["texts"]} == {
        "case", "ranking", "choice", "review", "check_in", "follow_up", "score", "contest", "draft"}  # fmt: skip


def test_on_the_way_down_and_up_again_the_rows_of_older_tables_do_not_change(filled: Database) -> None:
    before = rows_in(filled)
    for version in all_versions()[-2::-1]:
        downgrade(filled, version)
        assert current_version(filled) == version
        older = rows_in(filled)
        assert [name for name, of_table in older.items() if not of_table] == []
        assert set(older) <= set(before)
        assert in_order(older) == in_order(as_in(older, before))
        upgrade(filled)
        after = rows_in(filled)
        assert in_order(as_in(older, after)) == in_order(older)
        # What newer tables held is gone, and they are there again to be filled.
        assert [name for name, of_table in after.items() if of_table] == list(older)
        before = after


def test_all_the_way_down_with_rows_in_every_table_leaves_none_of_them(filled: Database) -> None:
    downgrade(filled, "base")
    assert inspect(filled.engine).get_table_names() == [VERSION_TABLE]
