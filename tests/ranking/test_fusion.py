from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

from recommender.cases import Case
from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.subjects import SUBJECTS
from recommender.ranking.fusion import WEIGHTS_FILE, Fusion, FusionWeights
from recommender.struggles.clauses import split_clauses
from recommender.struggles.text_model import TextEvidence

CATALOGUE = load_catalogue()
N = len(CATALOGUE)
WEIGHTS = FusionWeights(
    slope=0.75,
    intercept=0.5,
    other_subject=-1.25,
    other_grade_band=-0.25,
    neighbour_spread=-0.1,
    strong=0.6,
    likely=0.4,
)
FUSION = Fusion(WEIGHTS, CATALOGUE)
STRUGGLE = "They talk all day, nobody ever listens - I just wait for them."
# Made for some subjects only, and what for.
SUBJECT_SKILLS = {skill.id for skill in CATALOGUE if skill.subjects != ["any"]}


def case(**context: str) -> Case:
    return Case.model_validate({"case_id": "c1", "struggle": STRUGGLE, "context": context})


def text_evidence(seed: int = 0) -> TextEvidence:
    rng = np.random.default_rng(seed)
    clauses = split_clauses(STRUGGLE)
    effects = rng.normal(size=(len(clauses), N)).astype(np.float32)
    return TextEvidence(clauses, effects, rng.normal(size=N).astype(np.float32) - 5)


def misfits_of_subject(subject: str) -> set[str]:
    vector = FUSION.misfit_subject(case(subject=subject).context)
    assert set(vector) <= {0.0, 1.0}
    return {CATALOGUE.ids[i] for i in np.flatnonzero(vector)}


def misfits_of_band(grade_band: str) -> set[str]:
    vector = FUSION.misfit_grade_band(case(grade_band=grade_band).context)
    assert set(vector) <= {0.0, 1.0}
    return {CATALOGUE.ids[i] for i in np.flatnonzero(vector)}


# Additive


def test_the_score_is_the_sum_of_its_parts():
    context = {"subject": "art", "grade_band": "high"}
    text = text_evidence()
    evidence = FUSION.join(case(**context), text)
    expected = (
        0.5
        + 0.75 * (text.base.astype(float) + text.clause_effects.astype(float).sum(axis=0))
        - 1.25 * FUSION.misfit_subject(case(**context).context)
        - 0.25 * FUSION.misfit_grade_band(case(**context).context)
    )
    np.testing.assert_allclose(evidence.score, expected, rtol=0, atol=1e-12)
    parts = evidence.prior + evidence.clause_effects.sum(axis=0) + evidence.subject + evidence.grade_band
    assert (evidence.score == parts).all()


def test_without_context_the_score_is_the_calibrated_log_probability():
    text = text_evidence()
    evidence = FUSION.join(case(), text)
    assert not evidence.subject.any()
    assert not evidence.grade_band.any()
    np.testing.assert_allclose(evidence.score, 0.5 + 0.75 * text.log_probability.astype(float), atol=1e-5)


def test_context_moves_the_score_by_its_weight_and_nothing_else():
    plain = FUSION.join(case(), text_evidence()).score
    moved = FUSION.join(case(subject="art", grade_band="high"), text_evidence()).score - plain
    # Phonics is neither for art nor for high school, source analysis not for art; note making is for any subject.
    for skill_id, expected in (
        ("phonics-routine", -1.5),
        ("source-analysis", -1.25),
        ("performance-skill-coaching", 0),
        ("note-making-instruction", 0),
        ("cold-calling", 0),
    ):
        assert moved[CATALOGUE.index[skill_id]] == pytest.approx(expected, abs=1e-12)


def test_a_clause_is_quoted_as_the_teacher_wrote_it():
    evidence = FUSION.join(case(), text_evidence())
    assert evidence.clauses == ["They talk all day,", "nobody ever listens", "I just wait for them."]
    assert all(clause in STRUGGLE for clause in evidence.clauses)
    assert evidence.clause_effects.shape == (3, N)


# Subjects by hand


@pytest.mark.parametrize(
    ("subject", "fitting"),
    [
        ("computing", {"worked-examples"}),
        ("music", {"performance-skill-coaching"}),
        ("art", {"performance-skill-coaching", "practical-work-management", "structured-discussion"}),
        ("world-languages", {"target-language-use", "structured-discussion"}),
        (
            "mathematics",
            {
                "intensive-intervention", "worked-examples", "concrete-representational-abstract", "math-fact-fluency",
                "word-problem-schemas", "comparing-solution-strategies", "rich-task-launch",
            },
        ),
    ],
)  # fmt: skip
def test_of_the_skills_made_for_some_subjects_only_those_of_the_cases_subject_fit(subject, fitting):
    assert misfits_of_subject(subject) == SUBJECT_SKILLS - fitting


def test_there_are_skills_made_for_some_subjects_and_most_are_for_any():
    assert len(SUBJECT_SKILLS) == 25


@pytest.mark.parametrize(
    "subject",
    ["unknown", "other", "special-education", "english-learners", "all-subjects", "homeroom", "library", "religion"],
)
def test_under_a_roof_where_any_skill_may_be_met_no_skill_misfits(subject):
    assert misfits_of_subject(subject) == set()


def test_reading_writing_and_english_are_at_home_with_each_other():
    literacy = {"phonics-routine", "reading-fluency-practice", "writing-strategy-instruction", "source-analysis"}
    assert not literacy & misfits_of_subject("english")
    assert not (literacy - {"source-analysis"}) & misfits_of_subject("reading")
    assert not (literacy - {"source-analysis"}) & misfits_of_subject("writing")
    assert literacy - {"source-analysis"} <= misfits_of_subject("social-studies")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_skill_for_any_subject_never_misfits(subject):
    assert misfits_of_subject(subject) <= SUBJECT_SKILLS


# Grade bands by hand


@pytest.mark.parametrize(
    ("grade_band", "misfits"),
    [
        ("elementary", {"note-making-instruction", "source-analysis", "student-ai-norms", "structured-discussion"}),
        ("middle", {"phonics-routine", "interactive-read-aloud"}),
        (
            "high",
            {
                "phonics-routine", "interactive-read-aloud", "reading-fluency-practice", "math-fact-fluency",
                "word-problem-schemas",
            },
        ),
        ("unknown", set()),
    ],
)  # fmt: skip
def test_the_skills_that_do_not_fit_a_grade_band(grade_band, misfits):
    assert misfits_of_band(grade_band) == misfits


# Weights


def test_weights_are_read_as_they_were_written(tmp_path):
    (tmp_path / WEIGHTS_FILE).write_text(WEIGHTS.model_dump_json(), encoding="utf-8")
    assert FusionWeights.load(tmp_path) == WEIGHTS


@pytest.mark.parametrize(
    "changes",
    [{"slope": 0}, {"slope": -1}, {"neighbour_spread": 0.1}, {"strong": 1}, {"likely": 0}, {"colour": 1}],
)
def test_weights_that_turn_the_ranking_round_are_refused(tmp_path, changes):
    (tmp_path / WEIGHTS_FILE).write_text(json.dumps(WEIGHTS.model_dump() | changes), encoding="utf-8")
    with pytest.raises(ValidationError):
        FusionWeights.load(tmp_path)
