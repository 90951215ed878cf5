"""`python -m recommender.training.encoder`: cross-fit, tune and export the encoder (an hour or two on two cores)."""

from __future__ import annotations

from datetime import date
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console

from recommender.catalogue.loader import load_catalogue
from recommender.ranking.versions import DEFAULT_MODELS, ENCODERS_FOLDER, sha256_of
from recommender.training.corpus import REAL, REAL_DEV, SCREENING, SCREENING_TUNING, WRITTEN, load_rows, screening_rows
from recommender.training.encoder.base import BASE_SHA256, BaseEncoder
from recommender.training.encoder.crossfit import crossfit, predict_development
from recommender.training.encoder.examples import Sources, gather
from recommender.training.encoder.export import export_encoder
from recommender.training.encoder.finetune import SCALE, Recipe, UpperNetwork, finetune
from recommender.training.encoder.minilm import minilm_vectors
from recommender.training.encoder.screening import save_screening, train_screening
from recommender.training.encoder_record import EncoderRecord
from recommender.training.heads import Head, TunedHeads
from recommender.training.out_of_fold import OUT_OF_FOLD_FILE, OutOfFold
from recommender.training.stored_vectors import MINILM_FILE, StoredVectors

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
err = Console(stderr=True)

BaseOption = Annotated[
    Path, typer.Option(help="Folder of all-mpnet-base-v2: model.safetensors, tokenizer.json, config.")
]
ThreadsOption = Annotated[int, typer.Option(help="Torch threads; run several folds side by side with one each.")]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option(help="Train on no real struggle of these files, but predict them (comparing growing data)."),
]
LIBRARIES = ("torch", "transformers", "onnx", "onnxruntime", "numpy", "tokenizers")


def _left_out(files: list[str] | None) -> frozenset[str]:
    return frozenset(row.id for file in REAL if file.name in (files or ()) for row in load_rows(file))


def _prepare(base: Path, threads: int, recipe: Recipe) -> Sources:
    torch.set_num_threads(threads)
    err.print("running the frozen layers over every text")
    return gather(BaseEncoder(base, recipe.kept_layers), load_catalogue(), recipe)


@app.command()
def fold(
    base: BaseOption,
    output: Annotated[Path, typer.Option(help="Folder for fold_<n>.npz.")],
    folds: Annotated[list[int], typer.Option("--fold", help="Fold numbers, 0 to 4; give it several times.")],
    without: WithoutOption = None,
    threads: ThreadsOption = 1,
) -> None:
    """Train one encoder a fold and keep what each says about the texts it never saw, observer notes among them."""
    recipe = Recipe()
    sources = _prepare(base, threads, recipe)
    left_out = _left_out(without)
    output.mkdir(parents=True, exist_ok=True)
    for number in folds:
        part = crossfit(lambda: BaseEncoder(base, recipe.kept_layers), sources, recipe, [number], err.print, left_out)
        part.save(output / f"fold_{number}.npz")


@app.command()
def development(
    base: BaseOption,
    output: Annotated[Path, typer.Option(help="Folder for development.npz.")],
    without: WithoutOption = None,
    threads: ThreadsOption = 1,
) -> None:
    """Train one encoder on all training texts and keep what it says about the development struggles."""
    recipe = Recipe()
    sources = _prepare(base, threads, recipe)
    rows = [row for row in load_rows(REAL_DEV) if row.status == "rankable"]
    output.mkdir(parents=True, exist_ok=True)
    answers = predict_development(
        lambda: BaseEncoder(base, recipe.kept_layers), sources, rows, recipe, err.print, _left_out(without)
    )
    answers.save(output / "development.npz")


@app.command()
def tune(
    base: BaseOption,
    folds_folder: Annotated[Path, typer.Option(help="Folder with the fold_<n>.npz of `fold`.")],
    models: Annotated[Path, typer.Option(help="Models folder.")] = DEFAULT_MODELS,
    threads: ThreadsOption = 2,
) -> None:
    """Train on everything, convert to ONNX with 8-bit weights and write models/encoders/<sha256-prefix>/."""
    recipe = Recipe()
    sources = _prepare(base, threads, recipe)
    tuned = BaseEncoder(base, recipe.kept_layers)
    network = finetune(tuned, sources.examples, recipe, err.print)
    network.eval()
    folder = export_encoder(tuned, recipe.frozen_layers, models / ENCODERS_FOLDER)
    _tuned_heads(network).save(folder)
    parts = [OutOfFold.load(file) for file in sorted(folds_folder.glob("fold_*.npz"))]
    OutOfFold.join(parts).save(folder / OUT_OF_FOLD_FILE)
    EncoderRecord(
        created=date.today(),
        base="sentence-transformers/all-mpnet-base-v2 (Apache-2.0)",
        base_sha256=BASE_SHA256,
        recipe=recipe.as_dict(),
        data={file.name: sha256_of(file) for file in (WRITTEN, *REAL, SCREENING_TUNING)},
        libraries={name: library_version(name) for name in LIBRARIES},
    ).save(folder)
    err.print(f"wrote {folder.name}; now `growth train --encoder {folder.name} --version NAME`")


@app.command()
def screening(
    base: BaseOption,
    encoder: Annotated[str, typer.Option(help="Folder name in models/encoders to add the screening network to.")],
    models: Annotated[Path, typer.Option(help="Models folder.")] = DEFAULT_MODELS,
    threads: ThreadsOption = 2,
) -> None:
    """Train the screening network on the frozen layers, cross-validated (ten minutes)."""
    torch.set_num_threads(threads)
    recipe = Recipe()
    base_encoder = BaseEncoder(base, recipe.kept_layers)
    network, out_of_fold = train_screening(base_encoder, screening_rows(), recipe.frozen_layers, err.print)
    folder = models / ENCODERS_FOLDER / encoder
    save_screening(folder, network, out_of_fold)
    record = EncoderRecord.load(folder)
    files = (WRITTEN, *REAL, *SCREENING)
    record.model_copy(update={"screening_data": {file.name: sha256_of(file) for file in files}}).save(folder)


@app.command()
def vectors(
    minilm: Annotated[
        Path, typer.Option(help="Folder of all-MiniLM-L6-v2: model.safetensors, tokenizer.json, config.")
    ],
) -> None:
    """Store MiniLM vectors of all ranked texts, so that the nearest-neighbour baseline runs without MiniLM."""
    texts = [row.text for file in (WRITTEN, *REAL, REAL_DEV) for row in load_rows(file) if row.status == "rankable"]
    StoredVectors.save(MINILM_FILE, texts, minilm_vectors(minilm, texts))


def _tuned_heads(network: UpperNetwork) -> TunedHeads:
    def head(linear: torch.nn.Linear) -> Head:
        weights = linear.weight.detach().numpy().astype(np.float32)
        return Head(weights, linear.bias.detach().numpy().astype(np.float32), SCALE)

    return TunedHeads(head(network.skill_head), head(network.status_head))


if __name__ == "__main__":
    app()
