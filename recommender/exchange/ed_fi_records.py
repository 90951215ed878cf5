"""Ed-Fi performance evaluation, whatever the file format: neutral trees in, element ratings and their scales out.

Names follow the TPDM extension 1.1 and Data Standard 6. The XML, JSON and CSV of one resource differ in nesting and in
the endings of names only, so that each reader hands over a tree of names and texts and the fields are found here once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from recommender.catalogue.raw_scores import fold_label
from recommender.errors import ScoreError
from recommender.exchange.ed_fi_trees import (
    RATING_LEVELS,
    RESULTS,
    REVIEWERS,
    Scalar,
    Tree,
    branch,
    decimal,
    descriptor_code,
    first,
    own,
    refuse_lone_surrogates,
)

_LEVEL_NAMES = ("evaluationratinglevel", "evaluationelementratinglevel", "ratinglevel")
_LOWEST, _HIGHEST = "minrating", "maxrating"
_BOUNDS = {_LOWEST: "minRating", _HIGHEST: "maxRating"}
_NOTES = ("areaofrefinement", "feedback", "comments", "areaofreinforcement")
_SCHOOL_YEARS = re.compile(r"[0-9]{4}\s*-\s*([0-9]{4})")


class Place(NamedTuple):
    """Where a record starts: the file's position among the paths, and the physical line, from 1."""

    file: int
    line: int


class Evaluation(NamedTuple):
    """What a rating belongs to, folded for comparing; ``kind`` is the performance evaluation type."""

    performance_title: str
    title: str
    kind: str
    period: str
    term: str
    school_year: str
    organisation: str


class Level(NamedTuple):
    """One rating level of an element: its folded name and the ends of its band, None where the file has none."""

    name: str
    lowest: float | None
    highest: float | None


@dataclass(frozen=True, slots=True)
class ElementScale:
    """What a file says of an element's numbers; None where it says nothing."""

    lowest: float | None = None
    highest: float | None = None
    levels: tuple[Level, ...] = ()


class Result(NamedTuple):
    """One result of a rating: the number or text as written, its title and its data type, folded."""

    rating: Scalar
    title: str
    datatype: str


@dataclass(frozen=True, slots=True)
class Element:
    """The definition of one evaluation element."""

    evaluation: Evaluation
    objective: str
    title: str
    scale: ElementScale


@dataclass(frozen=True, slots=True)
class ElementRating:
    """One person's rating on one element. Titles are as written; ``person`` and ``date`` may be empty."""

    place: Place
    evaluation: Evaluation
    objective: str
    element: str
    person: str
    source_system: str
    date: str
    results: tuple[Result, ...]
    level: str
    note: str
    scale: ElementScale | None


@dataclass(frozen=True, slots=True)
class Review:
    """Who rated one person in one evaluation, or in a whole performance evaluation when ``whole`` is true."""

    evaluation: Evaluation
    whole: bool
    person: str
    source_system: str
    date: str
    reviewers: tuple[str, ...]


def element_rating(tree: Tree, place: Place) -> ElementRating:
    """The element rating a tree holds. Raises ScoreError for text that no UTF-8 file can hold."""
    refuse_lone_surrogates(tree)
    element = branch(tree, "evaluationelementreference")
    rating = branch(tree, "evaluationobjectiveratingreference")
    return ElementRating(
        place=place,
        evaluation=_evaluation(element, tree),
        objective=first("evaluationobjectivetitle", element, tree),
        element=first("evaluationelementtitle", element, tree),
        person=first("personid", rating, tree),
        source_system=descriptor_code(first("sourcesystem", rating, tree)),
        date=first("evaluationdate", rating, tree),
        results=tuple(_results(tree)),
        level=descriptor_code(own(tree, "evaluationelementratinglevel")),
        note="\n".join(filter(None, (own(tree, name) for name in _NOTES))),
        scale=_scale(tree),
    )


def element(tree: Tree) -> Element:
    """The element definition a tree holds. Raises ScoreError for a bound that is no number."""
    refuse_lone_surrogates(tree)
    return Element(
        evaluation=_evaluation(tree),
        objective=first("evaluationobjectivetitle", tree),
        title=first("evaluationelementtitle", tree),
        scale=_scale(tree) or ElementScale(),
    )


def review(tree: Tree) -> Review | None:
    """Who observed, from the rating of an evaluation or of a performance evaluation; None when it names nobody."""
    people = [entry for entry in tree.get(REVIEWERS, ()) if isinstance(entry, dict)]
    reviewers = {first("personid", entry) for entry in people} - {""}
    if not reviewers:
        return None
    refuse_lone_surrogates(tree)
    return Review(
        evaluation=_evaluation(branch(tree, "evaluationreference"), tree),
        whole=not first("evaluationtitle", tree),
        person=first("personid", tree),
        source_system=descriptor_code(first("sourcesystem", tree)),
        date=first("evaluationdate", tree),
        reviewers=tuple(sorted(reviewers)),
    )


def _evaluation(*trees: Tree) -> Evaluation:
    year = first("schoolyear", *trees)
    both = _SCHOOL_YEARS.fullmatch(year)
    return Evaluation(
        performance_title=fold_label(first("performanceevaluationtitle", *trees)),
        title=fold_label(first("evaluationtitle", *trees)),
        kind=descriptor_code(first("performanceevaluationtype", *trees)),
        period=descriptor_code(first("evaluationperiod", *trees)),
        term=descriptor_code(first("term", *trees)),
        # JSON gives the year a school year ends in, XML both.
        school_year=both.group(1) if both else year,
        organisation=first("educationorganizationid", *trees),
    )


def _results(tree: Tree) -> Iterable[Result]:
    for entry in tree.get(RESULTS, ()):
        if isinstance(entry, dict):
            rating = next((value for value in entry.get("rating", ()) if not isinstance(value, dict)), None)
            datatype = descriptor_code(own(entry, "resultdatatypetype"))
            yield Result(rating, fold_label(own(entry, "ratingresulttitle")), datatype)


def _scale(tree: Tree) -> ElementScale | None:
    lowest, highest = _bound(tree, _LOWEST), _bound(tree, _HIGHEST)
    levels = tuple(_level(entry) for entry in tree.get(RATING_LEVELS, ()) if isinstance(entry, dict))
    if lowest is None and highest is None and not levels:
        return None
    return ElementScale(lowest, highest, levels)


def _level(tree: Tree) -> Level:
    name = next(filter(None, (own(tree, name) for name in _LEVEL_NAMES)), "")
    return Level(descriptor_code(name), _bound(tree, _LOWEST), _bound(tree, _HIGHEST))


def _bound(tree: Tree, name: str) -> float | None:
    text = own(tree, name)
    if not text:
        return None
    number = decimal(text)
    if number is None or abs(number) > 1e9:
        where = _BOUNDS[name]
        raise ScoreError("an end of the rating scale that is no number", wanted="a number up to 1e9", where=where)
    return number
