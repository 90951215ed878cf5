from __future__ import annotations

from store_rows import NOW, School, add_teacher, make_school

from service.store.actors import Actor
from service.store.database import Database
from service.store.links import end_link
from service.store.names import known_names


def test_two_who_are_linked_know_each_others_names_and_no_one_elses(database: Database, school: School) -> None:
    with database.write() as session:
        second = add_teacher(session, school, "Zoe Second")
        asked = [school.teacher.id, second.id, school.coach.id, school.administrator.id, None, "nobody"]
        of_coach, of_teacher = (known_names(session, who, asked) for who in (school.coach, school.teacher))
    names = {school.teacher.id: "North teacher", second.id: "Zoe Second", school.coach.id: "North coach"}
    assert of_coach == names
    assert of_teacher == {person_id: names[person_id] for person_id in (school.teacher.id, school.coach.id)}


def test_a_name_is_known_no_more_when_the_link_has_ended(database: Database, school: School) -> None:
    with database.write() as session:
        end_link(session, school.administrator, school.link_id, NOW)
        session.flush()
        assert known_names(session, school.teacher, [school.coach.id]) == {}


def test_an_administrator_knows_everybody_of_the_tenant_and_an_app_nobody(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        other = make_school(session, "South")
        asked = [lite_school.teacher.id, other.teacher.id]
        assert known_names(session, lite_school.administrator, asked) == {lite_school.teacher.id: "North teacher"}
        assert known_names(session, Actor(lite_school.tenant_id, "app", "gradebook"), asked) == {}


def test_names_of_more_people_than_one_statement_takes_are_all_found(lite: Database, lite_school: School) -> None:
    asked = [f"nobody-{number}" for number in range(600)] + [lite_school.teacher.id]
    with lite.read() as session:
        assert known_names(session, lite_school.coach, asked) == {lite_school.teacher.id: "North teacher"}
