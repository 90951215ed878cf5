from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from begun_practice import begin_practice
from page_reading import form, forms, visible

from recommender.catalogue.loader import load_catalogue
from service.pages.practice_forms import latest_day
from service.pages.practice_view import PracticeChange, in_ten, read_practice
from service.pages.strings import page_strings
from service.store.cycles import get_cycle, list_cycles
from service.store.database import utc_now
from service.store.errors import NotFoundError
from service.store.links import end_link
from service.store.outcomes import Change, share_seen
from service.store.practice import add_check_in, add_follow_up, check_ins_of, follow_ups_of
from service.store.tables.people import PersonRole

SKILL = load_catalogue()["cold-calling"]
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def today():
    return utc_now().date()


def ago(days):
    return today() - timedelta(days=days)


@pytest.fixture
def teacher(school_app):
    return school_app.client_as("teacher")


@pytest.fixture
def practice(school_app):
    """Path of a practice that began two weeks ago."""
    return f"/practice/{begin_practice(school_app, days_ago=14)}"


def send(browser, path, which, **fields):
    sent = form(browser.get(path).text, which)
    return browser.post(sent.action, data=sent.fields | fields)


def check_in(browser, path, **fields):
    return send(browser, path, "/check-ins", **{"times": "3"} | fields)


def look(browser, path, phase="baseline", seen=(), **fields):
    return send(browser, path, "/follow-ups", **{"phase": phase, "seen": [str(place) for place in seen]} | fields)


def kept(school_app, path, read, who="teacher"):
    with school_app.database.read() as session:
        return read(session, school_app.people[who], path.rpartition("/")[2])


def is_shared(school_app, path, who="coach"):
    try:
        return kept(school_app, path, get_cycle, who) is not None
    except NotFoundError:
        return False


def read(school_app, path, on=None):
    return kept(school_app, path, lambda session, actor, cycle: read_practice(session, actor, cycle, on or today()))


def test_the_first_page_sends_a_teacher_without_practice_to_a_moment(teacher):
    page = teacher.get("/practice")
    assert "You are not practicing a skill yet" in visible(page.text)
    assert 'href="/moments"' in page.text


def test_a_practice_says_first_where_it_was_left_and_what_comes_next(teacher, practice):
    check_in(teacher, practice, day=ago(2).isoformat(), times="4", note="Two quiet students spoke.")
    for path in ("/practice", practice):
        text = visible(teacher.get(path).text)
        assert "Tried in 4 lessons." in text
        assert "Two quiet students spoke." in text
        assert "Week 3 of 6" in text
    assert text.index("Where you left off") < text.index("Next step") < text.index("Know what it is")


def test_the_four_parts_hold_the_signs_the_evidence_the_week_and_the_notes(teacher, practice):
    text = visible(teacher.get(practice).text)
    headings = [page_strings()["practice"][part] for part in ("know", "worth", "do", "stick")]
    assert [text.index(heading) for heading in headings] == sorted(text.index(heading) for heading in headings)
    assert all(" ".join(sign.split()) in text for sign in SKILL.look_fors)
    assert page_strings()["evidence_notes"][SKILL.evidence.level] in text
    week = text[text.index(headings[2]) : text.index("All four weeks")]
    assert " ".join(SKILL.practice_cycle[2].split()) in week


def test_each_week_has_its_own_text_and_later_ones_say_to_keep_on(school_app):
    path = f"/practice/{begin_practice(school_app)}"
    at = [read(school_app, path, today() + timedelta(days=days)) for days in (0, 6, 7, 27, 28, 41, 42, 300)]
    assert [each.week for each in at] == [1, 1, 2, 4, 5, 6, 6, 6]
    assert [each.week_text for each in at[:4]] == [SKILL.practice_cycle[week] for week in (0, 0, 1, 3)]
    assert {each.week_text for each in at[4:]} == {None}
    assert [each.is_over_time for each in at] == [False] * 6 + [True] * 2


def test_the_next_step_follows_what_was_done(school_app, teacher):
    path = f"/practice/{begin_practice(school_app)}"
    steps = [read(school_app, path).next_step]
    look(teacher, path, "baseline")
    steps.append(read(school_app, path).next_step)
    steps += [read(school_app, path, today() + timedelta(days=days)).next_step for days in (6, 7, 42)]
    look(teacher, path, "follow_up")
    steps.append(read(school_app, path, today() + timedelta(days=42)).next_step)
    assert steps == ["first_look", "try_it", "try_it", "check_in", "later_look", "decide"]


def test_a_check_in_appears_with_its_day_its_lessons_and_whose_it_is(teacher, practice, school_app):
    answer = check_in(teacher, practice, day=ago(1).isoformat(), times="1", note="It went well.")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{practice}?done=check_in")
    text = visible(teacher.get(answer.headers["location"]).text)
    assert "Your check-in is saved." in text
    assert "Tried in 1 lesson." in text
    assert "by you" in text
    (stored,) = kept(school_app, practice, check_ins_of)
    assert (stored.happened_on, stored.times_tried, stored.note) == (ago(1), 1, "It went well.")


def test_a_form_sent_twice_is_one_check_in_and_a_fresh_form_is_another(teacher, practice, school_app):
    sent = form(teacher.get(practice).text, "/check-ins")
    for _ in range(2):
        assert teacher.post(sent.action, data=sent.fields | {"times": "2"}).status_code == 303
    assert len(kept(school_app, practice, check_ins_of)) == 1
    check_in(teacher, practice, times="2")
    assert len(kept(school_app, practice, check_ins_of)) == 2


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("day", "2999-01-01", "future_day"),
        ("day", (date.today() + timedelta(days=3)).isoformat(), "future_day"),
        ("day", (date.today() - timedelta(days=30)).isoformat(), "early_day"),
        ("day", "", "no_day"),
        ("day", "31.12.2025", "no_day"),
        ("times", "101", "bad_times"),
        ("times", "-1", "bad_times"),
        ("times", "2.5", "bad_times"),
        ("times", "", "bad_times"),
        ("times", "1" * 400, "bad_times"),
        ("note", "x" * 4_001, "long_note"),
    ],
)
def test_a_check_in_that_cannot_be_is_refused_beside_its_field_with_what_was_typed(
    teacher, practice, school_app, field, value, said
):
    typed = {"day": ago(1).isoformat(), "times": "3", "note": 'They said "why not?" & laughed.'} | {field: value}
    answer = check_in(teacher, practice, **typed)
    assert answer.status_code == 422
    error = re.search(rf'id="check-in-{field}-error" class="error" role="alert">([^<]+)<', answer.text)
    assert error is not None
    assert html.unescape(error[1]) == page_strings()["practice"]["errors"][said]
    assert re.search(rf'name="{field}"[^>]* aria-describedby="check-in-{field}-error"', answer.text)
    again = form(answer.text, "/check-ins").fields
    assert {name: again[name] for name in typed} == typed
    assert kept(school_app, practice, check_ins_of) == []


def test_the_first_day_to_be_anywhere_is_no_future_day():
    assert latest_day(datetime(2026, 12, 3, 9, 59, tzinfo=UTC)) == date(2026, 12, 3)
    assert latest_day(datetime(2026, 12, 3, 10, 0, tzinfo=UTC)) == date(2026, 12, 4)


def test_a_look_counts_the_signs_that_were_ticked(teacher, practice, school_app):
    answer = look(teacher, practice, "baseline", seen=[0, 2], day=ago(20).isoformat())
    assert (answer.status_code, answer.headers["location"]) == (303, f"{practice}?done=look")
    look(teacher, practice, "follow_up", seen=[])
    stored = kept(school_app, practice, follow_ups_of)
    assert [(each.phase, each.seen, each.looked_for) for each in stored] == [
        ("baseline", 2, len(SKILL.look_fors)),
        ("follow_up", 0, len(SKILL.look_fors)),
    ]
    assert f"Before: 2 of {len(SKILL.look_fors)} signs seen" in visible(teacher.get(practice).text)


def test_a_sign_ticked_twice_or_one_that_is_not_there_counts_once_or_never(teacher, practice, school_app):
    look(teacher, practice, "baseline", seen=["0", "0", "99", "-1", "x", ""])
    assert [each.seen for each in kept(school_app, practice, follow_ups_of)] == [1]


def test_a_look_that_cannot_be_is_refused_with_its_ticks_kept(teacher, practice, school_app):
    answer = look(teacher, practice, "later", seen=[1], day="2999-01-01", note="Loud class")
    assert answer.status_code == 422
    errors = page_strings()["practice"]["errors"]
    assert errors["future_day"] in visible(answer.text)
    assert errors["no_phase"] in visible(answer.text)
    assert re.findall(r'name="seen" value="(\d)" checked', answer.text) == ["1"]
    assert form(answer.text, "/follow-ups").fields["note"] == "Loud class"
    assert look(teacher, practice, "baseline", day=ago(14 + 91).isoformat()).status_code == 422
    assert look(teacher, practice, "follow_up", day=ago(30).isoformat()).status_code == 422
    assert kept(school_app, practice, follow_ups_of) == []


def test_what_changed_is_said_only_with_a_look_before_and_a_later_one(teacher, practice):
    assert "This shows once" in visible(teacher.get(practice).text)
    look(teacher, practice, "baseline", seen=[0])
    page = teacher.get(practice).text
    assert "This shows once" in visible(page)
    assert "<svg" not in page
    look(teacher, practice, "follow_up", seen=[0, 1])
    page = teacher.get(practice).text
    assert page_strings()["practice"]["verdicts"]["too_early"] in visible(page)
    # Wilson, 1 of 4: 0.046 to 0.699; 2 of 4: 0.150 to 0.850.
    assert "1 of 4 signs seen between 0 and 7 in 10" in visible(page)
    assert "2 of 4 signs seen between 1 and 9 in 10" in visible(page)


def test_the_picture_has_a_title_a_description_and_the_same_in_a_table(teacher, practice):
    look(teacher, practice, "baseline")
    look(teacher, practice, "follow_up", seen=[0, 1, 2, 3])
    page = teacher.get(practice).text
    named = re.search(r'<svg[^>]* role="img" aria-labelledby="(\S+) (\S+)"', page)
    assert named is not None
    assert f'<title id="{named[1]}">' in page
    assert f'<desc id="{named[2]}">' in page
    assert page.count("<circle") == 2
    assert "<table>" in page
    assert " style=" not in page
    assert "%" not in visible(page)


def test_many_looks_that_differ_say_that_more_was_seen(teacher, practice, school_app):
    cycle = practice.rpartition("/")[2]
    with school_app.database.write() as session:
        for phase, seen in [("baseline", 0), ("follow_up", 4)] * 5:
            add_follow_up(session, school_app.people["teacher"], cycle, phase, today(), seen, 4)
    assert page_strings()["practice"]["verdicts"]["more"] in visible(teacher.get(practice).text)


def test_the_words_on_a_change_follow_its_interval():
    shares = share_seen(1, 4), share_seen(2, 4)
    verdicts = [
        PracticeChange.of(Change(*shares, difference=0.0, low=low, high=high)).verdict
        for low, high in ((0.01, 0.5), (0.0, 0.5), (-0.2, 0.4), (-0.4, 0.0), (-0.4, -0.01))
    ]
    assert verdicts == ["more", "too_early", "too_early", "too_early", "fewer"]


def test_an_interval_in_tenths_is_rounded_outwards():
    # Wilson: 4 of 9 is 0.189 to 0.733, 0 of 4 is 0 to 0.490, 12 of 12 is 0.757 to 1.
    assert [in_ten(share_seen(*counts)) for counts in ((4, 9), (0, 4), (12, 12))] == [(1, 8), (0, 5), (7, 10)]


def test_ending_asks_once_more_and_then_makes_room_for_another(teacher, practice, school_app):
    ending = form(teacher.get(practice).text, "/end", state="finished")
    asked = teacher.post(ending.action, data=ending.fields)
    assert asked.status_code == 200
    assert kept(school_app, practice, get_cycle).state == "open"
    sure = form(asked.text, "/end")
    answer = teacher.post(sure.action, data=sure.fields | {"sure": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{practice}?done=end")
    ended = kept(school_app, practice, get_cycle)
    assert (ended.state, ended.ended_on) == ("finished", today())
    page = teacher.get(practice).text
    assert f"Finished on {today().day} " in visible(page)
    assert forms(page, "/end") == forms(page, "/check-ins") == []
    assert f'href="{practice}"' in teacher.get("/practice").text
    begin_practice(school_app, skill="wait-time")
    text = visible(teacher.get("/practice").text)
    assert text.index(load_catalogue()["wait-time"].name) < text.index(SKILL.name)


def test_an_ended_practice_still_takes_a_later_look(teacher, practice):
    teacher.submit(f"{practice}/end", {"state": "stopped", "sure": "yes"})
    assert look(teacher, practice, "follow_up", seen=[1]).status_code == 303
    late = teacher.submit(f"{practice}/check-ins", {"day": today().isoformat(), "times": "1"})
    assert late.status_code == 303


def test_an_end_that_is_neither_is_refused(teacher, practice, school_app):
    assert teacher.submit(f"{practice}/end", {"state": "open", "sure": "yes"}).status_code == 422
    assert kept(school_app, practice, get_cycle).state == "open"


def test_sharing_lets_the_coach_see_it_and_stopping_hides_it_at_once(teacher, practice, school_app):
    coach = school_app.client_as("coach")
    theirs = f"/coach{practice}"
    assert coach.get(theirs).status_code == 404
    answer = send(teacher, practice, "/shares")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{practice}?done=share#sharing")
    assert "Cora Coach sees this practice." in visible(teacher.get(practice).text)
    assert coach.get(theirs).status_code == 200
    assert school_app.client_as("other_coach").get(theirs).status_code == 404
    answer = send(teacher, practice, "/shares")
    assert answer.headers["location"] == f"{practice}?done=revoke#sharing"
    assert coach.get(theirs).status_code == 404
    assert not is_shared(school_app, practice)


def test_a_practice_cannot_be_shared_with_somebody_who_is_no_coach_of_the_teacher(teacher, practice, school_app):
    for coach in (school_app.people["other_coach"].id, school_app.people["other_teacher"].id, UNKNOWN, ""):
        assert teacher.submit(f"{practice}/shares", {"action": "share", "coach": coach}).status_code == 404
    coach = school_app.people["coach"].id
    assert teacher.submit(f"{practice}/shares", {"action": "steal", "coach": coach}).status_code == 422
    assert not is_shared(school_app, practice, "coach")


def test_what_a_coach_adds_shows_under_their_name_also_after_they_stop_working_together(teacher, practice, school_app):
    send(teacher, practice, "/shares")
    with school_app.database.write() as session:
        add_check_in(session, school_app.people["coach"], practice.rpartition("/")[2], today(), 2, note="Calm start.")
    assert "Calm start." in visible(teacher.get(practice).text)
    assert "by Cora Coach" in visible(teacher.get(practice).text)
    with school_app.database.write() as session:
        end_link(session, school_app.people["teacher"], school_app.link_id)
    text = visible(teacher.get(practice).text)
    assert "Calm start." in text
    assert "by somebody who is no longer here" in text
    assert "You have no coach here yet" in text


def test_a_practice_of_somebody_else_is_not_found_exactly_as_one_that_never_was(practice, school_app):
    for who in ("other_teacher", "outsider"):
        browser = school_app.client_as(who)
        unknown = browser.get(f"/practice/{UNKNOWN}")
        foreign = browser.get(practice)
        assert (foreign.status_code, foreign.text) == (404, unknown.text)
        for end in ("check-ins", "follow-ups", "end", "shares"):
            fields = {"day": today().isoformat(), "times": "1", "phase": "baseline", "state": "finished", "sure": "yes"}
            fields |= {"action": "share", "coach": school_app.people["coach"].id}
            assert browser.submit(f"{practice}/{end}", fields).status_code == 404
    assert kept(school_app, practice, get_cycle).state == "open"
    assert kept(school_app, practice, check_ins_of) == []


def test_what_is_shared_with_a_coach_who_teaches_too_is_not_among_their_own_practice(teacher, practice, school_app):
    send(teacher, practice, "/shares")
    with school_app.database.write() as session:
        coach = school_app.people["coach"]
        session.add(PersonRole(tenant_id=coach.tenant_id, person_id=coach.id, role="teacher"))
    browser = school_app.client_as("coach")
    assert practice not in browser.get("/practice").text
    assert browser.get(practice).status_code == 404
    assert browser.submit(f"{practice}/end", {"state": "stopped", "sure": "yes"}).status_code == 404


@pytest.mark.parametrize("who", ["coach", "administrator", "safeguarding"])
def test_only_teachers_have_practice(school_app, who):
    assert school_app.client_as(who).get("/practice").status_code == 403


def test_notes_are_shown_as_text_and_without_the_names_that_were_in_them(teacher, practice):
    check_in(teacher, practice, note="<script>alert(1)</script> Call me at mia@school.example.")
    look(teacher, practice, "baseline", note="<img src=x onerror=alert(2)>")
    page = teacher.get(practice).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert "mia@school.example" not in page


def test_a_form_of_another_session_is_refused(teacher, practice, school_app):
    sent = {"day": today().isoformat(), "times": "1", "form_token": school_app.client_as("other_teacher").form_token}
    assert teacher.post(f"{practice}/check-ins", data=sent).status_code == 403
    assert kept(school_app, practice, check_ins_of) == []


def test_earlier_practice_comes_in_parts_without_repeats(teacher, school_app):
    for _ in range(23):
        cycle = begin_practice(school_app)
        teacher.submit(f"/practice/{cycle}/end", {"state": "finished", "sure": "yes"})
    seen, path = [], "/practice"
    while path:
        page = teacher.get(path).text
        seen += re.findall(r'href="/practice/([0-9A-Z]{26})"', page)
        more = re.search(r'href="(/practice\?after=[^"]+)"', page)
        path = html.unescape(more[1]) if more else ""
    with school_app.database.read() as session:
        expected = [c.id for c in list_cycles(session, school_app.people["teacher"], limit=100).items]
    assert seen == expected
    assert teacher.get("/practice?after=nonsense").status_code == 422
