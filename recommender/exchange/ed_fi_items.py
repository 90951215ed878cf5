"""Ed-Fi elements to instrument items, by the titles of the evaluation and of its elements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.raw_scores import fold_label
from recommender.errors import ScoreError
from recommender.exchange.ed_fi_mapping import ElementMapping
from recommender.exchange.ed_fi_trees import title_key

ELEMENT_FIELD = "evaluationElementTitle"
# "2.5 - Monitor and Adjust", "PC: Positive Climate"; a code without a separator has a digit: "1a Knowledge of Content".
_LEADING_CODE = re.compile(r"(\S+?)(?:\s*[:–—]\s*|\s+-\s+)(\S.*)|(\S*\d\S*?)[.)]?\s+(\S.*)", re.DOTALL)
_WORDS = re.compile(r"[^\W_]+")
# An instrument's id ends in its edition: danielson-2022, teach-primary-v1, mqi-4pt.
_EDITION = re.compile(r"-v?[0-9][a-z0-9]*$")

EvaluationTitles = tuple[str, str]
"""The titles of an evaluation and of its performance evaluation."""


class ItemRef(NamedTuple):
    """One item of one instrument."""

    instrument: str
    code: str


class ItemFinder:
    """Finds the item an element title stands for.

    An evaluation is one instrument: the one its titles name, or else the one most of its elements' labels belong to.
    Labels and codes are compared without regard to case, spacing and punctuation. A code alone counts only within an
    instrument that is named or for which a label of the same evaluation speaks, because codes such as 1.1 are common.
    ``elements``: the titles of each evaluation's elements, as far as the files have them.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        elements: Mapping[EvaluationTitles, Iterable[str]],
        mapping: ElementMapping | None = None,
    ) -> None:
        ids = [mapping.instrument] if mapping else sorted(instruments)
        self._titles = [_Titles(instruments[each]) for each in ids]
        self._mapped = {title_key(title): code for title, code in mapping.elements.items()} if mapping else {}
        self._is_mapped = mapping is not None
        self._elements = elements
        self._found: dict[EvaluationTitles, _Titles | ScoreError] = {}

    def item(self, evaluation: EvaluationTitles, element: str) -> ItemRef:
        """The item of an element. Raises ScoreError when no instrument, or more than one, has it."""
        if not title_key(element):
            raise ScoreError("nothing", wanted="the title of an element", where=ELEMENT_FIELD)
        if evaluation not in self._found:
            self._found[evaluation] = self._instrument_of(evaluation)
        titles = self._found[evaluation]
        if isinstance(titles, ScoreError):
            raise titles
        code = self._mapped.get(title_key(element)) or titles.code(element)
        if code is None:
            wanted = "the label or code of an item, or the element's title in the mapping file"
            raise ScoreError(f"an element that is no item of {titles.instrument}", wanted=wanted, where=ELEMENT_FIELD)
        return ItemRef(titles.instrument, code)

    def _instrument_of(self, evaluation: EvaluationTitles) -> _Titles | ScoreError:
        if self._is_mapped:
            return self._titles[0]
        elements = sorted(set(self._elements.get(evaluation, ())))
        named = _fitting(_longest_named(self._titles, evaluation), elements, by_code=True)
        fitting = named or _fitting(self._titles, elements, by_code=False)
        if not fitting:
            wanted = "element titles that are labels of one, or a mapping file"
            return ScoreError("an evaluation that fits no instrument", wanted=wanted, where=ELEMENT_FIELD)
        if len(fitting) > 1:
            found = f"an evaluation that fits {' and '.join(titles.instrument for titles in fitting)} alike"
            return ScoreError(found, wanted="a mapping file that names one instrument", where=ELEMENT_FIELD)
        return fitting[0]


class _Strength(NamedTuple):
    """How many elements have the label of an item, and how many have its label or its code."""

    labels: int
    items: int


class _Titles:
    """The labels and codes of one instrument, as titles are compared."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument.id
        self.names = {_squashed(name) for name in (instrument.id, _EDITION.sub("", instrument.id), instrument.title)}
        self._codes = {fold_label(item.code): item.code for item in instrument.items}
        self._labels: dict[str, str | None] = {}
        for item in instrument.items:
            key = title_key(item.label)
            self._labels[key] = None if key in self._labels else item.code

    def code(self, element: str) -> str | None:
        """The item by label, by code, or by a leading code; None when label and code speak for different items."""
        labelled = self._labelled(element)
        head, _ = _split(element)
        coded = self._codes.get(fold_label(element)) or self._codes.get(fold_label(head))
        return None if labelled and coded and labelled != coded else labelled or coded

    def strength(self, elements: Sequence[str]) -> _Strength:
        """How well the titles of an evaluation fit."""
        codes = [(self.code(element), self._labelled(element)) for element in elements]
        return _Strength(
            sum(code is not None and labelled is not None for code, labelled in codes),
            sum(code is not None for code, _ in codes),
        )

    def _labelled(self, element: str) -> str | None:
        return self._labels.get(title_key(element)) or self._labels.get(title_key(_split(element)[1]))


def _fitting(instruments: Sequence[_Titles], elements: Sequence[str], by_code: bool) -> list[_Titles]:
    """The instruments that fit best, of those that have a label or, if asked, a code of the evaluation."""
    strengths = [(each.strength(elements), each) for each in instruments]
    fitting = [(strength, each) for strength, each in strengths if strength.labels or (by_code and strength.items)]
    best = max((strength for strength, _ in fitting), default=None)
    return [each for strength, each in fitting if strength == best]


def _split(element: str) -> tuple[str, str]:
    """A leading code and the rest; no code where the title has none."""
    match = _LEADING_CODE.fullmatch(element.strip())
    if match is None:
        return "", ""
    head, rest, digits, after = match.groups()
    return (head, rest) if head else (digits, after)


def _longest_named(instruments: Sequence[_Titles], evaluation: EvaluationTitles) -> list[_Titles]:
    """The instruments whose name stands in a title as whole words, however written (T-TESS is ttess); the fullest."""
    runs = {run for title in evaluation for run in _runs(title)}
    named = [(max((len(name) for name in each.names & runs), default=0), each) for each in instruments]
    longest = max((length for length, _ in named), default=0)
    return [each for length, each in named if length == longest and length > 0]


def _runs(title: str) -> set[str]:
    words = _WORDS.findall(title.casefold())
    return {"".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1)}


def _squashed(name: str) -> str:
    return "".join(_WORDS.findall(name.casefold()))
