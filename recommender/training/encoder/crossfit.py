"""Trains one encoder a fold and keeps what each says about the texts it never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from recommender.training.corpus import Row
from recommender.training.encoder.base import BaseEncoder
from recommender.training.encoder.examples import Sources
from recommender.training.encoder.finetune import Recipe, UpperNetwork, finetune
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
        parts.append(_predict(network, sources, held_back))
    return OutOfFold.join(parts)


def _predict(network: UpperNetwork, sources: Sources, held_back: list[tuple[Row, int]]) -> OutOfFold:
    embeddings = network.embed_all([sources.examples.states[position][0] for _, position in held_back])
    with torch.no_grad():
        skill_logits, status_logits = network.logits(embeddings)
    return OutOfFold(
        ids=tuple(row.id for row, _ in held_back),
        skill_log_p=torch.log_softmax(skill_logits, 1).numpy(),
        status_log_p=torch.log_softmax(status_logits, 1).numpy(),
    )
