from __future__ import annotations

import re
from datetime import timedelta

import pytest
from page_reading import visible
from school_app import STRUGGLE
from shared_moments import NOW, casework, open_moment

from service.pages.coach_queue import GROUPS, LINES, next_moment
from service.store.actors import operator, person_actor
from service.store.cases import asked_again, get_case, store_case
from service.store.choices import record_choice
from service.store.contests import raise_contest
from service.store.deletion import delete_case
from service.store.links import create_link, end_link
from service.store.people import create_person
from service.store.reviews import SkillChange, record_review
from service.store.shares import revoke_case, share_case, share_cycle

DAY = timedelta(days=1)


def cases_on(page):
    return re.findall(r'href="/coach/moments/(\w+)"', page)


def group(page, state):
    """A group of the page; empty where it is not shown."""
    found = re.search(rf'(?s)<section[^>]*aria-labelledby="state-{state}".*?</section>', page)
    return found.group() if found else ""


def suggested(school_app, case_id):
    with school_app.database.read() as session:
        return get_case(session, school_app.people["teacher"], case_id).rankings[-1].ranking


def review(school_app, opened, now=None, coach="coach"):
    with school_app.database.write() as session:
        ranking = suggested(school_app, opened.case_id)
        keeps = [SkillChange(suggestion.skill_id, "keep") for suggestion in ranking.suggestions]
        record_review(session, school_app.people[coach], opened.case_id, ranking.ranking_id, keeps, now=now)


def test_an_empty_queue_says_what_happens_next(school_app):
    page = visible(school_app.client_as("coach").get("/coach").text)
    assert "Nothing to look at just now" in page
    assert "When a teacher shares a moment with you, it shows up here." in page


def test_a_moment_is_listed_with_name_day_and_first_words(school_app):
    opened = open_moment(school_app)
    page = school_app.client_as("coach").get("/coach").text
    assert cases_on(group(page, "new")) == [opened.case_id]
    assert "Tess Teacher since 2 November 2026" in visible(page)
    assert STRUGGLE[:60] in visible(page)


def choose(school_app, opened, who="teacher"):
    ranking = suggested(school_app, opened.case_id)
    return casework(school_app).choose(
        school_app.people[who], opened.case_id, ranking.ranking_id, ranking.suggestions[0].skill_id
    )  # fmt: skip


def decided(school_app, count):
    """Moments that the teacher shared and chose a skill for, one a day; their ids, the earliest first."""
    opened = open_moment(school_app, coaches=())
    teacher = school_app.people["teacher"]
    with school_app.database.write() as session:
        view = get_case(session, teacher, opened.case_id)
        ranking = view.rankings[0].ranking.model_copy(update={"ranking_id": None})
        made = [store_case(session, teacher, asked_again(view), ranking, now=NOW) for _ in range(count)]
        for number, case in enumerate(made):
            day = NOW + number * DAY
            share_case(session, teacher, case.case_id, school_app.people["coach"].id, day)
            skill = ranking.suggestions[0].skill_id
            record_choice(session, teacher, case.case_id, case.ranking_id, skill, "chosen", now=day)
    return [case.case_id for case in made]


def test_a_moment_goes_from_new_to_waiting_to_changed_to_decided(school_app):
    opened = open_moment(school_app)
    browser, teacher = school_app.client_as("coach"), school_app.people["teacher"]

    def states():
        page = browser.get("/coach").text
        return [state for state in GROUPS if opened.case_id in cases_on(group(page, state))]

    assert states() == ["new"]
    review(school_app, opened)
    assert states() == ["waiting"]
    first = suggested(school_app, opened.case_id)
    casework(school_app).decline(teacher, opened.case_id, first.ranking_id, first.suggestions[0].skill_id)
    assert states() == ["changed"]
    choose(school_app, opened)
    assert states() == ["done"]
    second = suggested(school_app, opened.case_id)
    casework(school_app).decline(teacher, opened.case_id, second.ranking_id, second.suggestions[1].skill_id)
    assert states() == ["changed"]


def test_with_nothing_open_the_page_says_so_and_what_is_decided_lies_folded_below(school_app):
    opened = open_moment(school_app)
    choose(school_app, opened)
    browser = school_app.client_as("coach")
    page = browser.get("/coach").text
    assert "Nothing to look at just now" in page
    assert [state for state in GROUPS if group(page, state)] == ["done"]
    assert "<details><summary><h2" in group(page, "done")
    assert "The teacher has chosen a skill." in visible(group(page, "done"))
    assert STRUGGLE[:60] in visible(group(page, "done"))
    alone = browser.get("/coach?state=done").text
    assert cases_on(alone) == [opened.case_id]
    assert "<details" not in alone
    assert browser.get(f"/coach/moments/{opened.case_id}").status_code == 200


def test_decided_moments_come_latest_first_in_parts_without_gaps_or_repeats(school_app):
    ids = decided(school_app, LINES + 3)
    browser = school_app.client_as("coach")
    first = browser.get("/coach").text
    assert len(cases_on(group(first, "done"))) == LINES
    link = re.search(r'href="(/coach\?state=done&amp;after=[^"]+)"', first).group(1).replace("&amp;", "&")
    rest = browser.get(link).text
    assert cases_on(first) + cases_on(rest) == ids[::-1]
    assert "after=" not in rest
    assert browser.get("/coach?state=done&after=no-cursor").status_code == 422


def test_a_decided_moment_that_is_no_longer_shared_is_nowhere(school_app):
    teacher, coach = school_app.people["teacher"], school_app.people["coach"]
    revoked, deleted, unlinked = decided(school_app, 3)
    browser = school_app.client_as("coach")
    with school_app.database.write() as session:
        revoke_case(session, teacher, revoked, coach.id)
        delete_case(session, teacher, deleted)
    for path in ("/coach", "/coach?state=done"):
        assert cases_on(browser.get(path).text) == [unlinked]
    assert school_app.client_as("other_coach").get("/coach?state=done").text.count(unlinked) == 0
    with school_app.database.write() as session:
        end_link(session, teacher, school_app.link_id)
    assert cases_on(browser.get("/coach?state=done").text) == []
    for case_id in (revoked, deleted, unlinked):
        assert browser.get(f"/coach/moments/{case_id}").status_code == 404


def test_a_moment_that_is_shared_after_the_choice_is_among_the_decided(school_app):
    opened = open_moment(school_app, coaches=())
    choose(school_app, opened)
    with school_app.database.write() as session:
        share_case(session, school_app.people["teacher"], opened.case_id, school_app.people["coach"].id)
    page = school_app.client_as("coach").get("/coach").text
    assert cases_on(page) == cases_on(group(page, "done")) == [opened.case_id]


def test_each_state_is_in_the_order_of_its_days_whatever_the_address_asks_for(school_app):
    later = open_moment(school_app, now=NOW + DAY)
    first = open_moment(school_app, "other_teacher", now=NOW)
    last = open_moment(school_app, now=NOW + 2 * DAY)
    browser, expected = school_app.client_as("coach"), [first.case_id, later.case_id, last.case_id]
    for query in ("", "?sort=score", "?sort=-name&order=desc", "?state=new", "?state=best", "?after=x"):
        assert cases_on(group(browser.get(f"/coach{query}").text, "new")) == expected, query


def test_a_filter_shows_one_state_alone(school_app):
    answered, new = open_moment(school_app), open_moment(school_app, "other_teacher")
    review(school_app, answered)
    browser = school_app.client_as("coach")
    assert cases_on(browser.get("/coach?state=waiting").text) == [answered.case_id]
    assert cases_on(browser.get("/coach?state=new").text) == [new.case_id]
    assert cases_on(browser.get("/coach?state=changed").text) == []


def test_a_long_queue_comes_in_parts_without_gaps_or_repeats(school_app):
    opened = open_moment(school_app, coaches=())
    teacher = school_app.people["teacher"]
    with school_app.database.write() as session:
        view = get_case(session, teacher, opened.case_id)
        ids = [
            store_case(
                session, teacher, asked_again(view),
                view.rankings[0].ranking.model_copy(update={"ranking_id": None}), now=NOW,
            ).case_id
            for _ in range(LINES + 3)
        ]  # fmt: skip
        for number, case_id in enumerate(ids):
            share_case(session, teacher, case_id, school_app.people["coach"].id, NOW + number * DAY)
    browser = school_app.client_as("coach")
    first = browser.get("/coach").text
    link = re.search(r'href="(/coach\?state=new&amp;after=[^"]+)"', first).group(1).replace("&amp;", "&")
    rest = browser.get(link).text
    assert cases_on(first) + cases_on(rest) == ids
    assert "after=" not in rest
    assert browser.get("/coach?state=new&after=no-cursor").status_code == 422


def test_revoked_and_deleted_moments_and_those_of_an_ended_link_leave_the_queue_at_once(school_app):
    teacher, coach = school_app.people["teacher"], school_app.people["coach"]
    revoked, deleted, unlinked = (open_moment(school_app, now=NOW + n * DAY) for n in range(3))
    browser = school_app.client_as("coach")
    with school_app.database.write() as session:
        revoke_case(session, teacher, revoked.case_id, coach.id)
        delete_case(session, teacher, deleted.case_id)
    assert cases_on(browser.get("/coach").text) == [unlinked.case_id]
    with school_app.database.write() as session:
        end_link(session, teacher, school_app.link_id)
    assert cases_on(browser.get("/coach").text) == []


def test_an_objection_to_answer_is_on_top_also_when_its_moment_left_the_queue(school_app):
    opened, teacher = open_moment(school_app), school_app.people["teacher"]
    with school_app.database.write() as session:
        raised = raise_contest(
            session, teacher, opened.case_id, about="suggestion", about_id=opened.ranking_id, why="That is not it."
        )
    ranking = suggested(school_app, opened.case_id)
    casework(school_app).choose(teacher, opened.case_id, ranking.ranking_id, ranking.suggestions[0].skill_id)
    page = school_app.client_as("coach").get("/coach").text
    assert f'href="/coach/moments/{opened.case_id}#contest-{raised}"' in page
    assert "#contest-" not in school_app.client_as("other_coach").get("/coach").text


def test_next_leads_from_a_decided_moment_to_the_first_to_answer_and_never_to_a_decided_one(school_app):
    done, other = decided(school_app, 2)
    coach = school_app.people["coach"]
    with school_app.database.read() as session:
        assert next_moment(session, coach, done) is None
    new = open_moment(school_app, "other_teacher")
    with school_app.database.read() as session:
        assert [next_moment(session, coach, case_id) for case_id in (done, other, new.case_id)] == [
            new.case_id, new.case_id, None]  # fmt: skip


def test_next_goes_through_the_moments_to_answer_and_round_again(school_app):
    coach = school_app.people["coach"]
    opened = [open_moment(school_app, now=NOW + n * DAY) for n in range(3)]
    ids = [each.case_id for each in opened]
    with school_app.database.read() as session:
        assert [next_moment(session, coach, case_id) for case_id in ids] == [ids[1], ids[2], ids[0]]
    review(school_app, opened[0])
    with school_app.database.read() as session:
        assert next_moment(session, coach, ids[0]) == ids[1]
        assert next_moment(session, coach, ids[2]) == ids[1]
    review(school_app, opened[1])
    review(school_app, opened[2])
    with school_app.database.read() as session:
        assert next_moment(session, coach, ids[2]) is None


@pytest.mark.parametrize("path", ["/coach", "/coach/caseload"])
def test_the_lists_are_for_coaches_alone(school_app, path):
    assert school_app.client_as("coach").get(path).status_code == 200
    for who in ("teacher", "administrator", "safeguarding", "outsider"):
        assert school_app.client_as(who).get(path).status_code == 403
    answer = school_app.signed_out().get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_the_caseload_lists_teachers_by_name_with_dates_and_activity_only(school_app):
    opened = open_moment(school_app, "teacher")
    page = school_app.client_as("coach").get("/coach/caseload?sort=score").text
    assert re.findall(r'<h2 id="teacher-\w+">(.*?)</h2>', page) == ["Omar Other", "Tess Teacher"]
    assert "Last shared activity on 2 November 2026" in visible(page)
    assert "Nothing is shared with you yet." in visible(page)
    assert cases_on(page) == [opened.case_id]
    assert STRUGGLE[:20] not in page


def test_a_focus_is_in_the_caseload_only_while_its_practice_is_shared(school_app):
    opened = open_moment(school_app)
    teacher, coach = school_app.people["teacher"], school_app.people["coach"]
    ranking = suggested(school_app, opened.case_id)
    skill = ranking.suggestions[0]
    focus = casework(school_app).choose(teacher, opened.case_id, ranking.ranking_id, skill.skill_id)
    browser = school_app.client_as("coach")
    assert skill.name not in browser.get("/coach/caseload").text
    with school_app.database.write() as session:
        share_cycle(session, teacher, focus.cycle_id, coach.id)
    page = browser.get("/coach/caseload").text
    assert f"Practices {skill.name}, week 1 of 6" in visible(page)
    assert "No check-in yet." in visible(page)
    assert f'href="/coach/practice/{focus.cycle_id}"' in page


def test_a_coach_without_teachers_is_told_who_links_them(school_app):
    with school_app.database.write() as session:
        root = operator(session, school_app.tenant_id)
        new = create_person(session, root, "Nia New", ["coach"])
        school_app.people["new_coach"] = person_actor(session, school_app.tenant_id, new)
    browser = school_app.client_as("new_coach")
    assert "The administrator of your school does that." in visible(browser.get("/coach/caseload").text)
    with school_app.database.write() as session:
        create_link(session, operator(session, school_app.tenant_id), new, school_app.people["teacher"].id)
    assert "Tess Teacher" in browser.get("/coach/caseload").text


def test_what_a_teacher_wrote_is_shown_as_text_in_the_queue(school_app):
    open_moment(
        school_app, struggle="<script>alert(1)</script> Students call out answers and nobody else gets to think."
    )
    page = school_app.client_as("coach").get("/coach").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_coach_who_also_runs_the_school_finds_other_objections_on_the_administrators_page_only(school_app):
    opened, teacher = open_moment(school_app), school_app.people["teacher"]
    with school_app.database.write() as session:
        raise_contest(session, teacher, opened.case_id, about="suggestion", about_id=opened.ranking_id, why="No.")
        root = operator(session, school_app.tenant_id)
        both = create_person(session, root, "Bea Both", ["coach", "administrator"])
        school_app.people["both"] = person_actor(session, school_app.tenant_id, both)
    page = school_app.client_as("both").get("/coach").text
    assert "Objections to answer" not in page
    assert "#contest-" not in page
