from __future__ import annotations

import json

import numpy as np
import pytest
from observed_cases import CATALOGUE, DANIELSON, PRIOR, WEIGHTS, N, needs_of, skills
from pydantic import ValidationError
from scipy.special import expit

from recommender.cases import Case
from recommender.catalogue.subjects import SUBJECTS
from recommender.ranking.fusion import WEIGHTS_FILE, Fusion, FusionWeights
from recommender.ranking.observation_weights import need_effects
from recommender.ranking.observed import Observed, ReadNote
from recommender.struggles.clauses import split_clauses
from recommender.struggles.text_model import TextEvidence

FUSION = Fusion(WEIGHTS, CATALOGUE)
STRUGGLE = "They talk all day, nobody ever listens - I just wait for them."
# Made for some subjects only, and what for.
SUBJECT_SKILLS = {skill.id for skill in CATALOGUE if skill.subjects != ["any"]}


def case(**context: object) -> Case:
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
    [
        {"slope": 0},
        {"slope": -1},
        {"neighbour_spread": 0.1},
        {"strong": 1},
        {"likely": 0},
        {"colour": 1},
        {"observations": {"with_words": WEIGHTS.observations.with_words.model_dump()}},
    ],
)
def test_weights_that_turn_the_ranking_round_are_refused(tmp_path, changes):
    (tmp_path / WEIGHTS_FILE).write_text(json.dumps(WEIGHTS.model_dump() | changes), encoding="utf-8")
    with pytest.raises(ValidationError):
        FusionWeights.load(tmp_path)


# Observations

PRIORS = np.array([PRIOR[skill_id] for skill_id in CATALOGUE.ids])
NEEDS = needs_of(
    [0.8, -0.8], np.stack([skills(cold_calling=1.0, wait_time=0.5), skills(entry_routine=1.0, wait_time=0.5)]), sd=0.3
)
FLAT = needs_of([0.0, 0.0], NEEDS.shares, notices=("flat_profile",))
NOTHING = Observed(None, [])


def note(seed: int) -> ReadNote:
    rng = np.random.default_rng(seed)
    return ReadNote([f"phrase {seed}", "another"], rng.normal(size=(2, N)), rng.normal(size=N))


def same(first, second) -> bool:
    return all(np.array_equal(value, getattr(second, name)) for name, value in vars(first).items())


@pytest.mark.parametrize("observed", [NOTHING, Observed(FLAT, []), Observed(needs_of([0.0], NEEDS.shares[:1]), [])])
@pytest.mark.parametrize("mix", [0.0, 0.3, 0.5, 1.0])
def test_without_observations_that_count_the_words_stand_alone_whatever_mix_and_interests_say(observed, mix):
    alone = FUSION.join(case(), text_evidence())
    joined = FUSION.join(case(mix=mix, interests=["questioning-discourse"]), text_evidence(), observed)
    assert same(alone, joined)
    assert not joined.observed.any()


def test_at_mix_0_the_scores_are_those_of_the_words_alone():
    context = {"mix": 0.0, "interests": ["questioning-discourse"], "subject": "art"}
    alone = FUSION.join(case(subject="art"), text_evidence())
    joined = FUSION.join(case(**context), text_evidence(), Observed(NEEDS, [note(1)]))
    assert (joined.score == alone.score).all()
    assert (joined.prior == alone.prior).all()
    assert (joined.clause_effects == alone.clause_effects).all()
    assert not joined.observed.any()


def test_words_needs_notes_and_interests_by_hand():
    text, notes = text_evidence(), [note(1), note(2)]
    interested = case(interests=["questioning-discourse"], grade_band="high")
    evidence = FUSION.join(interested, text, Observed(NEEDS, notes))
    said = text.base.astype(float) + text.clause_effects.astype(float).sum(axis=0)
    mean_note = (sum(each.clause_effects.sum(axis=0) + each.base for each in notes)) / 2
    wanted = np.array([skill.domain == "questioning-discourse" for skill in CATALOGUE])
    expected = (
        -0.25 + 0.875 * (0.5 + 0.75 * said)
        + need_effects(NEEDS, 2.0).sum(axis=0)
        + 0.5 * mean_note
        + 0.25 * wanted
        - 0.25 * FUSION.misfit_grade_band(interested.context)
    )  # fmt: skip
    np.testing.assert_allclose(evidence.score, expected, rtol=0, atol=1e-12)
    assert evidence.items == ((DANIELSON, "2a"), (DANIELSON, "2b"))
    assert evidence.note_clauses == ["phrase 1", "another", "phrase 2", "another"]
    assert 0 < wanted.sum() < N


@pytest.mark.parametrize("mix", [0.0, 0.5, 1.0])
def test_without_words_the_skills_prior_and_the_weights_fitted_without_words_count_whatever_the_mix(mix):
    evidence = FUSION.join(case(mix=mix), None, Observed(NEEDS, [note(1)]))
    expected = 0.125 + 1.5 * PRIORS + need_effects(NEEDS, 3.0).sum(axis=0) + note(1).clause_effects.sum(axis=0)
    np.testing.assert_allclose(evidence.score, expected + note(1).base, rtol=0, atol=1e-12)
    assert evidence.clauses == []


def test_at_mix_1_the_score_is_the_one_without_words():
    observed = Observed(NEEDS, [note(1)])
    assert same(FUSION.join(case(mix=1.0), text_evidence(), observed), FUSION.join(case(), None, observed))


def test_words_fade_and_observations_grow_from_half_to_whole():
    observed = Observed(NEEDS, [])
    words, pulls = [], []
    for mix in (0.0, 0.25, 0.5, 0.75, 0.9, 1.0):
        evidence = FUSION.join(case(mix=mix), text_evidence(), observed)
        words.append(np.abs(evidence.clause_effects).sum())
        pulls.append(evidence.item_effects.sum(axis=0)[CATALOGUE.index["cold-calling"]])
    assert words == sorted(words, reverse=True) and words[-1] == 0
    assert pulls == sorted(pulls) and pulls[0] == 0 < pulls[1]


def test_flat_scores_beside_a_note_move_nothing():
    evidence = FUSION.join(case(), text_evidence(), Observed(FLAT, [note(1)]))
    assert evidence.items == ()
    assert evidence.note_effects.any()


def test_the_same_note_twice_is_no_stronger_than_once():
    once, twice = (FUSION.join(case(), text_evidence(), Observed(None, [note(1)] * times)) for times in (1, 2))
    np.testing.assert_allclose(once.score, twice.score, atol=1e-12)


def test_what_was_seen_is_everything_observed_but_interest():
    evidence = FUSION.join(case(interests=["questioning-discourse"]), None, Observed(NEEDS, [note(1)]))
    assert (evidence.seen + evidence.interest == evidence.observed).all()
    assert evidence.interest.max() == 0.75
    expected = evidence.item_effects.sum(axis=0) + evidence.note_effects.sum(axis=0) + evidence.note_rest
    assert (evidence.seen == expected).all()


def test_the_prior_as_shares_sums_to_1_and_keeps_its_order():
    shares = FUSION.prior_shares
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(shares / shares[0], expit(PRIORS) / expit(PRIORS[0]))
