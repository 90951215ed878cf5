from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.ranking.fusion import Evidence
from recommender.ranking.messages import message
from recommender.ranking.ordering import Placed
from recommender.ranking.reasons import MAX_QUOTES, explain

# Effects in 1/1024 are exact in binary, and so is every sum of them: "adds up" is tested with ==.
exact = st.integers(-8192, 8192).map(lambda units: units / 1024)
bounded = settings(max_examples=150, deadline=None, derandomize=True)


def evidence_of(*clauses: tuple[str, float], prior: float = -1.5, subject: float = 0, grade: float = 0) -> Evidence:
    """Evidence over three skills; the clauses speak for the second one, the others hold what must not be read."""
    effects = np.array([[99.0, effect, -99.0] for _, effect in clauses]).reshape(-1, 3)
    return Evidence(
        prior=np.array([99.0, prior, -99.0]),
        clauses=[text for text, _ in clauses],
        clause_effects=effects,
        subject=np.array([99.0, subject, -99.0]),
        grade_band=np.array([99.0, grade, -99.0]),
    )


def reasons_of(evidence: Evidence, spread: float = 0.0) -> list[tuple[str, str, float]]:
    return [(reason.source, reason.text, reason.effect) for reason in explain(evidence, Placed(1, spread))]


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
    assert [r.effect for r in explain(evidence, Placed(0, 0.0))] == [99.0, 99.0, 99.0, 99.0]
    assert [r.effect for r in explain(evidence, Placed(2, 0.0))] == [-99.0, -99.0, -99.0, -99.0]


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
    reasons = explain(evidence, Placed(1, spread))
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
    total = sum(reason.effect for reason in explain(evidence, Placed(1, 0.0)))
    assert total == pytest.approx(evidence.score[1], abs=1e-11)
