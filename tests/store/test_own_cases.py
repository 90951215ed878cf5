from __future__ import annotations

from datetime import timedelta

from store_rows import NOW, STRUGGLE, School, add_teacher, stored

from service.store.cases import add_ranking, get_case
from service.store.choices import record_choice
from service.store.database import Database
from service.store.own_cases import own_cases
from service.store.shares import share_case


def test_a_teacher_finds_their_own_cases_latest_first_and_nobody_elses(database: Database, school: School) -> None:
    with database.write() as session:
        other = add_teacher(session, school, "Other")
        first = stored(session, school.teacher)
        second = stored(session, school.teacher, "They talk over me. All of them.", NOW + timedelta(hours=1))
        foreign = stored(session, other, now=NOW + timedelta(hours=2))
        share_case(session, other, foreign.case_id, school.coach.id, NOW)
    with database.read() as session:
        lines = own_cases(session, school.teacher).items
        assert [line.id for line in lines] == [second.case_id, first.case_id]
        assert [line.struggle for line in lines] == ["They talk over me. All of them.", STRUGGLE]
        assert [(line.status, line.chosen, line.texts_deleted_at) for line in lines] == [("ranked", None, None)] * 2
        # A coach sees the shared case, and it is not theirs.
        assert get_case(session, school.coach, foreign.case_id).id == foreign.case_id
        assert own_cases(session, school.coach).items == []


def test_a_line_has_the_latest_status_and_the_skill_taken_last(database: Database, school: School) -> None:
    with database.write() as session:
        case = stored(session, school.teacher)
        for hour, (skill, decision) in enumerate(
            [("cold-calling", "chosen"), ("wait-time", "chosen"), ("hinge-questions", "declined")]
        ):
            record_choice(
                session, school.teacher, case.case_id, case.ranking_id, skill, decision,  # type: ignore[arg-type]
                now=NOW + timedelta(hours=hour),
            )  # fmt: skip
        shown = get_case(session, school.teacher, case.case_id).rankings[0].ranking
        later = shown.model_copy(update={"ranking_id": None, "status": "not_enough", "suggestions": []})
        add_ranking(session, school.teacher, case.case_id, later, now=NOW + timedelta(hours=3))
    with database.read() as session:
        (line,) = own_cases(session, school.teacher).items
    assert (line.status, line.chosen) == ("not_enough", "wait-time")


def test_the_list_goes_on_where_it_ended(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        made = [stored(session, lite_school.teacher, now=NOW + timedelta(hours=hour)).case_id for hour in range(5)]
    found, after = [], None
    with lite.read() as session:
        for _ in range(3):
            part = own_cases(session, lite_school.teacher, after=after, limit=2)
            found += [line.id for line in part.items]
            after = part.next
    assert after is None
    assert found == made[::-1]
