from __future__ import annotations

import pytest
from sqlalchemy import select, update
from store_rows import KEY, make_school

from service.store.database import Database
from service.store.errors import StoreError
from service.store.tables.texts import StoredText
from service.store.text_keys import TextKeys
from service.store.text_vault import Place, delete_texts, read_text, read_texts, rotate_texts, write_texts


@pytest.fixture
def place(school) -> Place:
    return Place(school.tenant_id, "case", "C" * 26, "struggle")


def test_a_text_comes_back_redacted_and_is_not_readable_in_the_table(database: Database, place: Place) -> None:
    with database.write() as session:
        write_texts(session, place, ["Marcus waits until somebody else answers."])
    with database.read() as session:
        assert read_text(session, place) == "[name] waits until somebody else answers."
        stored = session.scalar(select(StoredText))
        assert b"somebody" not in stored.content
        assert stored.key_id == KEY.current


def test_empty_texts_take_no_row(database: Database, place: Place) -> None:
    with database.write() as session:
        write_texts(session, place, ["", ""])
        assert read_texts(session, place) is None


def test_a_text_moved_to_another_place_does_not_open(database: Database, place: Place) -> None:
    with database.write() as session:
        write_texts(session, place, ["one"])
        session.flush()
        session.execute(update(StoredText).values(subject_id="D" * 26))
        session.expire_all()
        with pytest.raises(StoreError, match="altered"):
            read_text(session, Place(place.tenant_id, "case", "D" * 26, "struggle"))


def test_rotation_seals_all_texts_of_all_tenants_with_the_first_key(lite: Database) -> None:
    plain, new = Database(lite.engine), TextKeys([bytes(range(5, 37)), bytes(range(32))])
    with plain.write() as session:
        north, south = (make_school(session, name).tenant_id for name in ("North", "South"))
        write_texts(session, Place(north, "case", "1", "struggle"), ["readable"])
    with lite.write() as session:
        write_texts(session, Place(south, "case", "2", "struggle"), ["sealed"])
    rotated = Database(lite.engine, new)
    with rotated.write() as session:
        assert rotate_texts(session) == 2
        assert rotate_texts(session) == 0
    with Database(lite.engine, TextKeys([bytes(range(5, 37))])).read() as session:
        assert read_text(session, Place(north, "case", "1", "struggle")) == "readable"
        assert read_text(session, Place(south, "case", "2", "struggle")) == "sealed"


def test_rotation_without_an_old_key_changes_nothing(lite: Database, lite_school) -> None:
    place = Place(lite_school.tenant_id, "case", "1", "struggle")
    with lite.write() as session:
        write_texts(session, place, ["sealed"])
    with pytest.raises(StoreError, match="rotate"), Database(lite.engine, TextKeys([bytes(range(5, 37))])).write() as s:
        rotate_texts(s)
    with lite.read() as session:
        assert read_text(session, place) == "sealed"


def test_a_deleted_text_is_gone_from_the_file_itself(lite: Database, lite_school, tmp_path) -> None:
    plain = Database(lite.engine)
    with plain.write() as session:
        write_texts(session, Place(lite_school.tenant_id, "case", "1", "struggle"), ["xylophone marker"])
    assert b"xylophone" in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    with plain.write() as session:
        assert delete_texts(session, lite_school.tenant_id, "case", ["1"]) == 1
    with lite.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"xylophone" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
