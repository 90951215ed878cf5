from __future__ import annotations

import json

import numpy as np
import pytest
from evidence_rows import CATALOGUE, SKILLS, place, row

from recommender.cases import Case
from recommender.errors import GrowthError
from recommender.learning.evidence import Evidence
from recommender.learning.update import Update
from recommender.learning.updated_weights import updated_weights, without_offsets
from recommender.observations.norms import Norms
from recommender.ranking.fusion import WEIGHTS_FILE, Fusion, FusionWeights
from recommender.ranking.messages import message
from recommender.ranking.recommender import Recommender
from recommender.ranking.versions import DEFAULT_MODELS, current_version
from recommender.struggles.clauses import Clause
from recommender.struggles.text_model import TextEvidence

FOLDER = DEFAULT_MODELS / current_version(DEFAULT_MODELS)
WEIGHTS = FusionWeights.load(FOLDER)
STRUGGLE = "The same three students answer every question and the rest look at their desks and wait."
UPDATE = Update(
    skill_offsets={SKILLS[0]: 0.5, SKILLS[5]: -0.25},
    tenant_offsets={"north": {SKILLS[0]: 0.125, SKILLS[9]: 1.0}},
    factors={"words": -0.2, "observations": 0.1, "context": 0.5},
    intercept=0.3,
)


def case(**more: object) -> Case:
    return Case.model_validate({"case_id": "c", "struggle": STRUGGLE, "top": len(CATALOGUE)} | more)


def text() -> TextEvidence:
    rng = np.random.default_rng(2)
    effects = rng.normal(size=(1, len(CATALOGUE))).astype(np.float32)
    return TextEvidence([Clause(0, len(STRUGGLE))], effects, rng.normal(size=len(CATALOGUE)).astype(np.float32) - 5)


# Weights


def test_the_words_log_odds_are_scaled_as_a_whole_and_offsets_are_added():
    asked = case(context={"subject": "art", "grade_band": "high"})
    before, after = (Fusion(w, CATALOGUE).join(asked, text()) for w in (WEIGHTS, updated_weights(WEIGHTS, UPDATE)))
    words = before.prior + before.clause_effects.sum(axis=0)
    context = before.subject + before.grade_band
    expected = 0.8 * words + 1.5 * context + 0.3 + UPDATE.offsets(CATALOGUE)
    np.testing.assert_allclose(after.score, expected, atol=1e-4)


def test_one_tenants_offsets_are_added_for_that_tenant_only():
    fusion = Fusion(updated_weights(WEIGHTS, UPDATE), CATALOGUE)
    shared, north, south = (
        each.join(case(), text()).score for each in (fusion, *map(fusion.for_tenant, ("north", "south")))
    )
    np.testing.assert_array_equal(shared, south)
    difference = north - shared
    assert difference[0] == pytest.approx(0.125)
    assert difference[9] == pytest.approx(1.0)
    assert np.count_nonzero(np.abs(difference) > 1e-12) == 2


def test_an_update_of_nothing_changes_no_weight():
    assert updated_weights(WEIGHTS, Update()) == WEIGHTS


def test_a_version_without_offsets_keeps_its_bytes_and_one_with_them_reads_back():
    assert (WEIGHTS.model_dump_json(indent=2) + "\n").encode() == (FOLDER / WEIGHTS_FILE).read_bytes()
    updated = updated_weights(WEIGHTS, UPDATE)
    document = updated.model_dump_json()
    assert FusionWeights.model_validate_json(document) == updated
    assert json.loads(document)["tenant_offsets"] == UPDATE.tenant_offsets


def test_earlier_offsets_are_replaced_and_not_added_to():
    once = updated_weights(WEIGHTS, UPDATE)
    assert updated_weights(once, Update()).skill_offsets == {}


def test_no_update_turns_a_source_of_evidence_round():
    updated = updated_weights(WEIGHTS, Update(factors={"words": -3.0, "observations": -3.0, "context": -3.0}))
    assert updated.slope > 0
    assert updated.observations.with_words.need > 0
    assert updated.other_subject < 0


def test_the_intercept_is_added_once_with_observations_too():
    updated = updated_weights(WEIGHTS, Update(intercept=0.5))
    before, after = WEIGHTS.observations, updated.observations

    def start(weights: FusionWeights, intercept: float, words: float) -> float:
        return intercept + words * weights.intercept

    moved = start(updated, after.with_words.intercept, after.with_words.words)
    assert moved - start(WEIGHTS, before.with_words.intercept, before.with_words.words) == pytest.approx(0.5, abs=1e-5)
    assert after.alone.intercept - before.alone.intercept == pytest.approx(0.5, abs=1e-5)


def test_an_offset_that_is_no_number_is_refused():
    with pytest.raises(ValueError):
        FusionWeights.model_validate({**WEIGHTS.model_dump(), "skill_offsets": {SKILLS[0]: float("nan")}})
    assert issubclass(GrowthError, Exception)


# Rankings


@pytest.fixture(scope="module")
def updated_models(tmp_path_factory):
    """The shipped version with the update in it, its manifest made right again."""
    from recommender.ranking.versions import ENCODERS_FOLDER, MANIFEST_FILE, read_manifest, sha256_of

    models = tmp_path_factory.mktemp("models")
    folder = models / "learned"
    folder.mkdir()
    manifest = read_manifest(DEFAULT_MODELS, FOLDER.name)
    for name in manifest.files:
        (folder / name).write_bytes((FOLDER / name).read_bytes())
    (folder / WEIGHTS_FILE).write_text(updated_weights(WEIGHTS, UPDATE).model_dump_json(indent=2), encoding="utf-8")
    files = {**manifest.files, WEIGHTS_FILE: sha256_of(folder / WEIGHTS_FILE)}
    renamed = manifest.model_copy(update={"version": "learned", "files": files})
    (folder / MANIFEST_FILE).write_text(renamed.model_dump_json(), encoding="utf-8")
    (models / ENCODERS_FOLDER).symlink_to(DEFAULT_MODELS / ENCODERS_FOLDER)
    return models


def test_a_ranking_names_what_reviews_taught_as_a_reason_and_still_adds_up(updated_models):
    learned = Recommender.load(updated_models, "learned")
    north = learned.for_tenant("north", Norms())
    said = {}
    for recommender in (learned, north):
        ranking = recommender.rank(case())
        assert ranking.status == "ranked"
        for suggestion in ranking.suggestions:
            assert suggestion.score == sum(reason.effect for reason in suggestion.reasons)
            told = [reason for reason in suggestion.reasons if reason.text.startswith("Coaches and teachers")]
            said[recommender is north, suggestion.skill_id] = [(r.source, r.text, r.effect) for r in told]
    assert said[False, SKILLS[0]] == [("prior", message("reviews_for"), 0.5)]
    assert said[True, SKILLS[0]] == [("prior", message("reviews_for"), 0.625)]
    assert said[False, SKILLS[5]] == said[True, SKILLS[5]] == [("prior", message("reviews_against"), -0.25)]
    assert said[False, SKILLS[9]] == said[False, SKILLS[1]] == []


def test_a_version_without_offsets_ranks_alike_for_every_tenant(recommender):
    assert recommender.for_tenant("north", Norms()).rank(case()) == recommender.rank(case())


# Evidence of versions that had learned


def test_what_an_earlier_update_added_is_taken_out_of_what_its_version_said():
    weights = updated_weights(WEIGHTS, UPDATE)
    scores = [0.0] * len(CATALOGUE)
    shown = [place(0, 1, prior=0.5, struggle=1.0), place(1, 2, prior=0.0, struggle=1.0)]
    told = [
        row(0, shown=shown, scores=scores, model_version="learned"),
        row(1, shown=shown, scores=scores, model_version="learned", tenant="south"),
        row(2, shown=shown, scores=scores, model_version="other"),
    ]
    north, south, other = without_offsets(Evidence.of(told), {"learned": weights}).rows
    assert [place.score for place in north.shown] == [pytest.approx(1.5 - 0.625), 1.0]
    assert north.shown[0].parts.prior == pytest.approx(0.5 - 0.625)
    assert [north.scores[at] for at in (0, 1, 5, 9)] == [-0.625, 0.0, 0.25, -1.0]
    assert south.shown[0].score == pytest.approx(1.0)
    assert other == told[2]
