"""Observations, notes and interests through the shipped model; where no words are needed none are given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from observed_cases import (
    DANIELSON,
    LESSON_ITEMS,
    MARKER,
    case_of,
    lesson,
    lessons,
    observation,
    rubric,
    score_rows,
)

from recommender.cases import Case, Ranking, Suggestion
from recommender.catalogue.instruments import load_instruments
from recommender.errors import CaseError
from recommender.observations.notices import notice
from recommender.ranking.messages import message
from recommender.ranking.notes import NoteReader
from recommender.ranking.recommender import Recommender

QUESTIONS = "The same three students answer every question I ask and the rest wait for them to do it."
UNSAFE = "A girl in her class told her at recess that her uncle hurts her at night and made her promise not to tell."
OFF_TOPIC = "The district has not paid my stipend since August and payroll does not answer my emails."
ABOUT_QUESTIONS = (
    "Ten questions to the whole room, and the same three students answered nine; nobody else was called on."
)

# Routines and behaviour go worse than the rest, questions and tasks better; and the other way round.
ROUTINES_LOW = dict.fromkeys(LESSON_ITEMS, 2) | {"2c": 1, "2d": 1, "3b": 4, "3c": 4, "3d": 4}
QUESTIONS_LOW = dict.fromkeys(LESSON_ITEMS, 3) | {"3b": 1, "3c": 2}
FLAT = dict.fromkeys(LESSON_ITEMS, 2)


def content(ranking: Ranking) -> str:
    """Everything but the hash, which holds the case's mix and interests too."""
    return ranking.model_copy(update={"input_hash": ""}).to_json()


def observed_reasons(suggestion: Suggestion) -> list[Any]:
    return [reason for reason in suggestion.reasons if reason.source in ("observation", "note")]


def adds_up(suggestion: Suggestion) -> bool:
    return suggestion.score == pytest.approx(sum(reason.effect for reason in suggestion.reasons), abs=1e-12)


@pytest.fixture(scope="module")
def words_alone(recommender: Recommender) -> Ranking:
    return recommender.rank(case_of(struggle=QUESTIONS, top=115))


@pytest.fixture(scope="module")
def own(recommender: Recommender) -> Recommender:
    """A recommender that also knows rubrics of a user: one without a crosswalk, one with an item that has a skill."""
    rubrics = [
        rubric(3, {}, name="unmapped"),
        rubric(3, {"I0": {"wait-time": 1.0}}, name="one-skill"),
        rubric(2, {"I0": {"wait-time": 1.0}, "I1": {"cold-calling": 1.0}}, name="nothing-usual", families=False),
    ]
    return Recommender.load(instruments=load_instruments().beside(rubrics))


# Words alone


@pytest.mark.parametrize("context", [{"mix": 1.0}, {"mix": 0.0, "interests": ["questioning-discourse"]}])
def test_without_observations_mix_and_interests_change_nothing(
    recommender: Recommender, words_alone: Ranking, context: dict[str, object]
) -> None:
    ranking = recommender.rank(case_of(struggle=QUESTIONS, top=115, context=context))
    assert content(ranking) == content(words_alone)
    assert ranking.input_hash != words_alone.input_hash


def test_scores_that_are_all_not_scored_change_nothing(recommender: Recommender, words_alone: Ranking) -> None:
    ranking = recommender.rank(case_of(lesson({"3b": "N/A", "3c": "n/a"}), QUESTIONS, top=115))
    assert content(ranking) == content(words_alone)


def test_at_mix_0_the_suggestions_are_those_of_the_words_alone(recommender: Recommender, words_alone: Ranking) -> None:
    seen = lessons(QUESTIONS_LOW, 4)
    context = {"mix": 0.0, "interests": ["questioning-discourse"]}
    ranking = recommender.rank(case_of(seen, QUESTIONS, top=115, context=context))
    assert ranking.suggestions == words_alone.suggestions
    assert (words_alone.evidence_grade, ranking.evidence_grade) == ("D", "A")


# Effects


def test_effects_of_words_notes_scores_interests_and_spread_add_up(
    recommender: Recommender, words_alone: Ranking
) -> None:
    seen = [*lessons(QUESTIONS_LOW, 4), observation("3b", 1, visit="v9", day="2026-03-30", note=ABOUT_QUESTIONS)]
    context = {"interests": ["questioning-discourse"], "subject": "art", "grade_band": "high"}
    suggestions = recommender.rank(case_of(seen, QUESTIONS, top=115, context=context)).suggestions
    assert all(adds_up(suggestion) for suggestion in suggestions)
    sources = {(r.source, r.text) for s in suggestions for r in s.reasons}
    assert {source for source, _ in sources} == {"prior", "struggle", "note", "observation", "context", "constraint"}
    assert {("context", message("interest")), ("context", message("other_subject"))} <= sources
    before = {s.skill_id: s.score for s in words_alone.suggestions}
    after = {s.skill_id: s.score for s in suggestions}
    lift = {skill_id: after[skill_id] - before[skill_id] for skill_id in before}
    assert lift["cold-calling"] > lift["entry-routine"]


def test_quotes_of_a_note_are_what_the_observer_wrote(recommender: Recommender) -> None:
    ranking = recommender.rank(case_of([observation("3b", 1, note=ABOUT_QUESTIONS), observation("2d", 3)]))
    quotes = [r.text for s in ranking.suggestions for r in s.reasons if r.source == "note"]
    assert any(text in ABOUT_QUESTIONS for text in quotes)
    assert all(text in ABOUT_QUESTIONS or text == message("rest_of_notes") for text in quotes)


# Observations alone


@pytest.mark.parametrize("context", [{}, {"mix": 0.0}, {"mix": 1.0}, {"interests": ["literacy-languages"]}])
def test_scores_alone_suggest_only_what_they_speak_for(recommender: Recommender, context: dict[str, object]) -> None:
    ranking = recommender.rank(case_of(lessons(QUESTIONS_LOW, 8), top=115, context=context))
    crosswalk = recommender.instruments.crosswalk(DANIELSON)
    assert (ranking.status, ranking.message, ranking.evidence_grade) == ("ranked", None, "A")
    strongest = max(ranking.suggestions, key=lambda s: sum(reason.effect for reason in observed_reasons(s)))
    assert strongest.skill_id in crosswalk["3b"]
    for suggestion in ranking.suggestions:
        seen = observed_reasons(suggestion)
        assert sum(reason.effect for reason in seen) > 0
        named = {reason.item for reason in seen if reason.item is not None}
        assert all(suggestion.skill_id in crosswalk[item] for item in named)
        assert {reason.instrument for reason in seen if reason.item} == {DANIELSON}
        assert adds_up(suggestion)


def test_interests_lift_what_was_seen_and_never_bring_in_what_was_not(recommender: Recommender) -> None:
    plain = recommender.rank(case_of(lesson(QUESTIONS_LOW), top=115))
    every_domain = recommender.catalogue.domains
    for domain in every_domain:
        liked = recommender.rank(case_of(lesson(QUESTIONS_LOW), top=115, context={"interests": [domain]}))
        assert {s.skill_id for s in liked.suggestions} == {s.skill_id for s in plain.suggestions}


def test_words_that_cannot_be_used_are_said_to_be_unused_beside_scores(recommender: Recommender) -> None:
    plain = recommender.rank(case_of(lesson(QUESTIONS_LOW)))
    for words in ("Good.", OFF_TOPIC):
        ranking = recommender.rank(case_of(lesson(QUESTIONS_LOW), words))
        assert ranking.status == "ranked"
        assert ranking.notices == [message("words_not_used"), *plain.notices]
        assert ranking.suggestions == plain.suggestions


def test_at_mix_1_the_words_are_set_aside(recommender: Recommender) -> None:
    plain = recommender.rank(case_of(lesson(QUESTIONS_LOW)))
    ranking = recommender.rank(case_of(lesson(QUESTIONS_LOW), QUESTIONS, context={"mix": 1.0}))
    assert ranking.notices == [message("words_set_aside"), *plain.notices]
    assert ranking.suggestions == plain.suggestions


@pytest.mark.parametrize("scores", [FLAT, {"3b": 1}], ids=["flat", "one item"])
def test_scores_that_give_no_order_are_not_enough(recommender: Recommender, scores: dict[str, object]) -> None:
    ranking = recommender.rank(case_of(lesson(scores)))
    assert (ranking.status, ranking.message) == ("not_enough", message("scores_alike"))
    assert ranking.suggestions == []
    assert ranking.evidence_grade is None


@pytest.mark.parametrize(
    ("scores", "said"), [(FLAT, message("observations_flat")), ({"3b": 1}, notice("one_item"))], ids=["flat", "one"]
)
def test_scores_that_give_no_order_leave_the_list_to_the_words(
    recommender: Recommender, words_alone: Ranking, scores: dict[str, object], said: str
) -> None:
    ranking = recommender.rank(case_of(lesson(scores), QUESTIONS, top=115))
    assert ranking.suggestions == words_alone.suggestions
    assert ranking.notices[0] == said


def test_scores_of_a_rubric_without_skills_say_so(own: Recommender) -> None:
    ranking = own.rank(case_of(lesson({"I0": 1, "I1": 3}, instrument="unmapped")))
    assert (ranking.status, ranking.message) == ("not_enough", message("scores_without_skills"))


def test_scores_that_point_to_no_skill_are_not_enough(own: Recommender) -> None:
    ranking = own.rank(case_of(lesson({"I0": 4, "I1": 1, "I2": 1}, instrument="one-skill")))
    assert (ranking.status, ranking.message) == ("not_enough", message("scores_without_needs"))


def test_scores_of_a_rubric_without_families_are_read_against_what_is_usual_over_all_ratings(own: Recommender) -> None:
    ranking = own.rank(case_of(lesson({"I0": 1, "I1": 4}, instrument="nothing-usual")))
    assert [suggestion.skill_id for suggestion in ranking.suggestions] == ["wait-time"]
    assert notice("thin_norms") in ranking.notices


def test_scores_of_two_rubrics_count_together(own: Recommender) -> None:
    seen = [*lesson(QUESTIONS_LOW), *lesson({"I0": 1, "I1": 3, "I2": 4}, instrument="one-skill")]
    (wait_time,) = [s for s in own.rank(case_of(seen, top=115)).suggestions if s.skill_id == "wait-time"]
    assert {(r.instrument, r.item) for r in observed_reasons(wait_time)} == {(DANIELSON, "3b"), ("one-skill", "I0")}


def test_declined_skills_and_minutes_hold_for_scores_too(recommender: Recommender) -> None:
    first = recommender.rank(case_of(lesson(QUESTIONS_LOW))).suggestions[0].skill_id
    context = {"minutes_per_week": 20, "fit_minutes": True}
    ranking = recommender.rank(case_of(lesson(QUESTIONS_LOW), declined=[first], context=context, top=115))
    assert ranking.suggestions
    assert all(recommender.catalogue[s.skill_id].minutes_per_week <= 20 for s in ranking.suggestions)
    assert first not in {s.skill_id for s in ranking.suggestions}
    nothing = recommender.rank(case_of(lesson(QUESTIONS_LOW), declined=list(recommender.catalogue.ids)))
    assert (nothing.status, nothing.message) == ("ranked", message("all_left_out"))


# Disagreement


def test_where_words_and_many_visits_disagree_both_are_shown_and_it_is_said(recommender: Recommender) -> None:
    ranking = recommender.rank(case_of(lessons(ROUTINES_LOW, 8), QUESTIONS, top=40))
    assert message("observations_disagree") in ranking.notices
    crosswalk = recommender.instruments.crosswalk(DANIELSON)
    of_words = [s for s in ranking.suggestions if s.skill_id in crosswalk["3b"].keys() | crosswalk["3c"].keys()]
    of_scores = [s for s in ranking.suggestions if s.skill_id in crosswalk["2c"].keys() | crosswalk["2d"].keys()]
    assert of_words and of_scores
    assert any("your words point here" in r.text for s in of_words for r in s.reasons)
    assert any("more room to grow" in r.text for s in of_scores for r in s.reasons)


# Notes


def test_a_note_about_a_skill_lifts_it(recommender: Recommender) -> None:
    seen = lesson({"3b": 1, "2c": 1, "2a": 4, "2e": 4})
    noted = [seen[0] | {"note": ABOUT_QUESTIONS}, *seen[1:]]
    before, after = (
        {s.skill_id: s.score for s in recommender.rank(case_of(each, top=115)).suggestions} for each in (seen, noted)
    )
    assert after["cold-calling"] > before["cold-calling"]
    assert list(after).index("cold-calling") < list(before).index("cold-calling")


def test_a_note_alone_is_enough(recommender: Recommender) -> None:
    ranking = recommender.rank(case_of([observation("3b", "N/A", note=ABOUT_QUESTIONS)]))
    assert (ranking.status, ranking.evidence_grade) == ("ranked", "D")
    assert all({r.source for r in observed_reasons(s)} == {"note"} for s in ranking.suggestions)


def test_an_off_topic_note_is_left_out(recommender: Recommender) -> None:
    seen = lesson(QUESTIONS_LOW)
    noted = [seen[0] | {"note": OFF_TOPIC}, *seen[1:]]
    assert content(recommender.rank(case_of(noted))) == content(recommender.rank(case_of(seen)))


@pytest.mark.parametrize("struggle", ["", QUESTIONS, OFF_TOPIC])
@pytest.mark.parametrize("value", [2, "N/A"])
def test_a_note_about_somebodys_safety_is_answered_with_a_person_whatever_the_words_say(
    recommender: Recommender, struggle: str, value: object
) -> None:
    ranking = recommender.rank(case_of([observation("3b", value, note=UNSAFE), observation("3c", 3)], struggle))
    assert ranking.status == "safeguarding"
    assert "Ms. Duty" in (ranking.message or "")
    assert ranking.suggestions == []
    assert "uncle" not in ranking.to_json()


def test_at_most_eight_notes_are_read(recommender: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    plain = NoteReader.read
    monkeypatch.setattr(NoteReader, "read", lambda self, notes: read.append(len(notes)) or plain(self, []))
    recommender.rank(case_of([observation("3b", 1, segment=i, note=f"Note {i}.") for i in range(20)]))
    assert read == [8]


# Refusals


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"instrument": MARKER}, "instrument"), ({"item": MARKER}, "item"), ({"value": MARKER}, "value")],
)
def test_what_cannot_be_read_is_refused_before_anything_is_ranked(
    recommender: Recommender, changes: dict[str, object], field: str
) -> None:
    wrong = observation("3b", 2, note=f"{MARKER} note") | changes
    with pytest.raises(CaseError) as caught:
        recommender.rank(case_of([observation("3c", 2), wrong], f"{MARKER} words"))
    assert caught.value.where == f"observations.1.{field}"
    assert MARKER not in str(caught.value)


# Joined scores and others


def test_joined_scores_rank_as_the_cases_own_do(recommender: Recommender) -> None:
    seen = lessons(QUESTIONS_LOW, 3)
    bare = case_of(teacher_id="t1", top=115)
    joined = recommender.rank(bare, score_rows(*seen))
    assert content(joined) == content(recommender.rank(case_of(seen, teacher_id="t1", top=115)))
    assert joined.input_hash == recommender.rank(bare).input_hash == bare.input_hash()
    assert recommender.rank(bare).status == "not_enough"
    both = recommender.rank(case_of(seen, teacher_id="t1", top=115), score_rows(*seen, tenant="north"))
    assert content(both) == content(joined)


@pytest.mark.parametrize(("visits", "observers", "grade"), [(1, 1, "C"), (2, 1, "B"), (4, 1, "B"), (4, 2, "A")])
def test_the_evidence_grade_goes_by_visits_and_observers(
    recommender: Recommender, visits: int, observers: int, grade: str
) -> None:
    assert recommender.rank(case_of(lessons(QUESTIONS_LOW, visits, observers))).evidence_grade == grade


def test_a_missing_visit_is_the_days_and_the_observers(recommender: Recommender) -> None:
    named = lessons(QUESTIONS_LOW, 3)
    unnamed = [each | {"visit": None} for each in named]
    assert content(recommender.rank(case_of(unnamed))) == content(recommender.rank(case_of(named)))


def test_an_answer_does_not_depend_on_the_other_cases(recommender: Recommender) -> None:
    cases = [
        case_of(lessons(values, visits), case_id=f"c{i}", teacher_id=f"t{i}")
        for i, (values, visits) in enumerate(
            [(QUESTIONS_LOW, 1), (ROUTINES_LOW, 3), (FLAT, 2), ({"2a": 1, "3e": 4}, 5)]
        )
    ]
    alone = [recommender.rank(each).to_json() for each in cases]
    assert [each.to_json() for each in recommender.rank_many(reversed(cases))] == alone[::-1]


@st.composite
def observed_cases(draw: st.DrawFn) -> Case:
    values = st.one_of(st.integers(1, 4), st.sampled_from(["Basic", "N/A", "proficient"]), st.floats(1, 4))
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from((*LESSON_ITEMS, "1a", "4f")), values, st.integers(1, 28), st.sampled_from("ab")),
            max_size=12,
        )
    )
    seen = [observation(item, value, visit=None, day=f"2026-02-{day:02d}", observer=o) for item, value, day, o in rows]
    mix = draw(st.sampled_from([0.0, 0.4, 0.5, 0.8, 1.0]))
    interests = draw(st.sampled_from([[], ["questioning-discourse"]]))
    return case_of(seen, top=115, context={"mix": mix, "interests": interests})


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(observed_cases())
def test_any_observations_are_answered_with_reasons_that_add_up(recommender: Recommender, case: Case) -> None:
    ranking = recommender.rank(case)
    assert ranking.status in ("ranked", "not_enough")
    assert (ranking.message is None) == bool(ranking.suggestions) == (ranking.status == "ranked")
    assert all(adds_up(suggestion) for suggestion in ranking.suggestions)
    assert all(sum(r.effect for r in observed_reasons(s)) > 0 for s in ranking.suggestions)
    placed = [s.score for s in ranking.suggestions]
    assert placed == sorted(placed, reverse=True)
