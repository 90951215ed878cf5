from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from store_rows import NOW, School, make_school
from typer.testing import CliRunner

from recommender.errors import CaseError
from service.store import sign_in as sessions
from service.store.actors import Actor
from service.store.database import Database, utc_now
from service.store.deletion import delete_person
from service.store.errors import ConflictError, NotAllowedError, NotFoundError, StoreUnavailableError
from service.store.events import events_about
from service.store.export import export_person
from service.store.people import create_person, create_tenant, mark_left
from service.store.provider_sign_in import person_of_provider
from service.store.retention import run_retention
from service.store.schema_version import downgrade, upgrade
from service.store.sign_in import (
    begin_session,
    end_session,
    end_sessions_of,
    resume,
    sign_ins_of,
    touch,
)
from service.store.sign_in_links import issue_link, use_link
from service.store.tables.people import Person, PersonRole, Tenant
from service.store.tables.schema import METADATA
from service.store.tables.sign_in import PageSession, SignInLink

DAY = timedelta(days=1)


def begun(session, school: School, who: Actor | None = None, now: datetime = NOW):
    return begin_session(session, school.tenant_id, (who or school.teacher).id, "link", now)


def test_a_link_signs_in_once_and_the_person_is_who_they_are(database: Database, school: School) -> None:
    with database.write() as session:
        link = issue_link(session, school.administrator, school.coach.id, now=NOW)
        assert link.expires_at == NOW + DAY
        made = use_link(session, link.secret, NOW + timedelta(hours=23))
        assert made is not None
        assert use_link(session, link.secret, NOW + timedelta(hours=23)) is None
        resumed = resume(session, made.secret, NOW + DAY)
    assert resumed is not None
    assert (resumed.actor, resumed.name, resumed.tenant_name) == (school.coach, "North coach", "North")
    assert not resumed.is_demo
    assert made.secret != link.secret


@pytest.mark.parametrize("later", [DAY, DAY + timedelta(seconds=1), -timedelta(minutes=6)])
def test_a_link_works_for_a_day_and_not_before_it_was_made(lite: Database, lite_school: School, later) -> None:
    with lite.write() as session:
        link = issue_link(session, lite_school.operator, lite_school.teacher.id, now=NOW)
        assert use_link(session, link.secret, NOW + later) is None
        assert use_link(session, link.secret, NOW + DAY - timedelta(seconds=1)) is not None


def test_two_requests_with_one_link_make_one_session(database: Database, school: School) -> None:
    with database.write() as session:
        link = issue_link(session, school.operator, school.teacher.id)
    gate, made = threading.Barrier(4), []

    def use() -> None:
        gate.wait()
        with database.write() as session:
            made.append(use_link(session, link.secret))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one is None for one in made) == [False, True, True, True]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(PageSession)) == 1


def test_a_new_link_ends_the_earlier_ones_of_the_same_person_only(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        of_teacher, of_coach = (
            issue_link(session, lite_school.operator, who.id, now=NOW)
            for who in (lite_school.teacher, lite_school.coach)
        )
        newer = issue_link(session, lite_school.operator, lite_school.teacher.id, minutes=5, now=NOW)
        assert use_link(session, of_teacher.secret, NOW) is None
        assert use_link(session, of_coach.secret, NOW) is not None
        assert use_link(session, newer.secret, NOW) is not None


def test_only_people_who_administer_make_links_and_not_for_another_tenant(lite: Database, lite_school: School) -> None:
    app = Actor(lite_school.tenant_id, "app", "sis", scopes=frozenset({"admin"}))
    with lite.write() as session:
        for nobody in (lite_school.teacher, lite_school.coach, app):
            with pytest.raises(NotAllowedError):
                issue_link(session, nobody, lite_school.teacher.id)
        stranger = make_school(session, "South").administrator
        with pytest.raises(NotFoundError):
            issue_link(session, stranger, lite_school.teacher.id)
        for minutes in (0, 7 * 24 * 60 + 1):
            with pytest.raises(CaseError):
                issue_link(session, lite_school.administrator, lite_school.teacher.id, minutes=minutes)


def test_who_has_left_can_neither_use_a_link_nor_go_on_nor_begin(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        link = issue_link(session, lite_school.operator, lite_school.teacher.id, now=NOW)
        made = begun(session, lite_school)
        assert resume(session, made.secret, NOW) is not None
        mark_left(session, lite_school.operator, lite_school.teacher.id, NOW)
        assert resume(session, made.secret, NOW) is None
        assert use_link(session, link.secret, NOW) is None
        with pytest.raises(NotFoundError):
            begun(session, lite_school)
        with pytest.raises(NotFoundError):
            issue_link(session, lite_school.operator, lite_school.teacher.id)


def test_roles_are_those_of_the_moment_not_of_the_sign_in(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        made = begun(session, lite_school, lite_school.administrator)
        of_person = PersonRole.person_id == lite_school.administrator.id
        session.execute(update(PersonRole).where(of_person).values(role="safeguarding"))
        resumed = resume(session, made.secret, NOW)
        assert resumed is not None
        assert resumed.actor.roles == {"safeguarding"}
        assert not resumed.actor.administers
        session.execute(delete(PersonRole).where(of_person))
        resumed = resume(session, made.secret, NOW)
        assert resumed is not None
        assert resumed.actor.roles == frozenset()


@pytest.mark.parametrize(
    ("later", "is_valid"),
    [
        (timedelta(hours=12) - timedelta(seconds=1), True),
        (timedelta(hours=12), False),
        (-timedelta(minutes=5), True),
        (-timedelta(minutes=5, seconds=1), False),
        (-timedelta(days=400), False),
    ],
)
def test_a_session_ends_after_twelve_idle_hours_and_is_not_valid_under_a_clock_gone_back(
    database: Database, school: School, later, is_valid
) -> None:
    with database.write() as session:
        made = begun(session, school)
        assert (resume(session, made.secret, NOW + later) is not None) == is_valid


def test_a_session_in_use_ends_after_seven_days_and_not_before(database: Database, school: School) -> None:
    with database.write() as session:
        made = begun(session, school)
    assert made.expires_at == NOW + 7 * DAY
    moment = NOW
    while moment < NOW + 7 * DAY - timedelta(hours=6):
        moment += timedelta(hours=6)
        with database.read() as session:
            resumed = resume(session, made.secret, moment)
        assert resumed is not None
        assert resumed.expires_at <= NOW + 7 * DAY
        touch(database, resumed, moment)
    with database.read() as session:
        assert resume(session, made.secret, NOW + 7 * DAY - timedelta(seconds=1)) is not None
        assert resume(session, made.secret, NOW + 7 * DAY) is None


def test_a_session_seen_under_a_clock_gone_forward_still_ends_after_seven_days(lite: Database, lite_school) -> None:
    with lite.write() as session:
        made = begun(session, lite_school)
        session.execute(update(PageSession).values(seen_at=NOW + 300 * DAY, expires_at=NOW + 300 * DAY))
        assert resume(session, made.secret, NOW + 7 * DAY - timedelta(seconds=1)) is not None
        assert resume(session, made.secret, NOW + 7 * DAY) is None


def test_use_is_noted_at_most_once_a_minute(lite: Database, lite_school: School) -> None:
    def seen() -> datetime | None:
        with lite.read() as session:
            return session.scalar(select(PageSession.seen_at))

    with lite.write() as session:
        resumed = resume(session, begun(session, lite_school).secret, NOW)
    assert resumed is not None
    touch(lite, resumed, NOW + timedelta(seconds=59))
    assert seen() == NOW
    touch(lite, resumed, NOW + timedelta(seconds=60))
    assert seen() == NOW + timedelta(seconds=60)
    touch(lite, resumed, NOW + timedelta(seconds=61))
    touch(lite, resumed, NOW - DAY)
    assert seen() == NOW + timedelta(seconds=61)


def test_a_busy_database_costs_the_note_and_nothing_else(lite: Database, lite_school: School, monkeypatch) -> None:
    with lite.write() as session:
        resumed = resume(session, begun(session, lite_school).secret, NOW)
    assert resumed is not None

    def busy() -> None:
        raise StoreUnavailableError("a database that is busy", wanted="another")

    monkeypatch.setattr(lite, "write", busy)
    touch(lite, resumed, NOW + DAY)


def test_signing_out_ends_the_session_at_once_and_once(database: Database, school: School) -> None:
    with database.write() as session:
        made, other = begun(session, school), begun(session, school)
        assert end_session(session, made.secret, NOW)
        assert not end_session(session, made.secret, NOW)
        assert not end_session(session, "nothing", NOW)
        assert resume(session, made.secret, NOW) is None
        assert resume(session, other.secret, NOW) is not None


def test_a_touch_that_comes_late_does_not_open_an_ended_session(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        made = begun(session, lite_school)
        resumed = resume(session, made.secret, NOW)
        assert resumed is not None
        end_session(session, made.secret, NOW)
    touch(lite, resumed, NOW + timedelta(hours=1))
    with lite.read() as session:
        assert session.scalar(select(PageSession.seen_at)) == NOW
        assert resume(session, made.secret, NOW + timedelta(hours=1)) is None


def test_an_administrator_or_the_person_signs_them_out_everywhere(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        teachers = [begun(session, lite_school) for _ in range(2)]
        coachs = begun(session, lite_school, lite_school.coach)
        link = issue_link(session, lite_school.operator, lite_school.teacher.id, now=NOW)
        with pytest.raises(NotFoundError):
            end_sessions_of(session, lite_school.coach, lite_school.teacher.id, NOW)
        assert end_sessions_of(session, lite_school.administrator, lite_school.teacher.id, NOW) == 2
        assert [resume(session, one.secret, NOW) for one in teachers] == [None, None]
        assert use_link(session, link.secret, NOW) is None
        assert resume(session, coachs.secret, NOW) is not None
        assert end_sessions_of(session, lite_school.coach, lite_school.coach.id, NOW) == 1


def test_no_secret_is_in_the_database_or_in_the_text_of_an_object(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        link = issue_link(session, lite_school.operator, lite_school.teacher.id)
        made = use_link(session, link.secret)
        assert made is not None
        assert link.secret not in repr(link)
        assert made.secret not in repr(made)
        rows = "".join(str(session.execute(select(table)).all()) for table in METADATA.sorted_tables)
        document = str(export_person(session, lite_school.teacher, lite_school.teacher.id))
    folder = Path(str(lite.engine.url.database))
    content = folder.read_bytes() + Path(f"{folder}-wal").read_bytes()
    for secret in (link.secret, made.secret):
        assert secret not in rows + document
        assert secret.encode() not in content


def test_signing_in_is_in_the_record_and_the_export_of_the_person(database: Database, school: School) -> None:
    with database.write() as session:
        link = issue_link(session, school.administrator, school.teacher.id, now=NOW)
        made = use_link(session, link.secret, NOW)
        assert made is not None
        end_session(session, made.secret, NOW + DAY)
        events = events_about(session, school.teacher, school.teacher.id)[-3:]
        assert [(e.action, e.actor_id, e.subject_id, dict(e.facts)) for e in events] == [
            ("sign_in.link_issued", school.administrator.id, link.id, {}),
            ("sign_in.begun", school.teacher.id, made.id, {"how": "link"}),
            ("sign_in.ended", school.teacher.id, made.id, {}),
        ]
        seen = sign_ins_of(session, school.teacher, school.teacher.id)
        assert [(one.how, one.created_at, one.ended_at) for one in seen] == [("link", NOW, NOW + DAY)]
        assert sign_ins_of(session, school.administrator, school.teacher.id) == []
        assert len(export_person(session, school.teacher, school.teacher.id)["sign_ins"]) == 1


def test_sessions_and_links_go_with_the_person_and_a_deleted_administrator_is_not_named(database, school) -> None:
    with database.write() as session:
        issue_link(session, school.administrator, school.teacher.id, now=NOW)
        issue_link(session, school.administrator, school.coach.id, now=NOW)
        made = begun(session, school)
        delete_person(session, school.operator, school.teacher.id)
        assert resume(session, made.secret, NOW) is None
        assert session.scalars(select(SignInLink.person_id)).all() == [school.coach.id]
        delete_person(session, school.operator, school.administrator.id)
        assert session.scalars(select(SignInLink.issued_by)).all() == [None]


def test_what_is_over_for_thirty_days_is_deleted(database: Database, school: School) -> None:
    with database.write() as session:
        made = begun(session, school)
        end_session(session, made.secret, NOW)
        begun(session, school, school.coach)
        issue_link(session, school.operator, school.teacher.id, now=NOW)
    run_retention(database, 12, NOW + 30 * DAY)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(PageSession)) == 2
    run_retention(database, 12, NOW + 30 * DAY + timedelta(seconds=1))
    with database.read() as session:
        assert session.scalars(select(PageSession.person_id)).all() == [school.coach.id]
        assert session.scalar(select(func.count()).select_from(SignInLink)) == 1
    run_retention(database, 12, NOW + 38 * DAY)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(PageSession)) == 0
        assert session.scalar(select(func.count()).select_from(SignInLink)) == 0


def test_the_provider_finds_a_person_by_verified_address_once_and_by_its_own_name_after_that(database, school) -> None:
    with database.write() as session:
        ada = create_person(session, school.operator, "Ada", ["teacher"], email="Ada@North.example")
        find = (session, school.tenant_id)
        assert person_of_provider(*find, "sub-1", None) is None
        assert person_of_provider(*find, "sub-1", "nobody@north.example") is None
        assert person_of_provider(*find, "sub-1", "ADA@north.example") == ada
        assert person_of_provider(*find, "sub-1", None) == ada
        assert person_of_provider(*find, "sub-1", "new@north.example") == ada
        # The address was given to somebody else at the provider: it opens nothing.
        assert person_of_provider(*find, "sub-2", "ada@north.example") is None
        assert person_of_provider(*find, "", "ada@north.example") is None
        assert person_of_provider(*find, "s" * 256, "ada@north.example") is None
        other = make_school(session, "South")
        assert person_of_provider(session, other.tenant_id, "sub-1", "ada@north.example") is None
        mark_left(session, school.operator, ada)
        assert person_of_provider(*find, "sub-1", None) is None


def test_two_people_of_a_tenant_cannot_have_one_name_at_the_provider(database: Database, school: School) -> None:
    with pytest.raises(ConflictError), database.write() as session:
        session.execute(update(Person).where(Person.tenant_id == school.tenant_id).values(provider_subject="sub-1"))


def test_a_demo_tenant_says_so_to_whoever_is_signed_in(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        session.execute(update(Tenant).where(Tenant.id == lite_school.tenant_id).values(is_demo=True))
        resumed = resume(session, begun(session, lite_school).secret, NOW)
        assert resumed is not None
        assert resumed.is_demo
        assert create_tenant(session, "Plain")


def test_the_way_back_takes_the_role_of_safeguarding_leads_and_keeps_the_others(empty_database: Database) -> None:
    upgrade(empty_database, "0006_sign_in")
    with empty_database.write() as session:
        session.execute(insert(Tenant).values(id="T" * 26, name="North", created_at=NOW))
        session.execute(insert(Person).values(tenant_id="T" * 26, id="P" * 26, name="Ada", created_at=NOW))
        for role in ("coach", "safeguarding"):
            session.execute(insert(PersonRole).values(tenant_id="T" * 26, person_id="P" * 26, role=role))
    downgrade(empty_database, "0005_texts_and_events")
    roles = text("SELECT role FROM person_roles")
    with empty_database.engine.connect() as connection:
        assert connection.scalars(roles).all() == ["coach"]
    upgrade(empty_database, "0006_sign_in")
    with empty_database.engine.connect() as connection:
        assert connection.scalars(roles).all() == ["coach"]


@pytest.fixture
def run(lite: Database, monkeypatch: pytest.MonkeyPatch):
    from service.store.admin_commands import admin_app

    monkeypatch.setenv("GROWTH_DATABASE", f"sqlite:///{lite.engine.url.database}")
    monkeypatch.setenv("GROWTH_PUBLIC_URL", "http://localhost:9000")

    def call(*words: str, ends: int = 0):
        done = CliRunner().invoke(admin_app, ["person", *words, "--tenant", "North"])
        assert done.exit_code == ends, done.output
        return done

    return call


def test_a_person_is_created_listed_given_a_link_and_signed_out_by_command(lite, lite_school, run) -> None:
    lead = run("create", "Sal [bold]", "--role", "safeguarding").stdout.strip()
    listed = " ".join(run("list").stdout.split())
    assert lead[:10] in listed.replace(" ", "")
    assert "safeguarding" in listed
    made = run("link", lead, "--minutes", "30")
    address = made.stdout.strip()
    secret = address.removeprefix("http://localhost:9000/sign-in/link?token=")
    assert len(secret) == 43
    assert secret not in made.stderr
    assert f"{utc_now():%Y}" in made.stderr
    with lite.write() as session:
        assert use_link(session, secret) is not None
    assert "1 sessions ended" in run("sign-out", lead).stderr
    assert "no person" in " ".join(run("link", "X" * 26, ends=2).stderr.split())


def test_the_lifetimes_are_those_that_are_promised() -> None:
    assert timedelta(hours=12) == sessions.IDLE
    assert timedelta(days=7) == sessions.LONGEST
