from __future__ import annotations

import re

import pytest
from page_reading import forms, visible
from shared_moments import casework, form_of, open_moment, path_of, ranking_of, reviews, send, skills_of

from service.store.reviews import SkillChange


@pytest.fixture
def moment(school_app):
    return open_moment(school_app)


@pytest.fixture
def coach(school_app):
    return school_app.client_as("coach")


def test_one_button_agrees_with_the_whole_list(school_app, coach, moment):
    answer = send(coach, moment, agree="yes")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path_of(moment)}?done=review")
    (review,) = reviews(school_app, moment)
    assert review.changes == [SkillChange(skill_id, "keep") for skill_id in skills_of(school_app, moment)]
    assert "Saved. Tess Teacher can read your review now." in visible(coach.get(answer.headers["location"]).text)


def test_moving_adding_and_taking_out_reach_the_teacher_with_their_whys(school_app, coach, moment):
    first, second, third = skills_of(school_app, moment)
    whys = ("It comes first for them.", "They do this well.", "It costs them ten minutes.")
    answer = send(
        coach, moment,
        **{
            f"change-{third}": "1", f"why-{third}": whys[0],
            f"change-{second}": "remove", f"why-{second}": whys[1],
            "add-1": "entry-routine", "add-place-1": "2", "add-why-1": whys[2],
        },
    )  # fmt: skip
    assert answer.status_code == 303
    (review,) = reviews(school_app, moment)
    assert review.changes == [
        SkillChange(first, "keep"),
        SkillChange(second, "remove", why=whys[1]),
        SkillChange(third, "move", 1, whys[0]),
        SkillChange("entry-routine", "add", 2, whys[2]),
    ]
    for page in (coach.get(path_of(moment)), school_app.client_as("teacher").get(f"/moments/{moment.case_id}")):
        for why in whys:
            assert why in visible(page.text)


def test_a_missing_why_is_said_at_its_field_and_everything_typed_stays(school_app, coach, moment):
    first, second, _ = skills_of(school_app, moment)
    typed = {
        f"change-{first}": "remove", f"why-{second}": "Good start.",
        "add-1": "entry-routine", "add-place-1": "1", "add-why-1": "Lost minutes. <b>",
    }  # fmt: skip
    answer = send(coach, moment, **typed)
    assert answer.status_code == 422
    assert typed.items() <= form_of(answer).items()
    assert 'role="alert"' in answer.text
    box = re.search(rf'<textarea id="why-{first}"[^>]*>', answer.text).group()
    assert 'aria-invalid="true"' in box
    (described,) = re.findall(r'aria-describedby="([^"]*)"', box)
    for name in described.split():
        assert f'id="{name}"' in answer.text
    assert f'<p id="error-why-{first}" class="error">Please say why in a few words.</p>' in answer.text
    assert "Please check: " in re.search("<title>(.*?)</title>", answer.text).group(1)
    assert reviews(school_app, moment) == []
    # The same page sends it once the why is there.
    again = form_of(answer) | {f"why-{first}": "They do it."}
    assert coach.post(f"{path_of(moment)}/reviews", data=again).status_code == 303
    assert len(reviews(school_app, moment)) == 1


def folds(page):
    """The parts that can be folded, by their names: whether each is open."""
    found = re.findall(r"<details([^>]*)>\s*<summary>(.*?)</summary>", page.text)
    return {visible(name): "open" in said for said, name in found}


def test_only_what_was_filled_in_or_is_wrong_is_open_when_the_form_comes_back(school_app, coach, moment):
    first, second, third = (suggestion.name for suggestion in ranking_of(school_app, moment).suggestions)
    change, add = "Change or comment {}".format, "Add a skill"
    page = coach.get(path_of(moment))
    assert [folds(page)[change(name)] for name in (first, second, third)] == [False] * 3
    ids = skills_of(school_app, moment)
    answer = send(coach, moment, **{f"change-{ids[0]}": "remove", f"why-{ids[1]}": "Good start."})
    assert [folds(answer)[change(name)] for name in (first, second, third)] == [True, True, False]
    assert not folds(answer)[add]
    answer = send(coach, moment, **{f"why-{ids[2]}": "x" * 1_001, "add-1": "entry-routine"})
    assert [folds(answer)[change(name)] for name in (first, second, third)] == [False, False, True]
    assert folds(answer)[add]
    both_first = {f"{field}-{skill_id}": "1" for skill_id in ids[1:] for field in ("change", "why")}
    answer = send(coach, moment, **both_first)
    assert [folds(answer)[change(name)] for name in (first, second, third)] == [False, True, True]


def test_the_whole_list_is_above_the_button_that_agrees_with_it(school_app, coach, moment):
    page = coach.get(path_of(moment)).text
    last = ranking_of(school_app, moment).suggestions[-1].name
    assert page.index("What Tess Teacher wrote") < page.index(f"<h3>{last}</h3>") < page.index('id="agree"')


def test_reviews_so_far_are_folded_but_right_after_one_was_sent(school_app, coach, moment):
    sent = coach.get(send(coach, moment, agree="yes").headers["location"])
    assert folds(sent)["Reviews so far"]
    assert not folds(coach.get(path_of(moment)))["Reviews so far"]


def test_every_field_that_is_wrong_is_linked_from_the_top(school_app, coach, moment):
    first, *_ = skills_of(school_app, moment)
    answer = send(coach, moment, **{f"change-{first}": "9", f"why-{first}": "x", "add-why-2": "y", "add-3": "no-skill"})
    assert answer.status_code == 422
    linked = re.findall(
        r'<a href="#([^"]+)">', re.search(r'(?s)<p class="error" role="alert">.*?</p>', answer.text).group()
    )
    assert linked == [f"change-{first}", "add-2", "add-3", "add-why-3"]
    for name in linked:
        assert f'id="{name}"' in answer.text


def test_sending_twice_is_one_review_and_an_edited_form_is_another(school_app, coach, moment):
    fields = form_of(coach.get(path_of(moment)))
    for _ in range(2):
        assert coach.post(f"{path_of(moment)}/reviews", data=fields).status_code == 303
    assert len(reviews(school_app, moment)) == 1
    first = skills_of(school_app, moment)[0]
    edited = fields | {f"change-{first}": "remove", f"why-{first}": "On second thought, no."}
    assert coach.post(f"{path_of(moment)}/reviews", data=edited).status_code == 303
    assert len(reviews(school_app, moment)) == 2


def test_a_list_that_changed_meanwhile_is_said_and_what_fits_is_kept(school_app, coach, moment):
    first, _, third = skills_of(school_app, moment)
    typed = {f"why-{first}": "Not this one.", f"change-{third}": "1", f"why-{third}": "Start here."}
    fields = form_of(coach.get(path_of(moment))) | typed
    casework(school_app).decline(school_app.people["teacher"], moment.case_id, moment.ranking_id, first)
    answer = coach.post(f"{path_of(moment)}/reviews", data=fields)
    assert answer.status_code == 409
    assert "Tess Teacher changed the list while you wrote." in visible(answer.text)
    assert reviews(school_app, moment) == []
    now, shown = skills_of(school_app, moment), form_of(answer)
    assert first not in now
    assert shown["ranking"] == ranking_of(school_app, moment).ranking_id
    assert shown[f"why-{third}"] == "Start here."
    assert shown[f"change-{third}"] == ("keep" if now[0] == third else "1")
    assert all(shown[f"change-{skill_id}"] == "keep" for skill_id in now if skill_id != third)
    assert "Not this one." in visible(answer.text)
    # Sent again it is a review of the new list.
    assert coach.post(f"{path_of(moment)}/reviews", data=shown).status_code == 303
    (review,) = reviews(school_app, moment)
    assert review.ranking_id == shown["ranking"]


def test_names_in_a_why_are_taken_out_before_it_is_kept(school_app, coach, moment):
    first = skills_of(school_app, moment)[0]
    send(coach, moment, **{f"change-{first}": "remove", f"why-{first}": "Ask Mrs. Whitfield about it."})
    why = reviews(school_app, moment)[0].changes[0].why
    assert "Whitfield" not in why and why


def test_a_moment_without_a_list_takes_added_skills_alone(school_app, coach):
    opened = open_moment(school_app, struggle="Bad day.")
    page = coach.get(path_of(opened))
    assert ranking_of(school_app, opened).suggestions == []
    assert "No skill was suggested for this moment." in visible(page.text)
    assert "Agree with all" not in page.text
    empty = send(coach, opened)
    assert (empty.status_code, "Please add a skill first." in empty.text) == (422, True)
    assert send(coach, opened, **{"add-1": "entry-routine", "add-why-1": "They spoke of it."}).status_code == 303
    assert reviews(school_app, opened)[0].changes == [SkillChange("entry-routine", "add", 1, "They spoke of it.")]


def test_a_moment_about_somebodys_safety_has_no_review(school_app, coach):
    opened = open_moment(
        school_app, struggle="A student told me that her father hits her and she is afraid to go home."
    )
    assert ranking_of(school_app, opened).status == "safeguarding"
    page = coach.get(path_of(opened))
    assert page.status_code == 200
    assert forms(page.text, "/reviews") == []
    assert "father" not in page.text
    assert coach.submit(f"{path_of(opened)}/reviews", {"ranking": opened.ranking_id}).status_code == 409


def test_a_form_of_another_session_or_site_is_refused(school_app, coach, moment):
    fields = form_of(coach.get(path_of(moment)))
    foreign = fields | {"form_token": school_app.client_as("other_coach").form_token}
    assert coach.post(f"{path_of(moment)}/reviews", data=foreign).status_code == 403
    elsewhere = coach.post(f"{path_of(moment)}/reviews", data=fields, headers={"sec-fetch-site": "cross-site"})
    assert elsewhere.status_code == 403
    assert reviews(school_app, moment) == []
