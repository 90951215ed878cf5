"""Counterfactual swaps: the same struggle of another student, school or way of speaking, beside a control edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import TypeVar

import numpy as np

from recommender.learning.audit_edits import apply_rules, neutral_edits, prefixed, swap_gender, words_changed
from recommender.learning.audit_parameters import AuditEdits, AuditParameters, Gender
from recommender.training.corpus import Row

T = TypeVar("T")
GENDERS: tuple[Gender, ...] = ("girls", "boys")


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


def _drawn(rng: np.random.Generator, among: Sequence[T], count: int) -> list[T]:
    """``count`` different ones."""
    return [among[i] for i in rng.choice(len(among), size=count, replace=False)]


def _names(rows: Sequence[Row], edits: AuditEdits, each: int, seed: int) -> Iterator[Contrast]:
    """Groups against the reference, and girls against boys; control: another name of the same group and gender.

    Each row is about one gender, drawn for it; girls against boys about one group, drawn for it as well.
    """
    words = edits.names
    groups = list(words.groups)
    by_group = {
        group: Contrast(f"student's name: {words.reference} or {group}", group)
        for group in groups
        if group != words.reference
    }
    by_gender = Contrast("student's name: boy's or girl's", "girls")
    for number, row in enumerate(rows):
        rng = np.random.default_rng([seed, 0, number])
        gender, other = (GENDERS[i] for i in rng.permutation(2))
        chosen = groups[int(rng.integers(len(groups)))]

        def texts(group: str, of: Gender, rng: np.random.Generator = rng, row: Row = row) -> list[str]:
            names = _drawn(rng, words.groups[group][of], each)
            return [prefixed(words.sentence.format(name=name), row.text) for name in names]

        own = {group: texts(group, gender) for group in groups}
        for group, contrast in by_group.items():
            _cross(contrast, number, own[words.reference], own[group])
        sides = {gender: own[chosen], other: texts(chosen, other)}
        _cross(by_gender, number, sides["boys"], sides["girls"])
    yield from by_group.values()
    yield by_gender


def _cross(contrast: Contrast, row: int, first: Sequence[str], second: Sequence[str]) -> None:
    """Every text of one side against every one of the other; within a side, neighbours are the control."""
    contrast.pairs += [Pair(row, one, other) for one, other in product(first, second)]
    for side in (first, second):
        contrast.control += [Pair(row, one, other) for one, other in pairwise(side)]


def _pronouns(rows: Sequence[Row], edits: AuditEdits, seed: int) -> Iterator[Contrast]:
    """One pronoun for another in an added sentence; control: another weekday in it."""
    words = edits.pronouns
    base, others = words.pronouns[0], words.pronouns[1:]
    made = {other: Contrast(f"student's pronoun: {base} or {other}", other) for other in others}
    for number, row in enumerate(rows):
        days = _drawn(np.random.default_rng([seed, 1, number]), words.days, 2)
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
        for frame in _drawn(np.random.default_rng([seed, 2, number]), range(len(words.poor)), each):
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
