"""What a card tells of learning from use: taken from the reports, recorded with their parameters, kept up to date."""

from __future__ import annotations

import json

import pytest
from small_models import SHIPPED, models_folder, other_version

from recommender.errors import DataFileError, ModelVersionError
from recommender.learning.drift_report import drift_report
from recommender.learning.record import parameter_hashes, read_audit, record_audit, use_figures
from recommender.learning.reference_profile import make_profile, read_profile
from recommender.ranking.versions import DEFAULT_MODELS, MANIFEST_FILE, open_version, read_manifest
from recommender.training.card import card_text
from recommender.training.encoder_record import EncoderRecord
from recommender.training.figure_names import AUDIT, USE

SHARE = {"mean": 0.95, "low": 0.76, "high": 0.99, "n": 20}
GAIN = {"mean": 0.01, "low": 0.008, "high": 0.012, "n": 5_000}
REVIEWS = {
    "seeds": [1, 2],
    "beside": 1_000,
    "true log-odds": {"gain": GAIN},
    "curve": [
        {
            "reviews": 50,
            "corrected": {"gain": GAIN},
            "counted as they are": {"gain": SHARE},
            "counted as they are, shrunk": {"gain": SHARE},
            "by part": {"all relevant skills as the model sees them": SHARE},
        }
    ],
    "choices": {"lists": 5_000, "corrected": GAIN, "worth of outcomes": SHARE},
    "attacks": [
        {"name": "burst", "corrected": GAIN, "corrected, without caps": SHARE, "findings": {}, "seeds flagged": 2}
    ],
}
TEXTS = {
    "arms": [
        {
            "way": "reviewed",
            "texts taught": 953,
            "figures": {"nDCG@5": SHARE},
            "more than corpus alone": {"nDCG@5": GAIN},
        }
    ]
}
GATES = {
    "better passed": SHARE,
    "worse refused": SHARE,
    "nearly same": {"true difference": 0.006, "passed": SHARE, "passed, labellers": SHARE},
}
OFF_POLICY = {"logs": 1_000, "coverages": {"judged": 225, "within": 224, "lowest": 0.927, "highest": 0.968}}


@pytest.fixture(scope="module")
def drift():
    return drift_report(DEFAULT_MODELS, splits=4, review_splits=2, sizes=(50,))


@pytest.fixture
def models(tmp_path):
    return models_folder(tmp_path / "models")


def audit(version: str = SHIPPED, *parts: str) -> dict:
    same = {"measure": "top_1_changed", "figure": GAIN, "margin": 0.05, "at": "most", "detail": "", "sentence": ""}
    findings = [
        same | {"part": part, "about": f"{part} here", "verdict": "within" if part == "stress" else "open"}
        for part in parts
    ]
    return {"version": version, "texts": {"development": 107, "training": 200}, "findings": findings}


def test_each_figure_of_the_card_is_that_of_its_report(drift):
    figures = use_figures(REVIEWS, TEXTS, GATES, OFF_POLICY, drift)
    [point] = figures["reviews"]["curve"]
    assert (point["corrected"], point["counted"], figures["reviews"]["best"]) == (GAIN, SHARE, GAIN)
    assert figures["reviews"]["choices"] == {"lists": 5_000, "gain": GAIN, "worth of outcomes": SHARE}
    assert figures["reviews"]["attacks"][0]["flagged"] == 2
    assert figures["texts"] == [{"way": "reviewed", "texts": 953, "nDCG@5": SHARE, "gain": GAIN}]
    assert [row["decision"] for row in figures["gates"]] == ["refuse", "pass", "pass", "pass"]
    assert figures["off-policy"] == {"logs": 1_000, "judged": 225, "within": 224, "lowest": 0.927, "highest": 0.968}


def test_windows_in_another_language_are_called_drifted_by_some_check(drift):
    rows = use_figures(REVIEWS, TEXTS, GATES, OFF_POLICY, drift)["drift"]["rows"]
    shares = {row["window"]: row["shares"][0]["mean"] for row in rows}
    assert shares["lists: 1 in 10 in another language"] == 1.0
    assert set(shares) >= {"lists: nothing changed", "reviewed lists: nothing changed"}


def test_an_audit_is_told_in_manifest_and_card_without_groups_of_people(models):
    before = json.loads((models / SHIPPED / MANIFEST_FILE).read_text())
    record_audit(models, audit(SHIPPED, "swaps", "groups", "stress"))
    manifest, folder, _ = open_version(models)
    whats = [finding["what"] for finding in manifest.figures[AUDIT]["findings"]]
    assert whats == [f"{part} here: share of first suggestions that change" for part in ("swaps", "stress")]
    assert manifest.figures[AUDIT]["verdicts"] == {"within": 1, "open": 1, "beyond": 0}
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert f"| {whats[0]} | +0.010 [+0.008, +0.012] | at most 0.05 | open |" in card
    assert whats[1] not in card, "what is within its threshold stands in the manifest"
    for name in ("text_head.npz", "fusion.json", "screening.json"):
        assert manifest.files[name] == before["files"][name], "what answers is as it was"


def test_an_audit_of_another_version_and_a_learned_version_are_refused(models):
    with pytest.raises(ModelVersionError, match="an audit of other"):
        record_audit(models, audit("other"))
    other_version(models, "learned")
    file = models / "learned" / MANIFEST_FILE
    told = json.loads(file.read_text())
    file.write_text(json.dumps(told | {"settings": {"learned_from": {"base": SHIPPED}}}))
    (models / "current").write_text("learned\n")
    with pytest.raises(ModelVersionError, match="learned from use"):
        record_audit(models, audit("learned"))


@pytest.mark.parametrize("content", ["", "[]", '{"version": "x"}', None])
def test_a_file_that_is_no_audit_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "audit.json").write_text(content)
    with pytest.raises(DataFileError, match="no audit"):
        read_audit(tmp_path / "audit.json")


def test_the_shipped_figures_were_measured_with_the_parameters_of_today():
    figures = read_manifest(DEFAULT_MODELS, SHIPPED).figures[USE]
    assert figures["parameters"] == parameter_hashes(), "run `growth study record`"


def test_more_reviews_teach_more_and_untouched_skills_lose_nothing():
    curve = read_manifest(DEFAULT_MODELS, SHIPPED).figures[USE]["reviews"]["curve"]
    gains = [point["corrected"]["mean"] for point in curve]
    assert [point["reviews"] for point in curve] == [50, 200, 1_000, 5_000]
    assert gains == sorted(gains) and curve[-1]["corrected"]["low"] > 0
    for point in curve:
        assert point["corrected"]["low"] > point["counted"]["high"], "position bias is corrected for"
        assert point["untouched"]["high"] >= 0, "nothing is lost for sure"


def test_reviewed_texts_teach_the_text_head_more_than_its_own_answers_do():
    arms = read_manifest(DEFAULT_MODELS, SHIPPED).figures[USE]["texts"]
    gain = {(arm["way"], arm["texts"] > 500): arm["gain"] for arm in arms}
    assert (
        gain["reviewed", True]["low"]
        > gain["not reviewed", True]["mean"]
        > gain["reviews of other texts", True]["high"]
    )


def test_the_gates_refuse_every_worse_version_and_pass_most_better_ones():
    worse, better, *_ = read_manifest(DEFAULT_MODELS, SHIPPED).figures[USE]["gates"]
    assert (worse["decision"], worse["share"]["mean"], worse["share"]["n"]) == ("refuse", 1.0, 20)
    assert better["decision"] == "pass" and better["share"]["mean"] * better["share"]["n"] >= 16


def test_intervals_of_off_policy_estimates_hold_the_truth_as_often_as_they_say():
    told = read_manifest(DEFAULT_MODELS, SHIPPED).figures[USE]["off-policy"]
    assert told["logs"] == 1_000 and told["within"] >= 0.99 * told["judged"] > 200


def test_the_shipped_version_carries_the_profile_that_is_made_of_it():
    _, folder, encoder = open_version(DEFAULT_MODELS)
    assert read_profile(DEFAULT_MODELS) == make_profile(folder, encoder)


def test_the_shipped_card_tells_of_use_and_of_the_audit():
    manifest, folder, encoder = open_version(DEFAULT_MODELS)
    card = card_text(manifest, EncoderRecord.load(encoder))
    assert "## Learning from use" in card and "## Fairness audit" in card
    assert (folder / "learning-from-use.svg").is_file()
