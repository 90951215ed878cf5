"""Counterfactual swaps: the same struggle of another student, school or way of speaking, beside a control edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from recommender.learning.audit_edits import apply_rules, neutral_edits, prefixed, swap_gender, words_changed
from recommender.learning.audit_parameters import AuditEdits, AuditParameters, Gender
from recommender.training.corpus import Row


@dataclass(frozen=True)
class Pair:
    """Two versions of one text."""

    row: int
    first: str
    second: str


@dataclass
class Contrast:
    """Pairs that differ in what ``about`` says, and control pairs of the same rows that do not.

    ``toward``: the side the second texts stand for. ``from_original``: the first texts are as they were written, so
    that a loss of quality can be told.
    """

    about: str
    toward: str
    pairs: list[Pair] = field(default_factory=list)
    control: list[Pair] = field(default_factory=list)
    from_original: bool = False


def contrasts(rows: Sequence[Row], edits: AuditEdits, parameters: AuditParameters, seed: int = 0) -> Iterator[Contrast]:
    """Every swap of the audit over the rows it fits; the same rows and seed give the same pairs."""
    yield from _names(rows, edits, parameters.sample.names_each.value, seed)
    yield from _pronouns(rows, edits, seed)
    yield _gender_in_text(rows, edits)
    yield _schools(rows, edits, parameters.sample.sentences_each.value, seed)
    yield from _dialects(rows, edits)


def _drawn(seed: int, stream: int, row: int, among: Sequence[str], count: int) -> list[str]:
    """``count`` different ones; the draw belongs to the row, so that other rows change nothing."""
    rng = np.random.default_rng([seed, stream, row])
    return [among[i] for i in rng.choice(len(among), size=count, replace=False)]


def _names(rows: Sequence[Row], edits: AuditEdits, each: int, seed: int) -> Iterator[Contrast]:
    """Groups against the reference within a gender, and girls against boys within a group; control: the same group."""
    groups, genders = edits.names.groups, ("girls", "boys")
    texts: dict[tuple[int, str, str], list[str]] = {}
    for (number, row), (at, group), gender in product(enumerate(rows), enumerate(groups), genders):
        names = groups[group][_gender(gender)]
        drawn = _drawn(seed, 2 * at + genders.index(gender), number, names, each)
        texts[number, group, gender] = [prefixed(edits.names.sentence.format(name=name), row.text) for name in drawn]
    reference = edits.names.reference
    for group in groups:
        if group == reference:
            continue
        contrast = Contrast(f"student's name: {reference} or {group}", group)
        for number, gender in product(range(len(rows)), genders):
            _cross(contrast, number, texts[number, reference, gender], texts[number, group, gender])
        yield contrast
    contrast = Contrast("student's name: boy's or girl's", "girls")
    for number, group in product(range(len(rows)), groups):
        _cross(contrast, number, texts[number, group, "boys"], texts[number, group, "girls"])
    yield contrast


def _gender(name: str) -> Gender:
    return "girls" if name == "girls" else "boys"


def _cross(contrast: Contrast, row: int, first: Sequence[str], second: Sequence[str]) -> None:
    """Every text of one side against every one of the other; within a side, neighbours are the control."""
    contrast.pairs += [Pair(row, one, other) for one, other in product(first, second)]
    for side in (first, second):
        contrast.control += [Pair(row, one, other) for one, other in zip(side, side[1:], strict=False)]


def _pronouns(rows: Sequence[Row], edits: AuditEdits, seed: int) -> Iterator[Contrast]:
    """One pronoun for another in an added sentence; control: another weekday in it."""
    words = edits.pronouns
    base, others = words.pronouns[0], words.pronouns[1:]
    made = {other: Contrast(f"student's pronoun: {base} or {other}", other) for other in others}
    for number, row in enumerate(rows):
        days = _drawn(seed, 100, number, words.days, 2)
        said = {
            pronoun: [prefixed(words.sentence.format(pronoun=pronoun, day=day), row.text) for day in days]
            for pronoun in words.pronouns
        }
        for other, contrast in made.items():
            contrast.pairs += [Pair(number, one, two) for one, two in zip(said[base], said[other], strict=True)]
            contrast.control += [Pair(number, *said[base]), Pair(number, *said[other])]
    yield from made.values()


def _gender_in_text(rows: Sequence[Row], edits: AuditEdits) -> Contrast:
    contrast = Contrast("gender of the student in the text itself", "the other gender", from_original=True)
    for number, row in enumerate(rows):
        swapped = swap_gender(row.text, edits.pronouns)
        if swapped is not None:
            wanted = words_changed(row.text, swapped)
            neutral, changed = neutral_edits(row.text, edits.neutral, wanted)
            if changed:
                contrast.pairs.append(Pair(number, row.text, swapped))
                contrast.control.append(Pair(number, row.text, neutral))
    return contrast


def _schools(rows: Sequence[Row], edits: AuditEdits, each: int, seed: int) -> Contrast:
    """A sentence on poor families against one of its form on well-off ones; control: two sentences on the building."""
    words = edits.schools
    contrast = Contrast("school: well-off or poor families", "poor families")
    for number, row in enumerate(rows):
        frames = [int(at) for at in _drawn(seed, 200, number, [str(i) for i in range(len(words.poor))], each)]
        for frame in frames:
            rich, poor = (prefixed(side[frame], row.text) for side in (words.well_off, words.poor))
            contrast.pairs.append(Pair(number, rich, poor))
            one, other = (prefixed(words.neutral[at], row.text) for at in (frame, frame + len(words.poor)))
            contrast.control.append(Pair(number, one, other))
    return contrast


def _dialects(rows: Sequence[Row], edits: AuditEdits) -> Iterator[Contrast]:
    for name, dialect in edits.dialects.items():
        contrast = Contrast(f"way of speaking: {name}", name, from_original=True)
        for number, row in enumerate(rows):
            spoken, wanted = apply_rules(row.text, dialect.rules)
            neutral, changed = neutral_edits(row.text, edits.neutral, wanted)
            if changed:
                contrast.pairs.append(Pair(number, row.text, spoken))
                contrast.control.append(Pair(number, row.text, neutral))
        yield contrast


def pair_sizes(contrast: Contrast) -> tuple[float, float]:
    """Mean number of words that differ in a pair and in a control pair."""
    sides = (contrast.pairs, contrast.control)
    first, second = (float(np.mean([words_changed(pair.first, pair.second) for pair in side])) for side in sides)
    return first, second
