from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from watched_lists import made_lists, made_profile, made_suggestions

from recommender.catalogue.loader import load_catalogue
from recommender.errors import ModelVersionError
from recommender.learning import reference_profile
from recommender.learning.reference_profile import (
    PROFILE_FILE,
    Histogram,
    ReferenceProfile,
    make_profile,
    measure_training,
    profile_of,
    read_profile,
)
from recommender.learning.watched import WatchedLists, WordPieces
from recommender.ranking.versions import DEFAULT_MODELS, MANIFEST_FILE, open_version, sha256_of
from recommender.training.corpus import REAL_TRAIN, load_rows
from recommender.training.simulate.coach_truth import ShippedScores

CATALOGUE = load_catalogue()
ROWS = 150


@pytest.fixture(scope="module")
def version():
    """Folders of the shipped version."""
    _, folder, encoder_folder = open_version(DEFAULT_MODELS)
    return folder, encoder_folder


@pytest.fixture
def few_rows(tmp_path, monkeypatch):
    """Training data of a few rows, for speed."""
    file = tmp_path / "few.jsonl"
    lines = REAL_TRAIN.read_text(encoding="utf-8").split("\n")[:ROWS]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setattr(reference_profile, "REAL", (file,))
    return load_rows(file)


def models_with(tmp_path: Path, profile: ReferenceProfile | None) -> Path:
    """A models folder whose one version has the shipped manifest, with or without a profile."""
    models = tmp_path / "models"
    folder = models / "m1"
    folder.mkdir(parents=True)
    (models / "current").write_text("m1\n", encoding="utf-8")
    shipped = (DEFAULT_MODELS / "current").read_text(encoding="utf-8").strip()
    manifest = json.loads((DEFAULT_MODELS / shipped / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest["version"] = "m1"
    manifest["files"].pop(PROFILE_FILE, None)
    if profile is not None:
        profile.save(folder)
        manifest["files"][PROFILE_FILE] = sha256_of(folder / PROFILE_FILE)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    return models


# Histograms


def test_a_quantile_is_the_first_value_that_so_many_reach():
    histogram = Histogram.of(np.array([3.0, 1.0, 1.0, 2.0, 10.0]))
    assert (histogram.values, histogram.counts, histogram.n) == ([1, 2, 3, 10], [2, 1, 1, 1], 5)
    assert [histogram.quantile(share) for share in (0.1, 0.4, 0.41, 0.6, 0.8, 1.0)] == [1, 1, 2, 2, 3, 10]
    assert histogram.deciles == [1, 2, 3, 10]


@pytest.mark.parametrize(
    ("values", "counts"), [([2.0, 1.0], [1, 1]), ([1.0, 1.0], [1, 1]), ([1.0], [1, 2]), ([1.0], [0])]
)
def test_a_histogram_out_of_order_or_without_counts_is_refused(values, counts):
    with pytest.raises(ValidationError):
        Histogram(values=values, counts=counts)


# The profile


def test_the_order_of_the_struggles_changes_no_byte():
    rng = np.random.default_rng(1)
    lists, suggestions = made_lists(rng, 200), made_suggestions(rng)
    shuffled = lists.take(rng.permutation(200))
    one, other = (ReferenceProfile.of(each, suggestions, "m", "c").model_dump_json() for each in (lists, shuffled))
    assert one == other


def test_bins_hold_equal_parts_and_say_what_came_true():
    profile = made_profile(off=0.1)
    assert [part.n for part in profile.reliability] == pytest.approx([1_000] * 10, abs=1)
    assert profile.reliability[-1].highest == 1.0
    for part in profile.reliability:
        assert part.share == pytest.approx(part.probability + 0.1, abs=0.06)


def test_a_profile_leaves_what_is_not_known_out():
    profile = made_profile()
    ranked = profile.struggles - profile.not_ranked
    assert 0 < profile.not_ranked < profile.struggles == profile.numbers["characters"].n
    assert profile.numbers["top_score"].n == sum(profile.names["first_domain"].values()) == ranked


def test_a_profile_is_read_back_as_it_was_written(tmp_path):
    profile = made_profile()
    models = models_with(tmp_path, profile)
    assert read_profile(models) == profile
    assert profile_of(models, "m1") == (profile, False)


def test_a_version_without_a_profile_has_none(tmp_path):
    assert read_profile(models_with(tmp_path, None), "m1") is None


def test_an_altered_profile_is_refused(tmp_path):
    models = models_with(tmp_path, made_profile())
    file = models / "m1" / PROFILE_FILE
    file.write_text(file.read_text(encoding="utf-8").replace('"struggles":2000', '"struggles":2001'), encoding="utf-8")
    with pytest.raises(ModelVersionError, match="SHA-256"):
        read_profile(models)


def test_a_profile_that_lacks_a_figure_is_refused(tmp_path):
    profile = made_profile()
    lacking = {name: values for name, values in profile.numbers.items() if name != "top_score"}
    models = models_with(tmp_path, profile.model_copy(update={"numbers": lacking}))
    with pytest.raises(ModelVersionError, match="broken profile"):
        read_profile(models)


# Measuring


def test_the_share_of_unknown_words_counts_pieces_that_go_on_a_word(version):
    pieces = WordPieces(version[1])
    assert pieces.unknown_share("I don't know what to do.") == 0
    # sc ##hm ##oo ##zle: three of four pieces go on the word.
    assert pieces.unknown_share("schmoozle") == 3 / 4
    assert pieces.unknown_share("they schmoozle") == 3 / 5
    assert pieces.unknown_share("") == 0


def test_first_skill_spread_and_domain_come_from_the_scores_of_all_skills():
    scores = np.full(len(CATALOGUE), -5.0)
    scores[[7, 60, 3, 90, 20]] = [1.5, 0.9, 0.5, 0.1, -0.25]
    lists = WatchedLists.of(["abc", None], [scores, scores], [("art", "high")] * 2, [True, False], CATALOGUE, None)
    assert lists.numbers["top_score"][0] == 1.5
    assert lists.numbers["score_spread"][0] == 1.75
    assert lists.names["first_domain"].tolist() == [CATALOGUE.skills[7].domain, ""]
    assert lists.numbers["characters"][0] == 3
    # The second was answered with a message, and its words were not passed on.
    assert np.isnan([lists.numbers[name][1] for name in ("characters", "top_score", "score_spread")]).all()
    assert np.isnan(lists.numbers["unknown_words"]).all()


def test_training_struggles_are_measured_on_cross_validated_scores(version, few_rows):
    known = measure_training(*version, CATALOGUE)
    shipped = ShippedScores.load(DEFAULT_MODELS)
    best = {round(float(scores.max()), 2) for scores in shipped.log_odds[:ROWS]}
    top = known.lists.numbers["top_score"]
    assert 0 < len(top) <= len(few_rows)
    assert {float(score) for score in top[~np.isnan(top)]} <= best
    characters = sorted(len(row.text) for row in few_rows)
    assert set(known.lists.numbers["characters"].tolist()) <= set(map(float, characters))


def test_a_profile_is_made_where_a_version_has_none_and_holds_no_text(version, few_rows):
    profile = make_profile(*version)
    text = profile.model_dump_json()
    assert profile == make_profile(*version)
    assert profile.model_version == version[0].name
    assert profile.struggles <= len(few_rows)
    assert not any(row.id in text or row.text[:30] in text for row in few_rows)
