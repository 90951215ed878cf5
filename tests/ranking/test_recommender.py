"""The product's main job on the shipped model: a teacher's words in, honest suggestions out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.cases import Case, Context
from recommender.ranking.recommender import Recommender
from recommender.training.corpus import REAL_DEV, load_rows

STRUGGLES = (
    "The same three students answer every question I ask and the rest wait for them to do it.",
    "My newcomers from Guatemala speak no English yet. They sit silent in science, nod, and can't tell me one thing.",
    "Half of 4th period is on phones under the desk by ten past. I confiscate, they argue, I lose ten minutes.",
)


def case(struggle: str, **fields: object) -> Case:
    return Case.model_validate({"case_id": "c", "struggle": struggle, **fields})


@pytest.mark.parametrize("struggle", STRUGGLES)
def test_reasons_add_up_exactly_to_the_score(recommender: Recommender, struggle: str) -> None:
    for suggestion in recommender.rank(case(struggle, top=115)).suggestions:
        assert suggestion.score == pytest.approx(sum(r.effect for r in suggestion.reasons), abs=1e-12)


@pytest.mark.parametrize("struggle", STRUGGLES)
def test_reasons_quote_the_teacher_to_the_letter(recommender: Recommender, struggle: str) -> None:
    for suggestion in recommender.rank(case(struggle)).suggestions:
        quotes = [r.text for r in suggestion.reasons if r.source == "struggle"]
        assert quotes
        assert all(text in struggle or text == "The rest of what you wrote" for text in quotes)


def test_scores_fall_and_probabilities_follow_them(recommender: Recommender) -> None:
    suggestions = recommender.rank(case(STRUGGLES[0], top=115)).suggestions
    assert [s.rank for s in suggestions] == list(range(1, 116))
    probabilities = [s.probability for s in suggestions]
    assert all(0 < p < 1 for p in probabilities)
    assert probabilities[:10] == sorted(probabilities[:10], reverse=True)
    order = {"strong": 0, "likely": 1, "possible": 2}
    words = [order[s.confidence] for s in sorted(suggestions, key=lambda s: -s.probability)]
    assert words == sorted(words)


def test_what_a_teacher_means_comes_first(recommender: Recommender) -> None:
    expected = ("cold-calling", "el-structured-talk", "device-expectations")
    for struggle, skill_id in zip(STRUGGLES, expected, strict=True):
        assert skill_id in [s.skill_id for s in recommender.rank(case(struggle)).suggestions]


def test_a_result_does_not_depend_on_its_neighbours_or_on_threads(recommender: Recommender) -> None:
    cases = [case(row.text) for row in load_rows(REAL_DEV)[:12]]
    alone = [recommender.rank(each).to_json() for each in cases]
    assert [r.to_json() for r in recommender.rank_many(reversed(cases))] == alone[::-1]
    with ThreadPoolExecutor(4) as pool:
        assert [r.to_json() for r in pool.map(recommender.rank, cases)] == alone


def test_a_second_copy_of_the_model_gives_the_same_bytes(recommender: Recommender) -> None:
    again = Recommender.load(safeguarding_contact="Ms. Duty")
    assert again.rank(case(STRUGGLES[1])).to_json() == recommender.rank(case(STRUGGLES[1])).to_json()


def test_declined_skills_are_left_out_and_the_rest_moves_up(recommender: Recommender) -> None:
    before = [s.skill_id for s in recommender.rank(case(STRUGGLES[0])).suggestions]
    after = [s.skill_id for s in recommender.rank(case(STRUGGLES[0], declined=[before[0]])).suggestions]
    assert before[0] not in after
    assert len(after) == 3
    assert after[0] in before


def test_minutes_limit_the_list_only_when_asked(recommender: Recommender) -> None:
    few = {"minutes_per_week": 15}
    free = recommender.rank(case(STRUGGLES[0], context=few, top=115)).suggestions
    bound = recommender.rank(case(STRUGGLES[0], context={**few, "fit_minutes": True}, top=115)).suggestions
    assert len(free) == 115
    assert 0 < len(bound) < 115
    assert all(recommender.catalogue[s.skill_id].minutes_per_week <= 15 for s in bound)


def test_nothing_left_to_suggest_is_said(recommender: Recommender) -> None:
    ranking = recommender.rank(case(STRUGGLES[0], declined=list(recommender.catalogue.ids)))
    assert ranking.suggestions == []
    assert ranking.message


@pytest.mark.parametrize("struggle", ["", "   \n ", "\u200b"])
def test_an_empty_struggle_is_not_enough(recommender: Recommender, struggle: str) -> None:
    ranking = recommender.rank(case(struggle))
    assert ranking.status == "not_enough"
    assert ranking.message
    assert ranking.suggestions == []


def test_a_safeguarding_text_gets_a_person_and_no_skill(recommender: Recommender) -> None:
    text = "A girl in my class told me at recess that her uncle hurts her at night and she made me promise not to tell."
    ranking = recommender.rank(case(text))
    assert ranking.status == "safeguarding"
    assert "Ms. Duty" in (ranking.message or "")
    assert ranking.suggestions == []


def test_another_language_is_said_to_be_one(recommender: Recommender) -> None:
    ranking = recommender.rank(case("Mis alumnos hablan todo el tiempo y no puedo empezar la clase sin gritar."))
    assert ranking.status == "out_of_scope"
    assert "English" in (ranking.message or "")


def test_pay_is_out_of_scope(recommender: Recommender) -> None:
    text = "The district has not paid my stipend since August and payroll does not answer my emails."
    assert recommender.rank(case(text)).status == "out_of_scope"


def test_every_ranking_carries_what_an_audit_needs(recommender: Recommender) -> None:
    ranking = recommender.rank(case(STRUGGLES[0]))
    assert ranking.model_version == recommender.manifest.version
    assert ranking.catalogue_version == recommender.catalogue.version
    assert ranking.input_hash.startswith("sha256:")
    assert "Not for evaluation" in ranking.intended_use
    assert ranking.ranking_id is None
    assert ranking.evidence_grade == "D"


def test_a_context_of_another_subject_never_raises_a_subject_skill(recommender: Recommender) -> None:
    plain = {s.skill_id: s.score for s in recommender.rank(case(STRUGGLES[0], top=115)).suggestions}
    art = recommender.rank(case(STRUGGLES[0], top=115, context=Context(subject="art").model_dump()))
    scores = {s.skill_id: s.score for s in art.suggestions}
    assert scores["math-fact-fluency"] <= plain["math-fact-fluency"] + 1.0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=4_000))
def test_any_text_is_answered(recommender: Recommender, text: str) -> None:
    ranking = recommender.rank(case(text))
    assert ranking.status in {"ranked", "not_enough", "out_of_scope", "safeguarding"}
    assert bool(ranking.suggestions) == (ranking.status == "ranked")


def test_the_longest_struggle_is_ranked_with_a_word_about_its_length(recommender: Recommender) -> None:
    text = " ".join(row.text for row in load_rows(REAL_DEV)[:40] if "phone" in row.text or "talk" in row.text)[:4_000]
    ranking = recommender.rank(case(text))
    assert ranking.status == "ranked"
    assert ranking.notices
