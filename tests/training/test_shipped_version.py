"""The shipped version keeps the quality it was shipped with: floors, baselines, card and rerun of the figures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from recommender.ranking.recommender import Recommender
from recommender.ranking.versions import CARD_FILE, DEFAULT_MODELS, ENCODERS_FOLDER
from recommender.struggles.clauses import split_clauses
from recommender.struggles.language import is_other_language
from recommender.training.card import card_text
from recommender.training.corpus import DATA_FOLDER, REAL, REAL_DEV, WRITTEN, load_rows
from recommender.training.encoder_record import EncoderRecord
from recommender.training.evaluate import MODEL, Evaluation, EvaluationRequest, report_for
from recommender.training.measured import rankable
from recommender.training.version_plots import version_plots

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return Evaluation(DEFAULT_MODELS, None)


def test_the_development_figures_come_out_again(recommender: Recommender) -> None:
    report = report_for(EvaluationRequest(DEFAULT_MODELS, baselines=False))
    shipped = recommender.manifest.figures["development"]["figures"][MODEL]
    for name, value in report["figures"][MODEL].items():
        assert value["mean"] == pytest.approx(shipped[name]["mean"], abs=0.01), name


def test_the_cross_validated_figures_come_out_again(recommender: Recommender) -> None:
    report = report_for(EvaluationRequest(DEFAULT_MODELS, cross_validated=True, baselines=False))
    shipped = recommender.manifest.figures["cross-validation"]["figures"][MODEL]
    for name, value in report["figures"][MODEL].items():
        assert value["mean"] == pytest.approx(shipped[name]["mean"], abs=0.002), name


@pytest.mark.parametrize("part", ["development", "cross-validation"])
def test_the_version_beats_every_baseline_beyond_chance(recommender: Recommender, part: str) -> None:
    for name, difference in recommender.manifest.figures[part]["better than"].items():
        assert difference["low"] > 0, name


def test_baselines_stay_where_they_were(recommender: Recommender) -> None:
    figures = recommender.manifest.figures["development"]["figures"]
    for name, floor in {"random": 0.0, "BM25 over the catalogue": 0.10, "nearest neighbour, MiniLM": 0.35}.items():
        assert figures[name]["nDCG@5"]["mean"] >= floor, name


def test_the_card_is_the_one_its_manifest_makes(recommender: Recommender) -> None:
    manifest = recommender.manifest
    record = EncoderRecord.load(DEFAULT_MODELS / ENCODERS_FOLDER / manifest.encoder.folder)
    assert (DEFAULT_MODELS / manifest.version / CARD_FILE).read_text(encoding="utf-8") == card_text(manifest, record)


def test_the_pictures_are_the_ones_its_figures_make(recommender: Recommender) -> None:
    manifest = recommender.manifest
    for name, svg in version_plots(manifest.figures).items():
        assert (DEFAULT_MODELS / manifest.version / name).read_text(encoding="utf-8") == svg, name
        assert name in manifest.files, name


def test_the_manifest_names_the_data_as_it_is(recommender: Recommender) -> None:
    from recommender.ranking.versions import sha256_of

    for name, digest in recommender.manifest.data.items():
        assert sha256_of(DATA_FOLDER / name) == digest, name


def test_the_models_fit_in_95_megabytes() -> None:
    size = sum(file.stat().st_size for file in DEFAULT_MODELS.rglob("*") if file.is_file())
    assert size <= 95 * MEGABYTE


def test_no_out_of_fold_row_is_a_development_row(evaluation: Evaluation) -> None:
    assert not {row.id for row in load_rows(REAL_DEV)} & set(evaluation.out_of_fold.ids)


def test_leaving_out_the_quoted_clause_lowers_the_score_more_than_leaving_out_another(
    recommender: Recommender,
) -> None:
    """Reasons are faithful: without its strongest clause a first suggestion loses more than without a random one."""
    rng = np.random.default_rng(0)
    strongest, other = [], []
    for row in rankable(load_rows(REAL_DEV))[:40]:
        clauses = split_clauses(row.text)
        tokens = recommender._encoder.read(row.text)
        evidence = recommender._text_model.read(row.text, tokens)
        skill = int(evidence.log_probability.argmax())
        if len(clauses) < 4:
            continue
        best = int(evidence.clause_effects[:, skill].argmax())
        random = int(rng.choice([i for i in range(len(clauses)) if i != best]))
        for index, losses in ((best, strongest), (random, other)):
            rest = row.text[: clauses[index].start] + row.text[clauses[index].end :]
            without = recommender._text_model.read(rest, recommender._encoder.read(rest))
            losses.append(float(evidence.log_probability[skill] - without.log_probability[skill]))
    assert np.mean(strongest) > np.mean(other) + 0.1


def test_no_english_struggle_is_taken_for_another_language() -> None:
    rows = [row for file in (WRITTEN, *REAL, REAL_DEV) for row in load_rows(file)]
    assert [row.id for row in rows if is_other_language(row.text)] == []


def test_figures_are_plain_json(recommender: Recommender) -> None:
    assert json.loads(json.dumps(recommender.manifest.figures)) == recommender.manifest.figures
