from __future__ import annotations

from datetime import date, timedelta

import pytest
from page_reading import form, forms, visible
from shared_moments import casework, open_moment

from service.store.actors import operator, person_actor
from service.store.cases import get_case
from service.store.cycles import end_cycle
from service.store.database import utc_now
from service.store.export import export_person
from service.store.links import create_link, end_link
from service.store.people import create_person
from service.store.practice import add_check_in, check_ins_of, follow_ups_of
from service.store.shares import revoke_case, revoke_cycle, share_cycle


def begin_practice(school_app, who="teacher", coaches=("coach",)):
    """A teacher's practice of the first skill that was suggested, shared with these coaches; its address for them."""
    opened, teacher = open_moment(school_app, who), school_app.people[who]
    with school_app.database.read() as session:
        skill = get_case(session, teacher, opened.case_id).rankings[0].ranking.suggestions[0]
    focus = casework(school_app).choose(teacher, opened.case_id, opened.ranking_id, skill.skill_id)
    with school_app.database.write() as session:
        for coach in coaches:
            share_cycle(session, teacher, focus.cycle_id, school_app.people[coach].id)
    return Begun(opened.case_id, focus.cycle_id, skill.name)


class Begun:
    def __init__(self, case_id, cycle_id, skill):
        self.case_id, self.cycle_id, self.skill = case_id, cycle_id, skill
        self.path = f"/coach/practice/{cycle_id}"


@pytest.fixture
def practice(school_app):
    return begin_practice(school_app)


@pytest.fixture
def coach(school_app):
    return school_app.client_as("coach")


def kept(school_app, practice):
    with school_app.database.read() as session:
        teacher = school_app.people["teacher"]
        return check_ins_of(session, teacher, practice.cycle_id), follow_ups_of(session, teacher, practice.cycle_id)


def check_in_form(coach, practice):
    return form(coach.get(practice.path).text, "/check-ins").fields


def look_form(coach, practice):
    return form(coach.get(practice.path).text, "/follow-ups").fields


def test_a_shared_practice_is_shown_with_its_teacher_skill_and_nudge(coach, practice):
    text = visible(coach.get(practice.path).text)
    assert f"Tess Teacher practices: {practice.skill}" in text
    assert "Feedback within two days helps most." in text
    page = coach.get(practice.path).text
    # Ending and sharing are the teacher's.
    assert forms(page, "/end") == forms(page, "/shares") == []


def test_only_the_coach_it_is_shared_with_sees_a_practice(school_app, coach, practice):
    with school_app.database.write() as session:
        revoke_cycle(session, school_app.people["teacher"], practice.cycle_id, school_app.people["coach"].id)
    assert coach.get(practice.path).status_code == 404
    assert coach.get("/coach/practice/01JZZZZZZZZZZZZZZZZZZZZZZZ").status_code == 404
    assert school_app.client_as("other_coach").get(practice.path).status_code == 404
    for who in ("teacher", "administrator", "safeguarding", "outsider"):
        assert school_app.client_as(who).get(practice.path).status_code == 403
    assert school_app.signed_out().get(practice.path).status_code == 303


@pytest.mark.parametrize("way", ["revoke", "unlink"])
def test_taking_it_back_hides_page_and_forms_at_once(school_app, coach, practice, way):
    teacher = school_app.people["teacher"]
    check_in, look = check_in_form(coach, practice) | {"times": "1"}, look_form(coach, practice)
    with school_app.database.write() as session:
        if way == "revoke":
            revoke_cycle(session, teacher, practice.cycle_id, school_app.people["coach"].id)
        else:
            end_link(session, teacher, school_app.link_id)
    assert coach.get(practice.path).status_code == 404
    assert coach.post(f"{practice.path}/check-ins", data=check_in).status_code == 404
    assert coach.post(f"{practice.path}/follow-ups", data=look).status_code == 404
    assert kept(school_app, practice) == ([], [])


def test_a_coach_who_also_teaches_has_no_coachs_page_of_their_own_practice(school_app):
    with school_app.database.write() as session:
        root = operator(session, school_app.tenant_id)
        bo = create_person(session, root, "Bo Both", ["coach", "teacher"])
        school_app.people["both"] = person_actor(session, school_app.tenant_id, bo)
        create_link(session, root, school_app.people["coach"].id, bo)
    begun = begin_practice(school_app, "both")
    assert school_app.client_as("coach").get(begun.path).status_code == 200
    assert school_app.client_as("both").get(begun.path).status_code == 404


def test_a_coachs_check_in_is_on_both_pages(school_app, coach, practice):
    sent = check_in_form(coach, practice) | {"times": "3", "note": "Two more hands by Friday."}
    answer = coach.post(f"{practice.path}/check-ins", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{practice.path}?done=check_in")
    assert "Saved. Tess Teacher sees the check-in now." in visible(coach.get(answer.headers["location"]).text)
    teacher = school_app.client_as("teacher")
    for page in (coach.get(practice.path), teacher.get(f"/practice/{practice.cycle_id}")):
        assert "Two more hands by Friday." in visible(page.text)
    assert coach.post(f"{practice.path}/check-ins", data=sent).status_code == 303
    ((check_in,), _) = kept(school_app, practice)
    assert (check_in.times_tried, check_in.person_id) == (3, school_app.people["coach"].id)


def test_a_coachs_look_at_a_lesson_counts_the_signs_that_were_ticked(school_app, coach, practice):
    sent = look_form(coach, practice) | {"phase": "baseline", "seen": ["0", "1"], "note": "At the start."}
    answer = coach.post(f"{practice.path}/follow-ups", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{practice.path}?done=follow_up")
    assert "sees this look at a lesson now." in visible(coach.get(answer.headers["location"]).text)
    (_, (look,)) = kept(school_app, practice)
    signs = school_app.app.state.model.recommender.catalogue
    looked_for = next(len(skill.look_fors) for skill in signs if skill.name == practice.skill)
    assert (look.phase, look.seen, look.looked_for) == ("baseline", 2, looked_for)
    assert look.observer_id == school_app.people["coach"].id


@pytest.mark.parametrize(
    "wrong", [{"times": ""}, {"times": "101"}, {"times": "-1"}, {"times": "2", "day": "2999-01-01"}, {"day": "x"}]
)
def test_a_check_in_that_cannot_be_comes_back_as_it_was_typed(school_app, coach, practice, wrong):
    sent = check_in_form(coach, practice) | {"times": "2", "note": "Kept, please."} | wrong
    answer = coach.post(f"{practice.path}/check-ins", data=sent)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert form(answer.text, "/check-ins").fields.items() >= {k: sent[k] for k in ("times", "day", "note")}.items()
    assert kept(school_app, practice) == ([], [])


def test_a_look_in_the_future_comes_back_with_its_ticks(school_app, coach, practice):
    day = (utc_now() + timedelta(days=3)).date().isoformat()
    sent = look_form(coach, practice) | {"phase": "follow_up", "day": day, "seen": "0", "note": "Kept."}
    answer = coach.post(f"{practice.path}/follow-ups", data=sent)
    assert answer.status_code == 422
    shown = form(answer.text, "/follow-ups").fields
    assert (shown["day"], shown["seen"], shown["note"], shown["phase"]) == (day, "0", "Kept.", "follow_up")
    assert kept(school_app, practice) == ([], [])


def test_sharing_a_practice_does_not_share_the_moment_behind_it(school_app, coach, practice):
    link = f'href="/coach/moments/{practice.case_id}"'
    assert link in coach.get(practice.path).text
    with school_app.database.write() as session:
        revoke_case(session, school_app.people["teacher"], practice.case_id, school_app.people["coach"].id)
    assert link not in coach.get(practice.path).text
    assert coach.get(f"/coach/moments/{practice.case_id}").status_code == 404


def test_an_ended_practice_can_be_read_and_says_how_it_ended(school_app, coach, practice):
    with school_app.database.write() as session:
        end_cycle(session, school_app.people["teacher"], practice.cycle_id, "finished", utc_now().date())
    page = coach.get(practice.path)
    assert page.status_code == 200
    assert "Feedback within two days" not in page.text
    assert forms(page.text, "/check-ins") == []


def test_notes_are_shown_as_text(school_app, coach, practice):
    with school_app.database.write() as session:
        add_check_in(
            session, school_app.people["teacher"], practice.cycle_id, utc_now().date(), 1, note="<script>x</script>"
        )
    page = coach.get(practice.path).text
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_everything_the_page_shows_of_a_teacher_is_in_their_export(school_app, coach, practice):
    teacher = school_app.people["teacher"]
    today = utc_now().date()
    with school_app.database.write() as session:
        add_check_in(session, teacher, practice.cycle_id, today, 4, note="It went well twice.")
    look = look_form(coach, practice) | {"phase": "follow_up", "seen": "0", "note": "Hands went up."}
    coach.post(f"{practice.path}/follow-ups", data=look)
    text = visible(coach.get(practice.path).text)
    with school_app.database.read() as session:
        (cycle,) = export_person(session, teacher, teacher.id)["cycles"]
    (check_in,), (seen,) = cycle["check_ins"], cycle["follow_ups"]
    assert check_in["note"] in text and seen["note"] in text
    assert (check_in["times_tried"], date.fromisoformat(check_in["happened_on"])) == (4, today)
    assert f"{seen['seen']} of {seen['looked_for']}" in text
    assert cycle["weeks"] == 6 and "of 6" in text
