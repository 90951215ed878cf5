"""What a swap changes in the answers, less what its control changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from recommender.catalogue.loader import Catalogue
from recommender.learning.audit_answers import DISTANCES, SHOWN, Answer, Answers, Floats, distances
from recommender.learning.audit_findings import Finding
from recommender.learning.audit_parameters import AuditParameters
from recommender.learning.audit_swaps import Contrast, Pair
from recommender.training.corpus import Row, gains, is_address_hash
from recommender.training.intervals import bootstrap_mean
from recommender.training.metrics import ndcg_at

Pages = npt.NDArray[np.str_]


def pages_of(rows: Sequence[Row]) -> Pages:
    """(rows,) the page each row was told from; a row that names none is a page of its own."""
    return np.array([row.source if is_address_hash(row.source) else row.id for row in rows])


def measure_contrast(
    contrast: Contrast, rows: Sequence[Row], answers: Answers, catalogue: Catalogue, parameters: AuditParameters
) -> list[Finding]:
    """The findings of one contrast: each distance less its control's, a loss of quality, and the domain that moved.

    A row's value is the mean over its pairs; intervals resample rows, those of one page together. No finding where
    no row fits.
    """
    if not contrast.pairs:
        return []
    effect = _per_row(contrast.pairs, rows, answers)
    control = _per_row(contrast.control, rows, answers)
    kept = [row for row in effect if row in control]
    pages = pages_of([rows[row] for row in kept])
    attribute, neutral = (np.array([side[row] for row in kept]) for side in (effect, control))
    margins = parameters.swaps
    findings = [
        _compared(contrast, name, attribute[:, at], neutral[:, at], pages, getattr(margins, name).value)
        for at, name in enumerate(DISTANCES)
        if not np.isnan(attribute[:, at] - neutral[:, at]).all()
    ]
    if contrast.from_original:
        findings.append(_quality(contrast, kept, rows, answers, catalogue, margins.ndcg_5_lost.value))
    return [*findings, *_domains(contrast, rows, answers, catalogue, margins.domain_shift.value)]


def _per_row(pairs: Sequence[Pair], rows: Sequence[Row], answers: Answers) -> dict[int, Floats]:
    found: dict[int, list[Floats]] = {}
    for pair in pairs:
        context = rows[pair.row].case_context()
        value = distances(answers.of(pair.first, context), answers.of(pair.second, context))
        found.setdefault(pair.row, []).append(value)
    return {row: _mean(np.array(values)) for row, values in found.items()}


def _mean(values: Floats) -> Floats:
    """Column means of what is defined; NaN where nothing is."""
    defined = ~np.isnan(values)
    total = np.where(defined, values, 0.0).sum(axis=0)
    result: Floats = np.divide(
        total, defined.sum(axis=0), out=np.full(values.shape[1], np.nan), where=defined.any(axis=0)
    )
    return result


def _compared(contrast: Contrast, name: str, effect: Floats, control: Floats, pages: Pages, margin: float) -> Finding:
    """Only rows on which both are defined."""
    both = ~np.isnan(effect) & ~np.isnan(control)
    effect, control, pages = effect[both], control[both], pages[both]
    return Finding(
        "swaps",
        contrast.about,
        name,
        bootstrap_mean(effect - control, groups=pages),
        margin,
        effect=bootstrap_mean(effect, groups=pages),
        control=bootstrap_mean(control, groups=pages),
    )


def _quality(
    contrast: Contrast, kept: Sequence[int], rows: Sequence[Row], answers: Answers, catalogue: Catalogue, margin: float
) -> Finding:
    """nDCG@5 of the text as written less that of the edited one; a text refused scores 0."""
    worth = gains([rows[row] for row in kept], catalogue)

    def quality(pairs: Sequence[Pair], *, edited: bool) -> Floats:
        by_row = {pair.row: pair for pair in pairs}
        texts = [by_row[row].second if edited else by_row[row].first for row in kept]
        return ndcg([answers.of(text, rows[row].case_context()) for row, text in zip(kept, texts, strict=True)], worth)

    written = quality(contrast.pairs, edited=False)
    effect, control = (written - quality(pairs, edited=True) for pairs in (contrast.pairs, contrast.control))
    pages = pages_of([rows[row] for row in kept])
    return _compared(contrast, "ndcg_5_lost", effect, control, pages, margin)


def ndcg(answers: Sequence[Answer], worth: npt.NDArray[np.floating]) -> Floats:
    """nDCG@5 of each answer for (answers, skills) mean grades; a text that was refused scores 0."""
    scores = np.full(worth.shape, -np.inf)
    for row, answer in enumerate(answers):
        for place, skill in enumerate(answer.order):
            scores[row, skill] = -place
    answered = np.array([answer.status == "ranked" for answer in answers])
    result: Floats = np.where(answered, ndcg_at(scores, worth.astype(np.float64), 5), 0.0)
    return result


def _domains(
    contrast: Contrast, rows: Sequence[Row], answers: Answers, catalogue: Catalogue, margin: float
) -> Iterator[Finding]:
    """The domain whose share of the first three places differs most between the sides, all texts in one direction.

    It is the largest of all domains, so an interval that leaves out 0 is no surprise by itself.
    """
    position = {domain: at for at, domain in enumerate(catalogue.domains)}
    domain_of = np.array([position[skill.domain] for skill in catalogue])
    moved: dict[int, list[Floats]] = {}
    for pair in contrast.pairs:
        context = rows[pair.row].case_context()
        first, second = (answers.of(text, context) for text in (pair.first, pair.second))
        if first.status == second.status == "ranked":
            more, fewer = (
                np.bincount(domain_of[list(answer.order[:SHOWN])], minlength=len(position))
                for answer in (second, first)
            )
            moved.setdefault(pair.row, []).append((more - fewer) / SHOWN)
    if not moved:
        return
    table = np.array([np.mean(values, axis=0) for values in moved.values()])
    means = table.mean(axis=0)
    worst = int(np.argmax(np.abs(means)))
    more_of_it = bool(means[worst] >= 0)
    pages = pages_of([rows[row] for row in moved])
    figure = bootstrap_mean(table[:, worst] * (1 if more_of_it else -1), groups=pages)
    detail = f"{catalogue.domains[worst]}, {'more' if more_of_it else 'fewer'} places for {contrast.toward}"
    yield Finding("swaps", contrast.about, "domain_shift", figure, margin, detail=detail)
