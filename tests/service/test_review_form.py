from __future__ import annotations

from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.catalogue.loader import load_catalogue
from service.pages.posted import parse_posted
from service.pages.review_form import MAX_WHY_CHARACTERS, ReadReview, ReviewForm, read_review
from service.store.reviews import SkillChange

CATALOGUE = load_catalogue()
SHOWN = ["cold-calling", "wait-time", "hinge-questions"]
# Further down the same ranking, not on screen.
BELOW = "exit-tickets"
LISTED = [*SHOWN, BELOW]
NEW = "entry-routine"
KEPT = {f"change-{skill_id}": "keep" for skill_id in SHOWN}


def filled(fields: dict[str, str], shown: list[str] = SHOWN) -> ReviewForm:
    return ReviewForm.of(parse_posted(urlencode(fields).encode()), "r1", shown, CATALOGUE)


def read(**fields: str) -> ReadReview:
    return read_review(
        filled(KEPT | {name.replace("_", "-"): value for name, value in fields.items()}), LISTED, CATALOGUE
    )


def test_a_form_nobody_touched_keeps_every_suggestion():
    assert read().changes == [SkillChange(skill_id, "keep") for skill_id in SHOWN]


def test_the_agree_button_keeps_all_and_takes_a_why_along():
    read_all = read(agree="yes", **{"why-wait-time": " Start here. "})
    assert read_all.changes == [
        SkillChange("cold-calling", "keep"),
        SkillChange("wait-time", "keep", why="Start here."),
        SkillChange("hinge-questions", "keep"),
    ]


def test_the_agree_button_does_not_throw_away_a_change_that_was_made():
    assert read(agree="yes", **{"change-wait-time": "remove", "why-wait-time": "No."}).errors == {
        "agree": "agree_or_change"
    }
    assert read(agree="yes", **{"add-1": NEW, "add-why-1": "Yes."}).errors == {"agree": "agree_or_change"}


def test_moving_taking_out_and_adding_are_read_with_place_and_why():
    changed = read(
        **{
            "change-hinge-questions": "1", "why-hinge-questions": "It is the start.",
            "change-wait-time": "remove", "why-wait-time": "Does it.",
            "add-1": NEW, "add-place-1": "2", "add-why-1": "Lost minutes.",
            "add-2": "think-aloud-modeling", "add-why-2": "Later.",
        }
    )  # fmt: skip
    assert changed.changes == [
        SkillChange("cold-calling", "keep"),
        SkillChange("wait-time", "remove", why="Does it."),
        SkillChange("hinge-questions", "move", 1, "It is the start."),
        SkillChange(NEW, "add", 2, "Lost minutes."),
        SkillChange("think-aloud-modeling", "add", 4, "Later."),
    ]


def test_adding_a_skill_from_further_down_the_ranking_is_moving_it_up():
    assert read(**{"add-3": BELOW, "add-place-3": "1", "add-why-3": "First."}).changes[-1] == SkillChange(
        BELOW, "move", 1, "First."
    )


def test_a_place_of_ones_own_is_keeping():
    assert read(**{"change-wait-time": "2"}).changes[1] == SkillChange("wait-time", "keep")


def test_each_mistake_is_named_at_its_field():
    assert read(**{"change-wait-time": "1"}).errors == {"why-wait-time": "why"}
    assert read(**{"change-wait-time": "remove", "why-wait-time": " \n"}).errors == {"why-wait-time": "why"}
    assert read(**{"change-wait-time": "4", "why-wait-time": "x"}).errors == {"change-wait-time": "place"}
    assert read(**{"change-wait-time": "", "why-wait-time": "x"}).errors == {"change-wait-time": "place"}
    assert read(**{"why-wait-time": "x" * (MAX_WHY_CHARACTERS + 1)}).errors == {"why-wait-time": "too_long"}
    assert read(**{"add-1": NEW}).errors == {"add-why-1": "why"}
    assert read(**{"add-why-2": "x"}).errors == {"add-2": "skill"}
    assert read(**{"add-place-2": "1", "add-why-2": "x"}).errors == {"add-2": "skill"}
    assert read(**{"add-1": "no-such-skill", "add-why-1": "x"}).errors == {"add-1": "skill"}
    assert read(**{"add-1": "wait-time", "add-why-1": "x"}).errors == {"add-1": "listed"}
    assert read(**{"add-1": NEW, "add-why-1": "x", "add-3": NEW, "add-why-3": "y"}).errors == {"add-3": "twice"}
    assert read(**{"add-1": NEW, "add-place-1": "0", "add-why-1": "x"}).errors == {"add-place-1": "place"}


def test_two_skills_do_not_get_the_same_place():
    both = {
        "change-cold-calling": "2",
        "why-cold-calling": "a",
        "change-hinge-questions": "2",
        "why-hinge-questions": "b",
    }
    assert read(**both).errors == {"change-hinge-questions": "same_place"}
    with_added = {
        "change-cold-calling": "2",
        "why-cold-calling": "a",
        "add-1": NEW,
        "add-place-1": "2",
        "add-why-1": "b",
    }
    assert read(**with_added).errors == {"add-place-1": "same_place"}


def test_nothing_at_all_is_no_review():
    assert read_review(filled({}, []), [], CATALOGUE).errors == {"add-1": "nothing"}
    assert read_review(filled({"agree": "yes"}, []), [], CATALOGUE).errors == {"add-1": "nothing"}


def test_what_was_typed_is_laid_over_a_list_that_changed_meanwhile():
    typed = {
        "change-wait-time": "1",
        "why-wait-time": "First.",
        "why-cold-calling": "Not now.",
        "add-1": NEW,
        "once": "o1",
    }
    form = filled(typed, ["wait-time", "exit-tickets"])
    assert [(row.skill_id, row.why) for row in form.suggested] == [("wait-time", "First."), ("exit-tickets", "")]
    # What was a move to the first place is where it stands now.
    assert form.suggested[0].is_kept
    assert form.left_over == (("cold-calling", "Not now."),)
    assert form.added[0].skill_id == NEW
    assert form.once == "o1"


CHANGES = st.sampled_from(["keep", "remove", "1", "2", "3", "4", "", "move"])
WHYS = st.sampled_from(["", "  ", "Because.", "x" * MAX_WHY_CHARACTERS, "x" * (MAX_WHY_CHARACTERS + 1)])
ADDED = st.sampled_from(["", NEW, "think-aloud-modeling", "wait-time", BELOW, "nothing-like-it"])
PLACES = st.sampled_from(["", "1", "2", "3", "4", "-1"])


@st.composite
def any_fields(draw: st.DrawFn) -> dict[str, str]:
    fields = {f"change-{skill_id}": draw(CHANGES) for skill_id in SHOWN}
    fields |= {f"why-{skill_id}": draw(WHYS) for skill_id in SHOWN}
    for number in (1, 2, 3):
        fields |= {f"add-{number}": draw(ADDED), f"add-place-{number}": draw(PLACES), f"add-why-{number}": draw(WHYS)}
    if draw(st.booleans()):
        fields["agree"] = "yes"
    left_out = draw(st.sets(st.sampled_from(sorted(fields)), max_size=3))
    return {name: value for name, value in fields.items() if name not in left_out}


def said(fields: dict[str, str]) -> list[tuple[str, str, str]]:
    """What the fields say, skill by skill: action or place, why."""
    told = [
        (skill, fields.get(f"change-{skill}", ""), fields.get(f"why-{skill}", "").strip()) for skill in SHOWN
    ]  # fmt: skip
    for number in (1, 2, 3):
        row = [fields.get(f"add{part}-{number}", "") for part in ("", "-place", "-why")]
        if any(part.strip() for part in row):
            told.append((row[0], row[1], row[2].strip()))
    return told


@given(any_fields())
@settings(max_examples=400, deadline=None)
def test_any_fields_are_recorded_as_they_say_or_refused_at_a_field_of_the_form(fields: dict[str, str]):
    result = read_review(filled(fields), LISTED, CATALOGUE)
    assert bool(result.changes) != bool(result.errors)
    names = {*any_names(), "agree"}
    assert set(result.errors) <= names
    if result.errors:
        return
    assert [(change.skill_id, change.why) for change in result.changes] == [
        (skill, why) for skill, _, why in said(fields)
    ]
    places = [change.to_rank for change in result.changes if change.to_rank is not None]
    assert len(set(places)) == len(places)
    behind = iter(range(4, 7))
    for position, (change, (skill, told, why)) in enumerate(zip(result.changes, said(fields), strict=True)):
        is_suggested = position < len(SHOWN)
        if is_suggested and told in ("keep", str(position + 1)):
            assert (change.action, change.to_rank) == ("keep", None)
        elif is_suggested and told == "remove":
            assert (change.action, change.to_rank) == ("remove", None) and why
        else:
            assert change.action == ("move" if skill in LISTED else "add") and why
            assert change.to_rank == (int(told) if told else next(behind))
    if "agree" in fields:
        assert {change.action for change in result.changes} == {"keep"}


def any_names() -> set[str]:
    names = {f"{kind}-{skill_id}" for kind in ("change", "why") for skill_id in SHOWN}
    return names | {f"add{part}-{number}" for part in ("", "-place", "-why") for number in (1, 2, 3)}
