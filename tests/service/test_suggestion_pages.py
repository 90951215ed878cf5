from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_reading import form, forms, visible
from school_app import STRUGGLE
from stored_scores import add_scores

from recommender.catalogue.loader import load_catalogue
from service.pages.coach_words import coach_order, said_review
from service.pages.strings import page_strings
from service.store.alerts import list_alerts
from service.store.cases import get_case
from service.store.choices import choices_of
from service.store.cycles import end_cycle, list_cycles
from service.store.database import utc_now
from service.store.links import end_link
from service.store.reviews import ReviewView, SkillChange, record_review
from service.store.shares import share_case

SAFETY = "Zanzibar: a student told me that her uncle hits her and that she is scared to go home."
HTMX = {"hx-request": "true"}


@pytest.fixture
def teacher(school_app):
    return school_app.client_as("teacher")


@pytest.fixture
def moment(teacher):
    return opened(teacher)


def opened(browser, struggle=STRUGGLE, **fields):
    """The path of a new moment."""
    sent = form(browser.get("/moments").text, "/moments").fields | {"struggle": struggle} | fields
    return browser.post("/moments", data=sent).headers["location"]


def shown(page):
    """Ids of the skills that can be chosen on a page, in their order."""
    return [f.fields["skill"] for f in forms(page, "/choices") if f.fields["decision"] == "chosen"]


def decide(browser, path, skill, decision, headers=None, **fields):
    sent = form(browser.get(path).text, "/choices", skill=skill, decision=decision)
    return browser.post(sent.action, data=sent.fields | fields, headers=headers)


def view(school_app, path, who="teacher"):
    with school_app.database.read() as session:
        return get_case(session, school_app.people[who], path.rpartition("/")[2])


def choices(school_app, path):
    with school_app.database.read() as session:
        return choices_of(session, school_app.people["teacher"], path.rpartition("/")[2])


def practices(school_app):
    with school_app.database.read() as session:
        return list_cycles(session, school_app.people["teacher"]).items


def review(school_app, path, changes, who="coach"):
    case_id = path.rpartition("/")[2]
    with school_app.database.write() as session:
        share_case(session, school_app.people["teacher"], case_id, school_app.people[who].id)
        ranking = get_case(session, school_app.people["teacher"], case_id).rankings[-1].ranking
        return record_review(session, school_app.people[who], case_id, ranking.ranking_id, changes)


def test_a_moment_shows_the_words_and_up_to_three_skills_with_all_that_helps_to_choose(teacher, moment):
    page = teacher.get(moment).text
    text, catalogue = visible(page), load_catalogue()
    assert STRUGGLE in text
    skills = [catalogue[skill_id] for skill_id in shown(page)]
    assert 1 <= len(skills) <= 3
    for skill in skills:
        assert skill.name in text
        assert " ".join(skill.first_step.split()) in text
        assert f"About {skill.minutes_per_week} minutes a week" in text
        assert page_strings()["evidence"][skill.evidence.level] in text
        assert page_strings()["evidence_notes"][skill.evidence.level] in text
        assert all(sign in text for sign in skill.look_fors)
        assert f'href="/skills/{skill.id}?moment={moment.rpartition("/")[2]}"' in page
    assert "You wrote “" in text
    assert f'href="/skills?moment={moment.rpartition("/")[2]}"' in page


def test_no_number_of_the_model_and_no_rubric_code_is_on_the_page(teacher, school_app):
    add_scores(school_app)
    text = visible(teacher.get(opened(teacher)).text)
    assert "observers saw" in text
    assert "%" not in text
    assert not re.search(r"\d\.\d", text)
    assert not re.search(r"\b[1-4][a-f]\b|SWD-|danielson|HLP", text, re.IGNORECASE)


def test_a_skill_that_is_put_aside_is_gone_at_once_and_listed_with_the_reason(teacher, moment, school_app):
    before = shown(teacher.get(moment).text)
    answer = decide(teacher, moment, before[0], "declined", reason="already_do_this", why="Since August")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{moment}#suggestions")
    page = teacher.get(moment).text
    assert before[0] not in shown(page)
    assert len(shown(page)) == 3
    aside = visible(page).partition("Skills you put aside")[2]
    assert load_catalogue()[before[0]].name in aside
    assert "I do this already: Since August" in aside
    (choice,) = choices(school_app, moment)
    assert (choice.decision, choice.reason, choice.why, choice.rank) == (
        "declined", "already_do_this", "Since August", 1,
    )  # fmt: skip


def test_putting_aside_twice_from_one_page_is_one_decision(teacher, moment, school_app):
    skill = shown(teacher.get(moment).text)[0]
    sent = form(teacher.get(moment).text, "/choices", skill=skill, decision="declined")
    for _ in range(2):
        assert teacher.post(sent.action, data=sent.fields).status_code == 303
    assert len(choices(school_app, moment)) == 1
    assert len(view(school_app, moment).rankings) == 2


def test_something_else_puts_a_skill_aside_without_a_reason(teacher, moment, school_app):
    skill = shown(teacher.get(moment).text)[1]
    decide(teacher, moment, skill, "something_else")
    assert skill not in shown(teacher.get(moment).text)
    (choice,) = choices(school_app, moment)
    assert (choice.decision, choice.reason, choice.why, choice.rank) == ("declined", None, None, 2)


def test_a_reason_that_is_not_on_the_page_counts_as_none(teacher, moment, school_app):
    decide(teacher, moment, shown(teacher.get(moment).text)[0], "declined", reason="lazy")
    assert choices(school_app, moment)[0].reason is None


def test_what_was_put_aside_can_be_brought_back_to_where_it_was(teacher, moment):
    before = shown(teacher.get(moment).text)
    decide(teacher, moment, before[0], "something_else")
    assert decide(teacher, moment, before[0], "restored").status_code == 303
    page = teacher.get(moment).text
    assert shown(page) == before
    assert "Skills you put aside" not in page


def test_bringing_back_what_was_never_put_aside_changes_nothing(teacher, moment, school_app):
    sent = form(teacher.get(moment).text, "/choices", skill=shown(teacher.get(moment).text)[0], decision="chosen")
    teacher.post(sent.action, data=sent.fields | {"decision": "restored"})
    assert len(view(school_app, moment).rankings) == 1


def test_a_script_gets_only_the_list_and_a_sentence_that_says_what_is_new(teacher, moment):
    before = shown(teacher.get(moment).text)
    answer = decide(teacher, moment, before[0], "declined", headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert answer.text.lstrip().startswith('<section id="skills"')
    assert before[0] not in shown(answer.text)
    said = re.search(r'<p id="announce"[^>]*>([^<]*)</p>', answer.text)
    assert said is not None
    for skill_id in shown(answer.text):
        assert load_catalogue()[skill_id].name in html.unescape(said[1])
    # The next step works from the part alone.
    again = form(answer.text, "/choices", skill=before[0], decision="restored")
    assert shown(teacher.post(again.action, data=again.fields, headers=HTMX).text) == before


def test_when_everything_is_put_aside_the_page_says_so_and_offers_all_skills(teacher):
    path = opened(teacher, minutes="15")
    for _ in range(60):
        left = shown(teacher.get(path).text)
        if not left:
            break
        for skill in left:
            decide(teacher, path, skill, "something_else") if skill in shown(teacher.get(path).text) else None
    text = visible(teacher.get(path).text)
    assert "Nothing left to suggest" in text
    assert "Choose from all skills" in text
    assert "Bring back" in text


def test_choosing_begins_the_practice_and_the_moment_says_so(teacher, moment, school_app):
    skill = shown(teacher.get(moment).text)[0]
    answer = decide(teacher, moment, skill, "chosen")
    (practice,) = practices(school_app)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/practice/{practice.id}")
    assert (practice.skill_id, practice.state) == (skill, "open")
    page = teacher.get(moment).text
    assert f"You chose “{load_catalogue()[skill].name}” on" in visible(page)
    assert f'href="/practice/{practice.id}"' in page


def test_choosing_twice_from_one_page_is_one_choice(teacher, moment, school_app):
    sent = form(teacher.get(moment).text, "/choices", skill="cold-calling", decision="chosen")
    places = {teacher.post(sent.action, data=sent.fields).headers["location"] for _ in range(2)}
    assert len(places) == len(practices(school_app)) == len(choices(school_app, moment)) == 1


def test_a_second_skill_is_refused_kindly_and_nothing_is_recorded(teacher, moment, school_app):
    other = opened(teacher, "They come in late from lunch and I lose ten minutes until everybody sits.")
    page = teacher.get(other).text
    left_open = form(page, "/choices", skill=shown(page)[0], decision="chosen")
    decide(teacher, moment, "cold-calling", "chosen")
    (practice,) = practices(school_app)
    page = teacher.get(other).text
    assert "You are practicing “Cold calling (warm and equitable)” now" in visible(page)
    assert "Choose this skill" not in page
    answer = teacher.post(left_open.action, data=left_open.fields)
    assert answer.status_code == 409
    assert "You are still practicing “Cold calling (warm and equitable)”" in visible(answer.text)
    assert f'href="/practice/{practice.id}"' in answer.text
    assert choices(school_app, other) == []
    assert [p.id for p in practices(school_app)] == [practice.id]
    with school_app.database.write() as session:
        end_cycle(session, school_app.people["teacher"], practice.id, "stopped", utc_now().date())
    assert decide(teacher, other, left_open.fields["skill"], "chosen").status_code == 303


def test_any_skill_of_the_catalogue_can_be_chosen_from_its_own_page(teacher, moment, school_app):
    assert "wait-time" not in shown(teacher.get(moment).text)
    ranking = view(school_app, moment).rankings[-1].ranking.ranking_id
    answer = teacher.submit(f"{moment}/choices", {"ranking": ranking, "skill": "wait-time", "decision": "chosen"})
    assert answer.status_code == 303
    (choice,) = choices(school_app, moment)
    assert (choice.skill_id, choice.rank) == ("wait-time", None)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"decision": "assigned"}, 422),
        ({"decision": ""}, 422),
        ({"skill": "no-such-skill"}, 422),
        ({"ranking": "01J00000000000000000000000"}, 404),
        ({"ranking": ""}, 404),
    ],
)
def test_a_decision_no_page_offers_is_refused_and_changes_nothing(teacher, moment, school_app, fields, status):
    for decision in ("declined", "chosen"):
        sent = form(teacher.get(moment).text, "/choices", skill="cold-calling", decision=decision).fields | fields
        answer = teacher.post(f"{moment}/choices", data=sent)
        assert answer.status_code == status
        assert "<h1>" in answer.text
    assert choices(school_app, moment) == []
    assert practices(school_app) == []


def test_a_list_of_another_moment_is_not_this_ones(teacher, moment, school_app):
    other = opened(teacher)
    ranking = view(school_app, other).rankings[-1].ranking.ranking_id
    sent = {"ranking": ranking, "skill": "cold-calling", "decision": "chosen"}
    assert teacher.submit(f"{moment}/choices", sent).status_code == 404


@pytest.mark.parametrize("who", ["other_teacher", "outsider"])
def test_another_teachers_moment_is_as_unknown_as_one_that_is_not_there(school_app, moment, who):
    browser = school_app.client_as(who)
    unknown = browser.get("/moments/01J00000000000000000000000")
    for path in (moment, "/moments/x", f"/moments/{'a' * 300}"):
        answer = browser.get(path)
        assert (answer.status_code, visible(answer.text)) == (404, visible(unknown.text))
    ranking = view(school_app, moment).rankings[-1].ranking.ranking_id
    for decision in ("chosen", "declined", "something_else", "restored"):
        sent = {"ranking": ranking, "skill": "cold-calling", "decision": decision}
        assert browser.submit(f"{moment}/choices", sent).status_code == 404
    assert choices(school_app, moment) == []


def test_what_a_person_wrote_is_shown_as_text_and_never_run(teacher, school_app):
    script = "<script>alert(1)</script>"
    path = opened(teacher, f"{STRUGGLE} {script} <img src=x onerror=alert(1)>")
    decide(teacher, path, shown(teacher.get(path).text)[0], "declined", why=script)
    changes = [SkillChange(shown(teacher.get(path).text)[0], "remove", why=script)]
    review(school_app, path, changes)
    page = teacher.get(path).text
    assert page.count("&lt;script&gt;") >= 3
    assert "<script>alert" not in page
    assert "<img" not in page


def test_what_was_left_out_of_the_words_is_explained(teacher):
    path = opened(teacher, "Please help. Maria Lopez answers every question I ask and the rest wait for her to do it.")
    text = visible(teacher.get(path).text)
    assert "Lopez" not in text
    assert "[name]" in text
    assert "stand for what we left out" in text


def test_nothing_is_explained_where_nothing_was_left_out(teacher, moment):
    assert "stand for what we left out" not in teacher.get(moment).text


def test_minutes_that_were_tapped_are_kept_to_and_said(teacher):
    path = opened(teacher, minutes="15")
    page = teacher.get(path).text
    assert all(load_catalogue()[skill].minutes_per_week <= 15 for skill in shown(page))
    assert "15 minutes a week or less" in page


def test_words_that_say_too_little_lead_back_to_the_box_with_the_words_in_it(teacher):
    path = opened(teacher, "Bad day.", grade_band="middle")
    page = teacher.get(path).text
    assert "Tell us a little more" in visible(page)
    again = form(page, "/moments").fields
    assert (again["struggle"], again["grade_band"]) == ("Bad day.", "middle")
    assert forms(page, "/choices") == []


def test_words_about_safety_are_not_kept_and_the_lead_is_told_to_talk(teacher, school_app, database_file):
    draft = form(teacher.get("/moments").text, "/moments").fields | {"struggle": SAFETY}
    path = teacher.post("/moments", data=draft).headers["location"]
    page = teacher.get(path).text
    text = visible(page)
    assert "Please talk to a person now" in text
    assert "Sal Safe, room 12" in text
    assert "is told that you may want to talk" in text
    assert "We did not keep your words" in text
    assert form(page, "/moments").fields["struggle"] == ""
    assert forms(page, "/choices") == forms(page, "/shares") == forms(page, "/contests") == []
    assert "Zanzibar" not in page + teacher.get("/moments").text
    with school_app.database.read() as session:
        (alert,) = list_alerts(session, school_app.people["safeguarding"]).items
    assert alert.person_id == school_app.people["teacher"].id
    for file in database_file.parent.glob("growth.sqlite3*"):
        assert b"Zanzibar" not in file.read_bytes()


def test_a_coachs_changes_are_told_with_their_why_and_the_coachs_order_beside_ours(teacher, moment, school_app):
    ours = shown(teacher.get(moment).text)
    names = [load_catalogue()[skill].name for skill in ours]
    changes = [
        SkillChange("wait-time", "add", 1, "They need time first"),
        SkillChange(ours[2], "move", 2, "It is quick to try"),
        SkillChange(ours[0], "remove", why="You do it well"),
        SkillChange(ours[1], "keep"),
    ]
    review(school_app, moment, changes)
    said = visible(teacher.get(moment).text).partition("What your coach said")[2]
    wait_time = load_catalogue()["wait-time"].name
    assert f"Cora Coach added “{wait_time}” at the top. Why: They need time first" in said
    assert f"Cora Coach moved “{names[2]}” to place 2. Why: It is quick to try" in said
    assert f"Cora Coach took “{names[0]}” off the list. Why: You do it well" in said
    assert f"Cora Coach agrees with “{names[1]}”." in said
    assert f"Our list {' '.join(names)}" in said
    assert f"Cora Coach’s list {wait_time} {names[2]} {names[1]}" in said
    # The order on the page stays ours: a coach's word is shown beside it, not slipped into it.
    assert shown(teacher.get(moment).text) == ours


def test_a_coach_who_keeps_the_list_is_said_to_agree(teacher, moment, school_app):
    review(school_app, moment, [SkillChange(skill, "keep") for skill in shown(teacher.get(moment).text)])
    text = visible(teacher.get(moment).text)
    assert "Cora Coach would leave the list as it is." in text
    assert "Our list" not in text


def test_a_review_stays_when_the_link_has_ended(teacher, moment, school_app):
    review(school_app, moment, [SkillChange(shown(teacher.get(moment).text)[0], "keep")])
    with school_app.database.write() as session:
        end_link(session, school_app.people["teacher"], school_app.link_id)
    text = visible(teacher.get(moment).text)
    assert "A coach agrees with" in text
    assert "Cora Coach" not in text


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ([], "a b c"),
        ([SkillChange("c", "move", 1)], "c a b"),
        ([SkillChange("a", "move", 3)], "b c a"),
        ([SkillChange("a", "move", 9)], "b c a"),
        ([SkillChange("b", "remove")], "a c"),
        ([SkillChange("x", "add", 2)], "a x b c"),
        ([SkillChange("x", "add", 1), SkillChange("y", "add", 1)], "x y a b c"),
        ([SkillChange("x", "add", 2), SkillChange("c", "move", 1), SkillChange("a", "remove")], "c x b"),
        ([SkillChange("a", "keep"), SkillChange("b", "move", 1)], "b a c"),
    ],
)
def test_the_coachs_order_is_the_list_with_every_change_in_its_place(changes, order):
    assert coach_order(["a", "b", "c"], changes) == order.split()


@given(st.data())
def test_an_order_holds_each_skill_once_and_those_placed_apart_where_the_coach_put_them(data):
    suggested = data.draw(st.permutations("abcde"))
    moved = data.draw(st.lists(st.sampled_from("abcdexyz"), unique=True, max_size=4))
    places = data.draw(st.permutations(range(1, 6)))
    changes = [
        SkillChange(skill, "move" if skill in suggested else "add", place)
        for skill, place in zip(moved, places, strict=False)
    ]
    order = coach_order(suggested, changes)
    assert sorted(order) == sorted({*suggested, *moved})
    for change in changes:
        assert order.index(change.skill_id) == change.to_rank - 1
    rest = [skill for skill in order if skill not in moved]
    assert rest == [skill for skill in suggested if skill not in moved]


def test_a_skill_that_left_the_catalogue_is_told_by_its_id():
    left = ReviewView("r", None, "k", utc_now(), [SkillChange("gone-skill", "remove", why="Old")])
    said = said_review(left, "A coach", {"k": ["gone-skill", "wait-time"]}, load_catalogue())
    assert said.changes[0].sentence == "A coach took “gone-skill” off the list."
    assert [skill.skill_id for skill in said.theirs] == ["wait-time"]
