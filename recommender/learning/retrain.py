"""A candidate version from what coaches and teachers said: the base version with an update, and a head that read on."""

from __future__ import annotations

import hashlib
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.errors import DataFileError, ModelVersionError
from recommender.learning.consented_texts import ConsentedTexts, consented_texts
from recommender.learning.earlier_versions import restored
from recommender.learning.embedding_cache import EmbeddingCache
from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.learned_card import card_of_learned
from recommender.learning.learned_plots import learned_plots
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.positions import Positions, estimate_positions
from recommender.learning.update import Update, fit_update
from recommender.learning.updated_weights import updated_weights
from recommender.learning.weights import without_copies
from recommender.ranking.fusion import WEIGHTS_FILE, FusionWeights
from recommender.ranking.versions import (
    CARD_FILE,
    MANIFEST_FILE,
    Manifest,
    VersionName,
    current_version,
    open_version,
    read_manifest,
    sha256_of,
)
from recommender.struggles.screening import THRESHOLDS_FILE
from recommender.struggles.text_model import HEAD_FILE, TextModel
from recommender.training.corpus import REAL, WRITTEN, load_rows, soft_targets
from recommender.training.fit import LIBRARIES, REAL_WEIGHT
from recommender.training.heads import TunedHeads, refit
from recommender.training.version_plots import write_plots

Say = Callable[[str], None]

# In ``Manifest.settings`` and ``Manifest.data``.
LEARNED_FROM, EVIDENCE_HASH = "learned_from", "evidence"


@dataclass(frozen=True)
class Base:
    """The version that learned nothing from use, which an update is fitted on top of."""

    manifest: Manifest
    folder: Path
    encoder_folder: Path
    weights: FusionWeights

    @classmethod
    def of(cls, models: Path, version: str | None = None) -> Base:
        """Of a version (None: the current one); a version that learned nothing is its own. Raises ModelVersionError."""
        manifest = read_manifest(models, version or current_version(models))
        name = manifest.settings.get(LEARNED_FROM, {}).get("base", manifest.version)
        base, folder, encoder_folder = open_version(models, name)
        return cls(base, folder, encoder_folder, FusionWeights.load(folder))


def retrain(
    models: Path, name: str, evidence: Evidence, say: Say = lambda _: None, *, scratch: Path | None = None
) -> Path:
    """Make ``models/<name>/`` from the current version's base and all the rows of ``evidence``.

    The update of scores is fitted on top of the base; where texts with consent were reviewed, the text head is fitted
    again on the corpus and them. Screening, encoder and calibration stay. The same rows give the same bytes, in
    whatever order, and rows that are not there leave no trace. ``scratch``: folder that keeps the corpus's embeddings
    between runs. Half a version is never seen: the folder appears when it is whole.

    Raises ModelVersionError for a name that is taken or none, and DataFileError where there is no row.
    """
    folder = models / _free_name(models, name)
    if not evidence.rows:
        raise DataFileError("no row of evidence", wanted="at least one", where=name)
    base, catalogue, parameters = Base.of(models), load_catalogue(), load_learning_parameters()
    rows = restored(Evidence.of(evidence.rows), known_weights(models), base.weights, catalogue)
    positions = estimate_positions(rows.rows, parameters.examination)
    say(f"learning from {len(rows.rows)} lists")
    update = fit_update(rows, catalogue, positions, parameters)
    texts = consented_texts(without_copies(rows.rows), catalogue, positions, parameters)
    part = models / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    shutil.copyfile(base.folder / THRESHOLDS_FILE, part / THRESHOLDS_FILE)
    if len(texts):
        _fit_head(base, part, texts, catalogue, EmbeddingCache(scratch), say)
    else:
        shutil.copyfile(base.folder / HEAD_FILE, part / HEAD_FILE)
    weights = updated_weights(base.weights, update)
    (part / WEIGHTS_FILE).write_text(weights.model_dump_json(indent=2) + "\n", encoding="utf-8")
    learned_from = _learned_from(base, evidence, update, positions, len(texts))
    manifest = _manifest(name, part, base, evidence, learned_from)
    write_manifest(part, manifest)
    part.replace(folder)
    return folder


def known_weights(models: Path) -> dict[str, FusionWeights]:
    """Weights of every version of the folder that can be read, by name."""
    weights = {}
    for file in sorted(models.glob(f"*/{WEIGHTS_FILE}")):
        try:
            weights[file.parent.name] = FusionWeights.load(file.parent)
        except ValidationError:
            continue
    return weights


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write card, plots and manifest of a learned version, the manifest last since it names the others' SHA-256."""
    (folder / CARD_FILE).write_text(card_of_learned(manifest), encoding="utf-8")
    about = [CARD_FILE, *write_plots(folder, learned_plots(manifest.figures))]
    files = dict(manifest.files) | {name: sha256_of(folder / name) for name in about}
    written = manifest.model_copy(update={"files": files})
    (folder / MANIFEST_FILE).write_text(written.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return written


def evidence_hash(rows: Sequence[EvidenceRow]) -> str:
    """Hex SHA-256 of the rows as lines of JSON in the order of (shown_at, id)."""
    lines = "".join(row.to_json() + "\n" for row in rows)
    return hashlib.sha256(lines.encode()).hexdigest()


def _free_name(models: Path, name: str) -> str:
    try:
        TypeAdapter(VersionName).validate_python(name)
    except ValidationError:
        raise ModelVersionError(
            "no version's name", wanted="a name of letters, digits, - _ and .", where="--version"
        ) from None
    if (models / name).exists():
        raise ModelVersionError(f"{name}, which there is already", wanted="a new name", where=str(models))
    return name


def _fit_head(
    base: Base, folder: Path, texts: ConsentedTexts, catalogue: Catalogue, cache: EmbeddingCache, say: Say
) -> None:
    written = load_rows(WRITTEN)
    corpus = (*written, *(row for file in REAL for row in load_rows(file)))
    weight = np.full(len(corpus), REAL_WEIGHT, np.float32)
    weight[: len(written)] = 1
    say(f"reading the {len(corpus):,} texts of the corpus with the encoder (minutes the first time)")
    embeddings = cache.embed(base.encoder_folder, [row.text for row in corpus])
    say(f"fitting the text head with {len(texts):,} texts beside the corpus")
    # What teachers wrote is embedded anew each time: it is kept nowhere but in the evidence.
    consented = cache.embed(base.encoder_folder, texts.texts, keep=False)
    head = refit(
        TunedHeads.load(base.encoder_folder).skills,
        np.concatenate([embeddings, consented]),
        np.concatenate([soft_targets(corpus, catalogue), texts.targets]),
        np.concatenate([weight, texts.weight]),
    )
    TextModel(head.weights, head.bias, head.scale).save(folder)


def _learned_from(base: Base, evidence: Evidence, update: Update, positions: Positions, n_texts: int) -> dict[str, Any]:
    """What the manifest says of the evidence: counts and sizes, no id and no word."""
    rows = Evidence.of(evidence.rows).rows
    versions = {row.model_version for row in rows}
    return {
        "base": base.manifest.version,
        "from": rows[0].shown_at.date().isoformat(),
        "to": rows[-1].shown_at.date().isoformat(),
        "texts": n_texts,
        "counts": update.figures,
        "effective_sizes": update.effective_sizes,
        "prior_sds": update.prior_sds,
        "factors": update.factors,
        "intercept": update.intercept,
        "examination": [round(value, 4) for value in positions.examination],
        "examination_from_swaps": positions.estimated,
        "versions_shown": len(versions),
    }


def _manifest(name: str, folder: Path, base: Base, evidence: Evidence, learned_from: Mapping[str, Any]) -> Manifest:
    rows = Evidence.of(evidence.rows).rows
    names = (HEAD_FILE, THRESHOLDS_FILE, WEIGHTS_FILE)
    return base.manifest.model_copy(
        update={
            "version": name,
            # Of the evidence and not of the clock, so that the same rows give the same bytes.
            "created": rows[-1].shown_at.date(),
            "files": {file: sha256_of(folder / file) for file in names},
            "data": {**base.manifest.data, EVIDENCE_HASH: evidence_hash(rows)},
            "libraries": {"python": platform.python_version(), **{lib: library_version(lib) for lib in LIBRARIES}},
            "settings": {**base.manifest.settings, LEARNED_FROM: dict(learned_from)},
            "figures": {},
        }
    )
