from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from store_rows import NOW, STRUGGLE, School, add_teacher, make_school

from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.database import Database
from service.store.deletion import delete_person
from service.store.drafts import Draft, drop_draft, read_draft, save_draft
from service.store.errors import NotAllowedError
from service.store.export import export_person
from service.store.retention import run_retention
from service.store.tables.care import Draft as DraftRow
from service.store.tables.texts import StoredText


def texts(session) -> int:
    return session.scalar(select(func.count()).select_from(StoredText))


def test_the_last_draft_comes_back_redacted_and_takes_the_place_of_the_one_before(database, school: School) -> None:
    tapped = {"grade_band": "middle", "subject": "science", "minutes_per_week": 30}
    with database.write() as session:
        assert read_draft(session, school.teacher) is None
        save_draft(session, school.teacher, "Same three", {}, NOW)
        save_draft(session, school.teacher, "A boy named Marcus", tapped, NOW + timedelta(hours=1))
        draft = read_draft(session, school.teacher)
        assert texts(session) == 1
    assert draft == Draft("A boy named [name]", tapped, NOW + timedelta(hours=1))


def test_taps_alone_are_a_draft_and_what_says_nothing_is_not_kept(database: Database, school: School) -> None:
    with database.write() as session:
        save_draft(session, school.teacher, STRUGGLE, {}, NOW)
        save_draft(session, school.teacher, "", {"grade_band": "high", "subject": "unknown"}, NOW)
        assert read_draft(session, school.teacher) == Draft("", {"grade_band": "high"}, NOW)
        assert texts(session) == 0


def test_an_empty_form_deletes_the_draft_and_so_does_dropping_it_twice(database: Database, school: School) -> None:
    with database.write() as session:
        save_draft(session, school.teacher, STRUGGLE, {"grade_band": "high"}, NOW)
        save_draft(session, school.teacher, " \n", {"grade_band": "unknown", "minutes_per_week": None}, NOW)
        assert read_draft(session, school.teacher) is None
        save_draft(session, school.teacher, STRUGGLE, {}, NOW)
        for _ in "ab":
            drop_draft(session, school.teacher)
        assert (read_draft(session, school.teacher), texts(session)) == (None, 0)


def test_a_draft_is_its_teachers_alone(database: Database, school: School) -> None:
    app = Actor(school.tenant_id, "app", "sis", scopes=frozenset({"write"}))
    with database.write() as session:
        other, south = add_teacher(session, school, "Al"), make_school(session, "South")
        save_draft(session, school.teacher, STRUGGLE, {}, NOW)
        for nobody in (other, south.teacher, school.coach, school.administrator, school.operator, app):
            assert read_draft(session, nobody) is None
        for nobody in (school.coach, school.administrator, school.operator, app):
            with pytest.raises(NotAllowedError):
                save_draft(session, nobody, "Words", {})
            with pytest.raises(NotAllowedError):
                drop_draft(session, nobody)
        drop_draft(session, other)
        drop_draft(session, south.teacher)
        save_draft(session, other, "Mine", {}, NOW)
        assert read_draft(session, school.teacher).struggle == STRUGGLE


@pytest.mark.parametrize(
    ("text", "context", "problem"),
    [
        ("x" * 4_001, {}, "4001 characters"),
        ("x", {"career_stage": "early"}, "no draft keeps"),
        ("x", {"minutes_per_week": 0}, "minutes_per_week"),
        ("x", {"grade_band": "a whole sentence"}, "grade_band"),
    ],
)
def test_what_no_case_could_hold_is_refused_without_a_word_of_it(lite, lite_school, text, context, problem) -> None:
    with pytest.raises(CaseError, match=problem) as caught, lite.write() as session:
        save_draft(session, lite_school.teacher, text, context)
    assert "sentence" not in str(caught.value)


def test_a_text_of_the_greatest_length_comes_back_no_longer(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        save_draft(session, lite_school.teacher, "Ann Bo " * 571, {}, NOW)
        assert len(read_draft(session, lite_school.teacher).struggle) <= 4_000


def test_a_draft_goes_after_thirty_days_with_its_person_and_is_in_their_export(database, school: School) -> None:
    with database.write() as session:
        other = add_teacher(session, school, "Al")
        save_draft(session, other, STRUGGLE, {}, NOW)
        save_draft(session, school.teacher, STRUGGLE, {"subject": "science"}, NOW)
        exported = export_person(session, school.teacher, school.teacher.id)["draft"]
        delete_person(session, other, other.id)
        assert texts(session) == 1
    assert exported == {"struggle": STRUGGLE, "context": {"subject": "science"}, "saved_at": NOW.isoformat()}
    assert run_retention(database, 12, NOW + timedelta(days=30))[0].texts == 0
    assert run_retention(database, 12, NOW + timedelta(days=30, seconds=1))[0].texts == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(DraftRow)) == texts(session) == 0
