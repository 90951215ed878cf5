"""Trains one encoder a fold and keeps what each says about the texts it never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from recommender.training.corpus import Row
from recommender.training.encoder.base import BaseEncoder
from recommender.training.encoder.examples import Sources
from recommender.training.encoder.finetune import Recipe, UpperNetwork, finetune
from recommender.training.encoder.lower import run_lower_layers
from recommender.training.folds import make_folds
from recommender.training.out_of_fold import OutOfFold


def crossfit(
    make_base: Callable[[], BaseEncoder],
    sources: Sources,
    recipe: Recipe,
    folds: Sequence[int],
    say: Callable[[str], None],
    left_out: frozenset[str] = frozenset(),
) -> OutOfFold:
    """Out-of-fold logits of the real struggles, observer notes and screening texts of the given folds.

    ``make_base`` gives a fresh pretrained encoder: fine-tuning changes it in place. Real struggles whose id is in
    ``left_out`` are predicted in their fold like all others and trained on in none.
    """
    real_folds, screening_folds = make_folds(sources.real), make_folds(sources.screening)
    notes = [i for i, row in enumerate(sources.written) if row.kind == "observer_note"]
    note_folds = make_folds([sources.written[i] for i in notes])
    parts = []
    for fold in folds:
        real_train, real_test = real_folds[fold]
        screening_train, screening_test = screening_folds[fold]
        note_test = [notes[i] for i in note_folds[fold][1]]
        kept = [i for i in real_train if sources.real[i].id not in left_out]
        examples = sources.examples.take(sources.training_positions(kept, screening_train, without_written=note_test))
        say(f"fold {fold}")
        network = finetune(make_base(), examples, recipe, say)
        held_back = [
            *((sources.written[i], i) for i in note_test),
            *((sources.real[i], sources.real_start + int(i)) for i in real_test),
            *((sources.screening[i], sources.screening_start + int(i)) for i in screening_test),
        ]
        states = [sources.examples.states[position][0] for _, position in held_back]
        parts.append(_predict(network, [row for row, _ in held_back], states))
    return OutOfFold.join(parts)


def predict_development(
    make_base: Callable[[], BaseEncoder],
    sources: Sources,
    rows: Sequence[Row],
    recipe: Recipe,
    say: Callable[[str], None],
    left_out: frozenset[str] = frozenset(),
) -> OutOfFold:
    """What an encoder trained on every training text says about ``rows``, which are none of them.

    Real struggles whose id is in ``left_out`` are not trained on either.
    """
    kept = [i for i, row in enumerate(sources.real) if row.id not in left_out]
    positions = sources.training_positions(kept, range(len(sources.screening)))
    network = finetune(make_base(), sources.examples.take(positions), recipe, say)
    texts = [row.text for row in rows]
    states = run_lower_layers(make_base(), texts, layers=recipe.frozen_layers, copies=0, seed=recipe.seed).variants
    return _predict(network, rows, [variants[0] for variants in states])


def _predict(network: UpperNetwork, rows: Sequence[Row], states: list[torch.Tensor]) -> OutOfFold:
    embeddings = network.embed_all(states)
    with torch.no_grad():
        skill_logits, status_logits = network.logits(embeddings)
    return OutOfFold(
        ids=tuple(row.id for row in rows),
        skill_log_p=torch.log_softmax(skill_logits, 1).numpy(),
        status_log_p=torch.log_softmax(status_logits, 1).numpy(),
    )
