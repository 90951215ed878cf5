from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select
from store_rows import NOW, School, make_school

from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.consents import (
    consents_of,
    give_consent,
    people_agreeing,
    scopes_in_force,
    scopes_open_to,
    withdraw_consent,
)
from service.store.database import Database
from service.store.deletion import delete_person
from service.store.errors import ConflictError, NotAllowedError
from service.store.events import events_about
from service.store.export import export_person
from service.store.people import mark_left
from service.store.tables.consents import Consent
from service.store.tables.events import Event
from service.store.use import COUNTED_ACTIONS, administrative_events

LATER = NOW + timedelta(days=3)


def in_force(session, actor: Actor, **of) -> set[str]:
    return set(scopes_in_force(consents_of(session, actor, **of)))


def agreeing(session, school: School, scope: str) -> set[str | None]:
    return set(session.scalars(people_agreeing(school.tenant_id, scope)))


def test_nobody_has_agreed_to_anything_before_they_say_so(database: Database, school: School) -> None:
    with database.read() as session:
        for actor in (school.teacher, school.coach, school.administrator):
            assert consents_of(session, actor) == []
        assert consents_of(session, school.administrator, of_tenant=True) == []
        assert agreeing(session, school, "decisions") == agreeing(session, school, "words") == set()


def test_a_consent_is_ones_own_and_again_changes_nothing(database: Database, school: School) -> None:
    with database.write() as session:
        give_consent(session, school.teacher, "decisions", now=NOW)
        give_consent(session, school.teacher, "decisions", now=LATER)
        assert [(c.scope, c.given_at, c.withdrawn_at) for c in consents_of(session, school.teacher)] == [
            ("decisions", NOW, None)
        ]
        assert consents_of(session, school.coach) == []
        assert in_force(session, school.administrator, of_tenant=True) == set()
        assert agreeing(session, school, "decisions") == {school.teacher.id}
        assert agreeing(session, school, "words") == set()


def test_what_is_taken_back_stays_on_record_and_given_anew_is_another_one(database: Database, school: School) -> None:
    with database.write() as session:
        give_consent(session, school.teacher, "decisions", now=NOW)
        withdraw_consent(session, school.teacher, "decisions", now=LATER)
        withdraw_consent(session, school.teacher, "decisions", now=LATER + timedelta(1))
        assert in_force(session, school.teacher) == set()
        assert agreeing(session, school, "decisions") == set()
        give_consent(session, school.teacher, "decisions", now=LATER + timedelta(2))
        given = consents_of(session, school.teacher)
        assert [(c.given_at, c.withdrawn_at) for c in given] == [(NOW, LATER), (LATER + timedelta(2), None)]


def test_words_stand_on_decisions_and_go_with_them(database: Database, school: School) -> None:
    for actor, of in ((school.teacher, {}), (school.administrator, {"of_tenant": True})):
        with database.write() as session, pytest.raises(ConflictError):
            give_consent(session, actor, "words", **of)
        with database.write() as session:
            give_consent(session, actor, "decisions", **of)
            give_consent(session, actor, "words", **of)
            withdraw_consent(session, actor, "words", **of)
            assert in_force(session, actor, **of) == {"decisions"}
            give_consent(session, actor, "words", **of)
            withdraw_consent(session, actor, "decisions", **of)
            assert in_force(session, actor, **of) == set()
            give_consent(session, actor, "decisions", **of)
            # Agreeing to decisions again does not bring the words back silently.
            assert in_force(session, actor, **of) == {"decisions"}


def test_each_role_agrees_only_to_what_is_its_own(database: Database, school: School) -> None:
    assert scopes_open_to(school.teacher) == ("decisions", "words")
    assert scopes_open_to(school.coach) == ("decisions",)
    assert scopes_open_to(school.administrator) == ()
    app = Actor(school.tenant_id, "app", "sis", scopes=frozenset({"write", "admin"}))
    with database.write() as session:
        give_consent(session, school.coach, "decisions")
    refused = [
        (school.coach, "words", {}), (school.administrator, "decisions", {}), (app, "decisions", {}),
        (school.operator, "decisions", {}), (school.teacher, "decisions", {"of_tenant": True}),
        (school.coach, "decisions", {"of_tenant": True}), (app, "decisions", {"of_tenant": True}),
        (school.operator, "decisions", {"of_tenant": True}),
    ]  # fmt: skip
    for actor, scope, of in refused:
        with database.write() as session, pytest.raises(NotAllowedError):
            give_consent(session, actor, scope, **of)
        if of or actor.kind != "person":
            with database.write() as session, pytest.raises(NotAllowedError):
                withdraw_consent(session, actor, scope, **of)
    with database.write() as session, pytest.raises(CaseError):
        give_consent(session, school.teacher, "everything")  # type: ignore[arg-type]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Consent)) == 1


def test_the_tables_refuse_a_second_consent_that_is_in_force(database: Database, school: School) -> None:
    for kind, person_id in (("P", school.teacher.id), ("T", None)):
        row = {"tenant_id": school.tenant_id, "person_id": person_id, "scope": "decisions", "given_at": NOW}
        with database.write() as session:
            for number, withdrawn_at in (("1", LATER), ("2", LATER), ("3", None)):
                values = row | {"id": kind + number * 25, "withdrawn_at": withdrawn_at}
                session.execute(insert(Consent).values(values))
        with pytest.raises(ConflictError), database.write() as session:
            session.execute(insert(Consent).values(row | {"id": kind + "4" * 25}))


def test_who_has_left_agrees_to_nothing_any_more(database: Database, school: School) -> None:
    with database.write() as session:
        give_consent(session, school.coach, "decisions")
        mark_left(session, school.administrator, school.coach.id)
        assert agreeing(session, school, "decisions") == set()


def test_events_tell_the_person_and_the_schools_own_is_in_the_log_of_administration(
    database: Database, school: School
) -> None:
    with database.write() as session:
        give_consent(session, school.administrator, "decisions", of_tenant=True, now=NOW)
        give_consent(session, school.teacher, "decisions", now=NOW)
        give_consent(session, school.teacher, "words", now=NOW)
        withdraw_consent(session, school.teacher, "decisions", now=LATER)
        withdraw_consent(session, school.administrator, "decisions", of_tenant=True, now=LATER)
        events = [e for e in events_about(session, school.teacher, school.teacher.id) if e.subject_kind == "consent"]
        # Ids of one millisecond have no order.
        assert sorted((event.action, event.facts["scope"]) for event in events) == [
            ("consent.given", "decisions"), ("consent.given", "words"),
            ("consent.withdrawn", "decisions"), ("consent.withdrawn", "words"),
        ]  # fmt: skip
        log = [event.action for event in administrative_events(session, school.administrator).items]
        assert {"tenant.consent_given", "tenant.consent_withdrawn"} <= set(log)
        # Who said yes is nobody else's business, not even as a number.
        assert not [action for action in (*log, *COUNTED_ACTIONS) if action.startswith("consent.")]


def test_the_export_shows_every_consent_and_deleting_a_person_takes_them_along(
    database: Database, school: School
) -> None:
    with database.write() as session:
        other = make_school(session, "South")
        give_consent(session, other.teacher, "decisions", now=NOW)
        give_consent(session, school.administrator, "decisions", of_tenant=True, now=NOW)
        give_consent(session, school.teacher, "decisions", now=NOW)
        give_consent(session, school.teacher, "words", now=NOW)
        withdraw_consent(session, school.teacher, "words", now=LATER)
        document = export_person(session, school.teacher, school.teacher.id, LATER)
        assert [(c["scope"], c["withdrawn_at"]) for c in document["consents"]] == [
            ("decisions", None), ("words", LATER.isoformat()),
        ]  # fmt: skip
    with database.write() as session:
        delete_person(session, school.operator, school.teacher.id)
        delete_person(session, school.operator, school.administrator.id)
        left = session.execute(select(Consent.tenant_id, Consent.person_id, Consent.given_by)).all()
        # The school's own consent outlives the administrator who gave it, without their name.
        assert sorted(left, key=str) == sorted(
            [(school.tenant_id, None, None), (other.tenant_id, other.teacher.id, other.teacher.id)], key=str
        )
        events = session.scalars(select(Event.action).where(Event.person_id == school.teacher.id)).all()
        assert "consent.given" in events
