from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from store_rows import NOW, School, make_school

from recommender.errors import CaseError
from service.store.actors import Actor, person_actor
from service.store.database import Database
from service.store.errors import ConflictError, NotAllowedError, NotFoundError
from service.store.keys import authenticate, create_key, key_hash, list_keys, revoke_key, rotate_key
from service.store.links import create_link, end_link, list_links
from service.store.people import (
    create_person,
    create_tenant,
    find_tenant,
    get_person,
    get_tenant,
    list_people,
    mark_left,
)
from service.store.tables.people import ApiKey, Link


def test_a_tenant_is_found_by_name_and_by_id_and_its_name_is_its_own(database: Database) -> None:
    with database.write() as session:
        tenant_id = create_tenant(session, "  North   School ", safeguarding_contact="Ms. Duty", retention_months=6)
    with database.read() as session:
        assert find_tenant(session, "North School") == find_tenant(session, tenant_id) == tenant_id
        assert get_tenant(session, Actor(tenant_id, "operator", "operator")).retention_months == 6
        with pytest.raises(NotFoundError):
            find_tenant(session, "South")
    with pytest.raises(ConflictError), database.write() as session:
        create_tenant(session, "North School")


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b"])
def test_a_name_that_cannot_be_shown_is_refused_and_not_quoted(lite: Database, name: str) -> None:
    with pytest.raises(CaseError, match="characters"), lite.write() as session:
        create_tenant(session, name)


def test_only_an_administrator_creates_people_and_a_person_can_have_two_roles(database, school: School) -> None:
    with database.write() as session:
        both = create_person(session, school.administrator, "Bo", ["coach", "teacher"], email="Bo@School.org")
        seen = get_person(session, school.operator, both)
        assert (seen.roles, seen.email) == (("coach", "teacher"), "bo@school.org")
        for nobody in (
            school.teacher,
            school.coach,
            Actor(school.tenant_id, "app", "sis", scopes=frozenset({"write"})),
        ):
            with pytest.raises(NotAllowedError):
                create_person(session, nobody, "Al", ["administrator"])
        with pytest.raises(CaseError):
            create_person(session, school.administrator, "Al", ["inspector"])  # type: ignore[list-item]


@pytest.mark.parametrize("taken", [{"email": "a@b.org"}, {"external_id": "t-1"}])
def test_an_email_or_external_id_is_one_persons_within_a_tenant(database, school: School, taken) -> None:
    with database.write() as session:
        other = make_school(session, "South")
        create_person(session, school.operator, "One", ["teacher"], **taken)
        create_person(session, other.operator, "One", ["teacher"], **taken)
    with pytest.raises(ConflictError) as caught, database.write() as session:
        create_person(session, school.operator, "Two", ["teacher"], **taken)
    assert next(iter(taken.values())) not in str(caught.value)


def test_people_come_in_parts_by_the_time_they_came(database, school: School) -> None:
    with database.read() as session:
        first = list_people(session, school.administrator, limit=2)
        rest = list_people(session, school.administrator, limit=2, after=first.next)
        assert [p.name for p in (*first.items, *rest.items)] == ["North administrator", "North teacher", "North coach"]
        assert rest.next is None
        with pytest.raises(NotAllowedError):
            list_people(session, school.coach)


def test_somebody_who_left_is_no_actor_and_has_no_links(database, school: School) -> None:
    with database.write() as session:
        mark_left(session, school.operator, school.coach.id)
    with database.read() as session:
        assert list_links(session, school.teacher) == []
        with pytest.raises(NotFoundError):
            person_actor(session, school.tenant_id, school.coach.id)


def test_a_coach_sees_their_teachers_and_no_other_person(database, school: School) -> None:
    with database.write() as session:
        stranger = create_person(session, school.operator, "Al", ["teacher"])
        assert get_person(session, school.coach, school.teacher.id).name == "North teacher"
        with pytest.raises(NotFoundError):
            get_person(session, school.coach, stranger)
        end_link(session, school.teacher, school.link_id)
        with pytest.raises(NotFoundError):
            get_person(session, school.coach, school.teacher.id)


def test_a_link_needs_a_coach_and_a_teacher_and_there_is_one_at_a_time(database, school: School) -> None:
    with database.write() as session:
        with pytest.raises(NotFoundError):
            create_link(session, school.operator, school.teacher.id, school.coach.id)
        with pytest.raises(ConflictError):
            create_link(session, school.operator, school.coach.id, school.teacher.id)
        end_link(session, school.coach, school.link_id)
        again = create_link(session, school.operator, school.coach.id, school.teacher.id)
        assert [link.id for link in list_links(session, school.teacher)] == [again]


def test_the_tables_themselves_refuse_a_second_active_link(database, school: School) -> None:
    row = {"tenant_id": school.tenant_id, "id": "L" * 26, "coach_id": school.coach.id,
           "teacher_id": school.teacher.id, "created_at": NOW}  # fmt: skip
    with pytest.raises(ConflictError), database.write() as session:
        session.execute(insert(Link).values(row))


def test_the_tables_themselves_refuse_a_row_that_points_into_another_tenant(database, school: School) -> None:
    with database.write() as session:
        other = make_school(session, "South")
    row = {"tenant_id": school.tenant_id, "id": "L" * 26, "coach_id": other.coach.id,
           "teacher_id": school.teacher.id, "created_at": NOW}  # fmt: skip
    with pytest.raises(ConflictError), database.write() as session:
        session.execute(insert(Link).values(row))


def test_a_key_is_kept_as_its_hash_and_says_who_the_app_is(database, school: School) -> None:
    with database.write() as session:
        key = create_key(session, school.administrator, "sis", ["write", "score"], now=NOW)
        assert key.secret.startswith("gr_")
        assert key.secret not in repr(key)
        row = session.scalar(select(ApiKey))
        assert key.secret not in str(vars(row))
        assert row.key_hash == key_hash(key.secret)
        app = authenticate(session, key.secret, NOW)
    assert app == Actor(school.tenant_id, "app", "sis", scopes=frozenset({"score", "write"}))
    assert not app.administers


def test_a_key_ends_when_it_expires_or_is_revoked(database, school: School) -> None:
    with database.write() as session:
        key = create_key(session, school.operator, "sis", ["score"], days=30, now=NOW)
        assert authenticate(session, key.secret, NOW + timedelta(days=30, seconds=-1))
        assert authenticate(session, key.secret, NOW + timedelta(days=30)) is None
        revoke_key(session, school.operator, key.id, NOW)
        assert authenticate(session, key.secret, NOW) is None


def test_rotation_leaves_the_old_key_some_days_and_the_app_the_same(database, school: School) -> None:
    with database.write() as session:
        old = create_key(session, school.operator, "sis", ["write"], now=NOW)
        new = rotate_key(session, school.operator, old.id, overlap_days=7, now=NOW)
        assert authenticate(session, old.secret, NOW + timedelta(days=6)) == authenticate(session, new.secret, NOW)
        assert authenticate(session, old.secret, NOW + timedelta(days=7)) is None
        assert authenticate(session, new.secret, NOW + timedelta(days=300)) is not None
        with pytest.raises(ConflictError):
            rotate_key(session, school.operator, old.id, now=NOW)
        at_once = rotate_key(session, school.operator, new.id, overlap_days=0, now=NOW)
        assert authenticate(session, new.secret, NOW) is None
        assert [key.replaced_by for key in list_keys(session, school.operator)] == [new.id, at_once.id, None]


@pytest.mark.parametrize("secret", ["", "gr_", "gr_wrong", "Bearer", "gr_" + "x" * 200, "gr_\ud800", "'; DROP TABLE"])
def test_what_is_no_key_is_nobody(lite: Database, lite_school, secret: str) -> None:
    with lite.read() as session:
        assert authenticate(session, secret) is None


def test_an_app_whose_key_may_administer_creates_people_and_others_do_not(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        key = create_key(session, lite_school.operator, "rostering", ["admin"])
        app = authenticate(session, key.secret)
        assert create_person(session, app, "Al", ["teacher"])
        with pytest.raises(CaseError):
            create_key(session, lite_school.operator, "Bad Name!", ["score"])
        with pytest.raises(CaseError):
            create_key(session, lite_school.operator, "sis", [])
        with pytest.raises(CaseError):
            create_key(session, lite_school.operator, "sis", ["score"], days=5_000)
