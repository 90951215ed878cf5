"""Makes a model version: heads, calibration and thresholds on a tuned encoder, with manifest and card."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version as library_version
from pathlib import Path

import numpy as np

from recommender.catalogue.instruments import load_instruments
from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.errors import ModelVersionError
from recommender.ranking.fusion import WEIGHTS_FILE, FusionWeights
from recommender.ranking.versions import (
    CARD_FILE,
    CURRENT_FILE,
    ENCODERS_FOLDER,
    MANIFEST_FILE,
    EncoderEntry,
    Manifest,
    current_version,
    read_manifest,
    sha256_of,
)
from recommender.struggles.screening import THRESHOLDS_FILE
from recommender.struggles.text_model import HEAD_FILE as TEXT_FILE
from recommender.struggles.text_model import TextModel
from recommender.training.calibrate import fit_weights, gather_inputs, ordered_scores
from recommender.training.corpus import (
    REAL,
    REAL_DEV,
    SCREENING,
    WRITTEN,
    Array,
    Row,
    gains,
    load_rows,
    screening_rows,
    soft_targets,
)
from recommender.training.encoder_record import EncoderRecord
from recommender.training.heads import HEADS_FILE, TunedHeads, embed_texts, refit
from recommender.training.metrics import ndcg_at
from recommender.training.observed_fit import FITTING_SEEDS, fit_observation_weights, gather
from recommender.training.observed_texts import prior_log_odds, prior_vector, simulation_texts
from recommender.training.out_of_fold import OUT_OF_FOLD_FILE, OutOfFold
from recommender.training.screening_out_of_fold import ScreeningOutOfFold
from recommender.training.thresholds import ScreeningCase, choose_thresholds

REAL_WEIGHT = 3.0
LIBRARIES = ("numpy", "scipy", "scikit-learn", "onnxruntime", "tokenizers", "py3langid")

# Spreading may cost no cross-validated nDCG@5; of the penalties that cost none the largest is used.
SPREAD_COST = 0.0
SPREAD_PENALTIES = (0.0, -0.05, -0.1, -0.15, -0.2, -0.3, -0.5)

Say = Callable[[str], None]


def train_version(models: Path, name: str, encoder: str | None, *, say: Say = lambda _: None) -> Path:
    """Fit and write ``models/<name>/``; the same data, encoder and libraries give the same bytes.

    Raises ModelVersionError when the encoder is unknown, its out-of-fold values do not cover the training data, or the
    version is the one that answers, whose files must not change under a running service.
    """
    from recommender.training.evaluate import version_figures
    from recommender.training.restate import restate

    if (models / CURRENT_FILE).is_file() and name == current_version(models):
        raise ModelVersionError(f"{name}, which answers", wanted="another name", where="--version")
    encoder_folder = (
        models / ENCODERS_FOLDER / (encoder or read_manifest(models, current_version(models)).encoder.folder)
    )
    if not (encoder_folder / HEADS_FILE).is_file():
        raise ModelVersionError("no tuned heads", wanted="an encoder folder", where=str(encoder_folder))
    catalogue = load_catalogue()
    folder = models / name
    folder.mkdir(parents=True, exist_ok=True)
    written = load_rows(WRITTEN)
    screened = screening_rows()
    real = tuple(row for file in REAL for row in load_rows(file))
    ranked = (*written, *real)
    say(f"reading {len(ranked)} texts with the encoder")
    embeddings = embed_texts(encoder_folder, [row.text for row in ranked])
    say("fitting the skill head")
    _fit_text_model(encoder_folder, folder, soft_targets(ranked, catalogue), embeddings, len(written))
    say("choosing the screening thresholds")
    known = ScreeningOutOfFold.load(encoder_folder).take([row.id for row in screened])
    choose_thresholds(ScreeningCase.of(screened, known)).save(folder)
    say("fitting calibration and spreading on cross-validated values")
    _fit_fusion(folder, catalogue, real, OutOfFold.load(encoder_folder / OUT_OF_FOLD_FILE))
    say("fitting the weights of observations on simulated districts")
    _fit_observations(folder, encoder_folder, catalogue, say)
    manifest = _write_manifest(folder, encoder_folder, catalogue)
    say("measuring")
    restate(folder, manifest, version_figures(models, name, say), EncoderRecord.load(encoder_folder))
    return folder


def _fit_text_model(encoder_folder: Path, folder: Path, targets: Array, embeddings: Array, n_written: int) -> None:
    weight = np.full(len(targets), REAL_WEIGHT, np.float32)
    weight[:n_written] = 1
    head = refit(TunedHeads.load(encoder_folder).skills, embeddings, targets, weight)
    TextModel(head.weights, head.bias, head.scale).save(folder)


def _fit_fusion(folder: Path, catalogue: Catalogue, real: Sequence[Row], out_of_fold: OutOfFold) -> None:
    inputs = gather_inputs(real, out_of_fold.take([row.id for row in real]).skill_log_p, catalogue)
    weights = fit_weights(inputs, real, catalogue)
    table = gains(real, catalogue)
    quality = {}
    for penalty in SPREAD_PENALTIES:
        spread = weights.model_copy(update={"neighbour_spread": penalty})
        quality[penalty] = float(np.nanmean(ndcg_at(ordered_scores(inputs, spread, catalogue), table, 5)))
    allowed = [penalty for penalty in SPREAD_PENALTIES if quality[penalty] >= quality[0.0] - SPREAD_COST]
    chosen: FusionWeights = weights.model_copy(update={"neighbour_spread": min(allowed)})
    chosen = chosen.model_copy(update={"prior_log_odds": prior_log_odds(tuple(real), catalogue)})
    (folder / WEIGHTS_FILE).write_text(chosen.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _fit_observations(folder: Path, encoder_folder: Path, catalogue: Catalogue, say: Say) -> None:
    weights = FusionWeights.load(folder)
    texts = simulation_texts(encoder_folder, weights, catalogue)
    fitted = fit_observation_weights(gather(FITTING_SEEDS, texts, catalogue, say), prior_vector(weights, catalogue))
    chosen = weights.model_copy(update={"observations": fitted})
    (folder / WEIGHTS_FILE).write_text(chosen.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _write_manifest(folder: Path, encoder_folder: Path, catalogue: Catalogue) -> Manifest:
    """A manifest of the files that answer and an empty card; figures, card and plots follow when it was measured."""
    (folder / CARD_FILE).write_text("", encoding="utf-8")
    names = (TEXT_FILE, THRESHOLDS_FILE, WEIGHTS_FILE, CARD_FILE)
    record = EncoderRecord.load(encoder_folder)
    manifest = Manifest(
        version=folder.name,
        created=record.created,
        catalogue_version=catalogue.version,
        instruments_version=load_instruments().version,
        encoder=EncoderEntry(
            folder=encoder_folder.name,
            files={file.name: sha256_of(file) for file in sorted(encoder_folder.iterdir())},
        ),
        files={name: sha256_of(folder / name) for name in names},
        data={file.name: sha256_of(file) for file in (WRITTEN, *REAL, *SCREENING, REAL_DEV)},
        libraries={"python": platform.python_version(), **{name: library_version(name) for name in LIBRARIES}},
        seeds={"encoder": int(record.recipe["seed"]), "folds": 1, "bootstrap": 0},
        settings={"encoder": record.recipe},
        figures={},
    )
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest
