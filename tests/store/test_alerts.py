from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from store_rows import NOW, School, a_case, a_ranking, add_teacher, make_school, stored

from service.store.actors import Actor, person_actor
from service.store.alerts import list_alerts, mark_seen, own_alerts, raise_alert
from service.store.cases import store_case
from service.store.database import Database
from service.store.deletion import delete_case, delete_person
from service.store.errors import NotAllowedError, NotFoundError
from service.store.events import events_about
from service.store.export import export_person
from service.store.people import create_person
from service.store.retention import run_retention
from service.store.tables.care import Alert


def lead(session, school: School, name: str = "Lead") -> Actor:
    person_id = create_person(session, school.operator, name, ["safeguarding"], now=NOW)
    return person_actor(session, school.tenant_id, person_id)


def test_the_lead_sees_whose_alert_it_is_and_when_and_nothing_of_the_case(database: Database, school: School) -> None:
    with database.write() as session:
        who = lead(session, school)
        made = stored(session, school.teacher)
        first = raise_alert(session, school.teacher, school.teacher.id, made.case_id, NOW)
        second = raise_alert(session, school.teacher, school.teacher.id, now=NOW + timedelta(hours=1))
        lines = list_alerts(session, who).items
        assert [line.id for line in lines] == [second, first]
        assert (lines[1].person_name, lines[1].raised_at, lines[1].seen_at) == ("North teacher", NOW, None)
        assert made.case_id not in str(lines)
        mark_seen(session, who, first, NOW + timedelta(1))
        mark_seen(session, lead(session, school, "Second lead"), first, NOW + timedelta(2))
        line = list_alerts(session, who).items[1]
        events = events_about(session, school.teacher, school.teacher.id)
    assert (line.seen_at, line.seen_by_name) == (NOW + timedelta(1), "Lead")
    assert [event.action for event in events if event.action.startswith("alert.")] == [
        "alert.raised", "alert.raised", "alert.seen"]  # fmt: skip


def test_alerts_are_for_the_lead_of_this_school_alone(database: Database, school: School) -> None:
    app = Actor(school.tenant_id, "app", "sis", scopes=frozenset({"write", "admin"}))
    with database.write() as session:
        alert_id = raise_alert(session, school.teacher, school.teacher.id, now=NOW)
        for nobody in (school.teacher, school.coach, school.administrator, school.operator, app):
            with pytest.raises(NotAllowedError):
                list_alerts(session, nobody)
            with pytest.raises(NotAllowedError):
                mark_seen(session, nobody, alert_id)
        stranger = lead(session, make_school(session, "South"))
        assert list_alerts(session, stranger).items == []
        with pytest.raises(NotFoundError):
            mark_seen(session, stranger, alert_id)
        assert list_alerts(session, lead(session, school)).items[0].seen_at is None


def test_nobody_raises_an_alert_about_somebody_else_or_their_case(database: Database, school: School) -> None:
    app, other_app = (Actor(school.tenant_id, "app", name, scopes=frozenset({"write"})) for name in ("sis", "lms"))
    with database.write() as session:
        other = add_teacher(session, school, "Al")
        made = stored(session, school.teacher)
        sent = store_case(session, app, a_case(teacher_id="t-teacher"), a_ranking(), now=NOW)
        assert raise_alert(session, app, school.teacher.id, sent.case_id)
        for actor, person_id, case_id in (
            (other, school.teacher.id, None),
            (other, other.id, made.case_id),
            (school.teacher, other.id, made.case_id),
            (school.coach, school.teacher.id, None),
            (app, school.teacher.id, None),
            (other_app, school.teacher.id, sent.case_id),
        ):
            with pytest.raises(NotFoundError):
                raise_alert(session, actor, person_id, case_id)
        assert session.scalar(select(func.count()).select_from(Alert)) == 1


def test_the_list_goes_on_where_it_ended(database: Database, school: School) -> None:
    with database.write() as session:
        who = lead(session, school)
        for hour in range(5):
            raise_alert(session, school.teacher, school.teacher.id, now=NOW + timedelta(hours=hour))
        seen, after = [], None
        while True:
            page = list_alerts(session, who, after, 2)
            seen += [line.raised_at for line in page.items]
            if (after := page.next) is None:
                break
    assert seen == [NOW + timedelta(hours=hour) for hour in (4, 3, 2, 1, 0)]


def test_an_alert_outlives_its_case_and_goes_with_its_person_or_its_time(database: Database, school: School) -> None:
    with database.write() as session:
        who = lead(session, school)
        made = stored(session, school.teacher)
        raise_alert(session, school.teacher, school.teacher.id, made.case_id, NOW)
        assert export_person(session, school.teacher, school.teacher.id)["alerts"][0]["case_id"] == made.case_id
        delete_case(session, school.teacher, made.case_id)
        assert [alert.case_id for alert in own_alerts(session, school.teacher)] == [None]
        alert_id = list_alerts(session, who).items[0].id
        mark_seen(session, who, alert_id, NOW)
        delete_person(session, school.operator, who.id)
        assert own_alerts(session, school.teacher)[0].seen_at == NOW
        other = add_teacher(session, school, "Al")
        raise_alert(session, other, other.id, now=NOW + timedelta(days=30))
        delete_person(session, other, other.id)
        assert len(session.scalars(select(Alert.id)).all()) == 1
    run_retention(database, 12, NOW + timedelta(days=365))
    with database.read() as session:
        assert len(own_alerts(session, school.teacher)) == 1
    run_retention(database, 12, NOW + timedelta(days=367))
    with database.read() as session:
        assert own_alerts(session, school.teacher) == []
