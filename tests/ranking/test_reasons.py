from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.ranking.fusion import Evidence
from recommender.ranking.messages import message
from recommender.ranking.ordering import Placed
from recommender.ranking.reasons import MAX_ITEMS, MAX_QUOTES, explain

# Effects in 1/1024 are exact in binary, and so is every sum of them: "adds up" is tested with ==.
exact = st.integers(-8192, 8192).map(lambda units: units / 1024)
bounded = settings(max_examples=150, deadline=None, derandomize=True)


def evidence_of(
    *clauses: tuple[str, float],
    prior: float = -1.5,
    subject: float = 0,
    grade: float = 0,
    items: Sequence[tuple[str, float]] = (),
    notes: Sequence[tuple[str, float]] = (),
    note_rest: float = 0,
    interest: float = 0,
) -> Evidence:
    """Evidence over three skills; everything speaks for the second one, the others hold what must not be read."""

    def among(*effects: float) -> np.ndarray:
        return np.array([[99.0, effect, -99.0] for effect in effects]).reshape(-1, 3)

    return Evidence(
        prior=among(prior)[0],
        clauses=[text for text, _ in clauses],
        clause_effects=among(*(effect for _, effect in clauses)),
        subject=among(subject)[0],
        grade_band=among(grade)[0],
        items=tuple(("rubric", code) for code, _ in items),
        item_effects=among(*(effect for _, effect in items)),
        note_clauses=[text for text, _ in notes],
        note_effects=among(*(effect for _, effect in notes)),
        note_rest=among(note_rest)[0],
        interest=among(interest)[0],
    )


def called(item: tuple[str, str]) -> str:
    return f"{item[1]} of {item[0]}"


def reasons_of(evidence: Evidence, spread: float = 0.0, visits: Sequence[int] = ()) -> list[tuple[str, str, float]]:
    reasons = explain(evidence, Placed(1, spread), called, visits or (1,) * len(evidence.items))
    return [(reason.source, reason.text, reason.effect) for reason in reasons]


def test_the_prior_comes_first_and_then_the_strongest_phrases():
    evidence = evidence_of(("weak", 0.25), ("strong", 2.0), ("against", -0.5), ("middling", 1.0))
    assert reasons_of(evidence) == [
        ("prior", message("prior"), -1.5),
        ("struggle", "strong", 2.0),
        ("struggle", "middling", 1.0),
        ("struggle", "weak", 0.25),
        ("struggle", message("rest_of_words"), -0.5),
    ]


def test_at_most_three_phrases_are_quoted_and_the_rest_is_summed():
    evidence = evidence_of(*((f"clause {i}", 2.0 - i / 4) for i in range(6)))
    quotes = reasons_of(evidence)[1:]
    assert [text for _, text, _ in quotes] == ["clause 0", "clause 1", "clause 2", message("rest_of_words")]
    assert quotes[-1] == ("struggle", message("rest_of_words"), 1.25 + 1.0 + 0.75)


def test_only_phrases_that_speak_for_the_skill_are_quoted():
    evidence = evidence_of(("for", 0.5), ("nothing", 0.0), ("against", -1.0))
    assert reasons_of(evidence)[1:] == [("struggle", "for", 0.5), ("struggle", message("rest_of_words"), -1.0)]


def test_where_no_phrase_speaks_for_the_skill_the_least_bad_one_is_quoted():
    evidence = evidence_of(("worst", -2.0), ("least bad", -0.25), ("bad", -1.0))
    assert reasons_of(evidence)[1:] == [("struggle", "least bad", -0.25), ("struggle", message("rest_of_words"), -3.0)]


def test_a_single_phrase_leaves_no_rest():
    assert reasons_of(evidence_of(("only", 1.0)))[1:] == [("struggle", "only", 1.0)]


def test_phrases_of_equal_effect_are_quoted_in_the_teachers_order():
    # Many enough for a sort that is not stable to shuffle them.
    evidence = evidence_of(*((f"clause {i}", 0.25 * (i % 3)) for i in range(90)))
    assert [text for _, text, _ in reasons_of(evidence)[1:4]] == ["clause 2", "clause 5", "clause 8"]


@pytest.mark.parametrize(
    ("parts", "spread", "expected"),
    [
        ({}, 0.0, []),
        ({}, -0.0, []),
        ({"subject": -0.75}, 0.0, [("context", message("other_subject"), -0.75)]),
        ({"grade": -0.5}, 0.0, [("context", message("other_grade_band"), -0.5)]),
        ({}, -0.25, [("constraint", message("spread"), -0.25)]),
        (
            {"subject": -0.75, "grade": -0.5},
            -0.25,
            [
                ("context", message("other_subject"), -0.75),
                ("context", message("other_grade_band"), -0.5),
                ("constraint", message("spread"), -0.25),
            ],
        ),
    ],
)
def test_context_and_constraint_are_given_only_where_they_count(parts, spread, expected):
    evidence = evidence_of(("only", 1.0), **parts)
    assert reasons_of(evidence, spread)[2:] == expected


def test_reasons_are_given_for_the_placed_skill():
    evidence = evidence_of(("only", 1.0))
    for place, effect in ((0, 99.0), (2, -99.0)):
        reasons = explain(evidence, Placed(place, 0.0), called)
        assert [(r.source, r.effect) for r in reasons] == [
            ("prior", effect), ("struggle", effect), ("note", effect), ("context", effect), ("context", effect),
            ("context", effect),
        ]  # fmt: skip


@bounded
@given(
    st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9), exact), min_size=1),
    exact,
    exact,
    exact,
    st.integers(-1024, 0).map(lambda units: units / 1024),
)
def test_effects_add_up_exactly_to_the_score(clauses, prior, subject, grade, spread):
    evidence = evidence_of(*clauses, prior=prior, subject=subject, grade=grade)
    reasons = explain(evidence, Placed(1, spread), called)
    assert sum(reason.effect for reason in reasons) == evidence.score[1] + spread
    quoted = [reason for reason in reasons if reason.source == "struggle"]
    rest = [reason for reason in quoted if reason.text == message("rest_of_words")]
    assert len(quoted) - len(rest) <= MAX_QUOTES
    assert {reason.text for reason in quoted if reason not in rest} <= {text for text, _ in clauses}
    assert all(reason.effect for reason in reasons if reason.source in ("context", "constraint"))


@bounded
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=40), st.floats(-20, 20))
def test_effects_of_any_size_add_up_to_the_score(effects, prior):
    evidence = evidence_of(*((f"clause {i}", effect) for i, effect in enumerate(effects)), prior=prior)
    total = sum(reason.effect for reason in explain(evidence, Placed(1, 0.0), called))
    assert total == pytest.approx(evidence.score[1], abs=1e-11)


# Observations


def test_items_come_after_the_words_the_strongest_either_way_first():
    evidence = evidence_of(items=[("a", 0.25), ("b", -0.5), ("c", 1.0), ("d", 0.0)])
    more, less = (
        lambda item: message("item_more_need", item=f"{item} of rubric", visits="2 visits"),
        lambda item: message("item_less_need", item=f"{item} of rubric", visits="2 visits"),
    )
    assert reasons_of(evidence, visits=(2, 2, 2, 2))[1:] == [
        ("observation", more("c"), 1.0),
        ("observation", less("b"), -0.5),
        ("observation", more("a"), 0.25),
    ]


def test_an_items_reason_names_its_instrument_and_item():
    reason = explain(evidence_of(items=[("a", 0.25)]), Placed(1, 0.0), called, (1,))[1]
    assert (reason.source, reason.instrument, reason.item) == ("observation", "rubric", "a")
    assert "one visit" in reason.text


def test_the_number_of_visits_is_the_items_own():
    evidence = evidence_of(items=[("a", 0.5), ("b", 0.25)])
    texts = [text for _, text, _ in reasons_of(evidence, visits=(1, 12))[1:]]
    assert "(one visit)" in texts[0] and "(12 visits)" in texts[1]


def test_an_item_that_goes_better_where_the_words_point_is_said_to_disagree_with_them():
    disagrees = message("item_disagrees", item="a of rubric", visits="one visit")
    less = message("item_less_need", item="a of rubric", visits="one visit")
    assert reasons_of(evidence_of(("words", 1.0), items=[("a", -0.5)]))[-1][1] == disagrees
    assert reasons_of(evidence_of(("words", -1.0), items=[("a", -0.5)]))[-1][1] == less
    assert reasons_of(evidence_of(items=[("a", -0.5)]))[-1][1] == less


def test_at_most_three_items_are_named_and_the_others_are_summed():
    evidence = evidence_of(items=[(f"i{i}", (-1) ** i * (2 - i / 4)) for i in range(6)])
    named = reasons_of(evidence)[1:]
    assert len(named) == MAX_ITEMS + 1
    assert named[-1] == ("observation", message("other_items"), -1.25 + 1.0 - 0.75)


def test_a_note_is_quoted_and_all_that_is_left_of_the_notes_is_one_reason():
    notes = [("strong", 1.0), ("against", -0.5), ("weak", 0.25)]
    assert reasons_of(evidence_of(notes=notes, note_rest=-0.125))[1:] == [
        ("note", "strong", 1.0),
        ("note", "weak", 0.25),
        ("note", message("rest_of_notes"), -0.625),
    ]
    assert reasons_of(evidence_of(notes=notes[:1], note_rest=-0.125))[1:] == [
        ("note", "strong", 1.0),
        ("note", message("rest_of_notes"), -0.125),
    ]
    assert reasons_of(evidence_of(notes=notes[:1]))[1:] == [("note", "strong", 1.0)]


def test_a_note_whose_phrase_is_the_sentence_of_the_rest_is_still_counted_once():
    evidence = evidence_of(notes=[(message("rest_of_notes"), 1.0)], note_rest=-0.25)
    assert sum(effect for _, _, effect in reasons_of(evidence)) == evidence.score[1]


def test_words_and_notes_and_items_that_count_for_nothing_are_not_named():
    assert reasons_of(evidence_of(("words", 0.0), notes=[("note", 0.0)], items=[("a", 0.0)])) == [
        ("prior", message("prior"), -1.5)
    ]


def test_interest_is_the_first_of_the_context():
    assert reasons_of(evidence_of(interest=0.5, subject=-0.25))[1:] == [
        ("context", message("interest"), 0.5),
        ("context", message("other_subject"), -0.25),
    ]


@bounded
@given(
    st.lists(st.tuples(st.sampled_from("abcde"), exact), max_size=6),
    st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), exact), max_size=6),
    st.lists(st.tuples(st.sampled_from(["w1", "w2"]), exact), max_size=6),
    exact,
    exact,
    exact,
    st.integers(-1024, 0).map(lambda units: units / 1024),
)
def test_effects_of_words_notes_items_and_interest_add_up_exactly(items, notes, words, rest, interest, subject, spread):
    evidence = evidence_of(*words, items=items, notes=notes, note_rest=rest, interest=interest, subject=subject)
    reasons = explain(evidence, Placed(1, spread), called, (1,) * len(items))
    assert sum(reason.effect for reason in reasons) == evidence.score[1] + spread
    order = ["prior", "struggle", "note", "observation", "context", "constraint"]
    places = [order.index(reason.source) for reason in reasons]
    assert places == sorted(places)
    assert all((reason.item is None) == (reason.instrument is None) for reason in reasons)
