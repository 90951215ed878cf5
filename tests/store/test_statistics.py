from __future__ import annotations

from sqlalchemy import URL, insert
from store_rows import NOW, School, add_teacher, stored

from service.store.database import Database, engine_for
from service.store.own_cases import own_cases
from service.store.statistics import refresh_statistics
from service.store.tables.cases import Case, RankingShown
from service.ulid import new_ulid

CASES = 2_000


def busy_tenant(database: Database, school: School) -> None:
    """A teacher with a few cases in a tenant with many of another."""
    with database.write() as session:
        for _ in range(3):
            stored(session, school.teacher)
        other = add_teacher(session, school, "Zoe Second").id
        ids = [new_ulid() for _ in range(CASES)]
        case = {
            "tenant_id": school.tenant_id, "teacher_id": other, "case_ref": "c", "context": {}, "observations": [],
            "declined": [], "top": 3, "created_at": NOW, "changed_at": NOW,
        }  # fmt: skip
        ranking = {
            "tenant_id": school.tenant_id, "shown_at": NOW, "status": "ranked", "notices": [], "features": {},
            "model_version": "2026.11", "catalogue_version": "abc",
        }  # fmt: skip
        session.execute(insert(Case), [case | {"id": case_id} for case_id in ids])
        session.execute(insert(RankingShown), [ranking | {"id": new_ulid(), "case_id": case_id} for case_id in ids])


def steps(database: Database, school: School) -> int:
    """Hundreds of the database's own steps for a teacher's list of cases."""
    done = 0

    def count() -> int:
        nonlocal done
        done += 1
        return 0

    with database.read() as session:
        session.connection().connection.driver_connection.set_progress_handler(count, 100)
        assert len(own_cases(session, school.teacher).items) == 3
        session.connection().connection.driver_connection.set_progress_handler(None, 0)
    return done


def test_a_teachers_list_is_found_without_reading_the_tenants(lite: Database, lite_school: School) -> None:
    busy_tenant(lite, lite_school)
    before = steps(lite, lite_school)
    refresh_statistics(lite)
    lite.engine.dispose()
    after = steps(lite, lite_school)
    assert before * 100 > CASES
    assert after * 100 < CASES / 2


def test_a_database_that_is_written_to_is_left_as_it_is(lite: Database, lite_school: School) -> None:
    impatient = Database(engine_for(URL.create("sqlite", database=lite.engine.url.database), busy_seconds=0.1))
    with lite.write():
        refresh_statistics(impatient)
    impatient.close()


def test_a_database_server_looks_after_itself(database: Database, school: School) -> None:
    refresh_statistics(database)
    with database.read() as session:
        assert own_cases(session, school.teacher).items == []
