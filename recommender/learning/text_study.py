"""One fold of the text report: a head learned from a corpus, and with texts that were reviewed or labelled besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from recommender.catalogue.loader import Catalogue
from recommender.learning.consented_texts import ConsentedTexts, consented_texts
from recommender.learning.evidence import EvidenceRow, ReviewGiven, ScoreParts, ShownSkill
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.positions import Positions
from recommender.training.corpus import Row, soft_targets
from recommender.training.fit import REAL_WEIGHT
from recommender.training.heads import Head, refit
from recommender.training.leave_out import PENALTY, SCALE
from recommender.training.measured import Measured
from recommender.training.report import Values, per_request
from recommender.training.simulate.reviewing import FIRST_DAY, review_changes
from recommender.training.simulate.reviewing_parameters import ReviewingParameters, load_reviewing_parameters
from recommender.training.stored_vectors import StoredVectors

Way = Literal[
    "corpus alone", "reviewed", "counted as they are", "labelled in full", "not reviewed", "reviews of other texts"
]
"""What the texts beside the corpus teach.

Nothing; what ``consented_texts`` reads in a review; the same with every place taken as looked at; all labellers' grades
at the weight of a real text; the base head's own shares, which no coach saw; reviews that were given to other texts
"""

# Streams of random numbers of a seed.
_CORPUS, _REVIEW, _OTHERS = 0, 1, 2

Array = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


class Arm(NamedTuple):
    """A way to teach ``size`` texts; None: all."""

    way: Way
    size: int | None = None


ALONE = Arm("corpus alone", 0)


@dataclass(frozen=True)
class TextStudy:
    """What is compared. ``corpus``: real rows of a fold that are the corpus; the others are the reviewed texts."""

    seeds: tuple[int, ...]
    arms: tuple[Arm, ...]
    corpus: int = 1_000


@dataclass(frozen=True)
class StudyTexts:
    """The rows that are split anew by every seed, with their vectors."""

    written: tuple[Row, ...]
    real: tuple[Row, ...]
    folds: tuple[tuple[Integers, Integers], ...]
    catalogue: Catalogue
    vectors: StoredVectors

    def embed(self, rows: Sequence[Row]) -> Array:
        """(rows, dimensions) of unit length."""
        vectors = self.vectors.embed([row.text for row in rows])
        unit: Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


@dataclass(frozen=True)
class FoldFigures:
    """Values of the fold's ``test`` rows by arm, and how many texts each arm taught beside the corpus."""

    test: Integers
    values: dict[Arm, Values]
    taught: dict[Arm, int]


def study_fold(seed: int, fold: int, texts: StudyTexts, study: TextStudy) -> FoldFigures:
    """Split the fold's training rows, have the lists of the base head reviewed, learn every arm and measure it.

    The base head is learned from ``study.corpus`` rows of the fold and all written ones. The same seed has the same
    coach, labeller and luck for a text in every fold; the list differs as the head does.
    """
    train, test = texts.folds[fold]
    drawn = np.random.default_rng([seed, _CORPUS, fold]).permutation(train)
    learner = _Learner.of(texts, [texts.real[at] for at in drawn[: study.corpus]])
    base = learner.head(())
    asked = drawn[study.corpus :]
    log_p = base.log_probabilities(texts.embed([texts.real[at] for at in asked]))
    rows = reviewed_lists(seed, {int(at): texts.real[at] for at in asked}, log_p, texts.catalogue)
    by_text = {texts.real[at].text: texts.real[at] for at in asked}
    answered = [texts.real[at] for at in test]
    values, taught = {}, {}
    for arm in study.arms:
        lesson = lesson_of(arm, rows, by_text, texts.catalogue, np.random.default_rng([seed, _OTHERS, fold]))
        head = learner.head([by_text[text] for text in lesson.texts], lesson) if len(lesson) else base
        scores = head.log_probabilities(texts.embed(answered)).astype(np.float64)
        measured = Measured(tuple(answered), scores, None, np.ones(len(answered), dtype=bool))
        values[arm], taught[arm] = per_request(measured, texts.catalogue), len(lesson)
    return FoldFigures(test, values, taught)


def reviewed_lists(
    seed: int,
    asked: Mapping[int, Row],
    log_p: Array,
    catalogue: Catalogue,
    parameters: ReviewingParameters | None = None,
) -> tuple[EvidenceRow, ...]:
    """One list a text, the first places of ``log_p`` (texts, skills), each reviewed by a coach of one district.

    The coach holds what one of the text's labellers said: a skill that this labeller did not name is not relevant.
    ``asked`` has the number of each text, from which its coach, labeller and luck are drawn.
    """
    parameters = parameters or load_reviewing_parameters()
    order = np.argsort(-log_p, axis=1, kind="stable")[:, : parameters.lists.places.value]
    return tuple(
        _reviewed_list(np.random.default_rng([seed, _REVIEW, number]), number, row, order[at], log_p[at],
                       catalogue, parameters)
        for at, (number, row) in enumerate(asked.items())
    )  # fmt: skip


def _reviewed_list(
    rng: np.random.Generator,
    number: int,
    row: Row,
    listed: npt.NDArray[np.intp],
    log_p: Array,
    catalogue: Catalogue,
    parameters: ReviewingParameters,
) -> EvidenceRow:
    districts = parameters.districts
    labels = row.labels[rng.integers(len(row.labels))]
    grades = np.zeros(len(catalogue), np.int64)
    for skill_id, grade in labels.items():
        grades[catalogue.index[skill_id]] = grade
    coach, teacher = rng.integers(districts.coaches.value), rng.integers(districts.teachers.value)
    shown_at = FIRST_DAY + timedelta(minutes=number * districts.minutes_apart.value)
    places = [
        ShownSkill(skill_id=catalogue.ids[skill], rank=rank, score=score, parts=ScoreParts(struggle=score))
        for rank, (skill, score) in enumerate(zip(listed, log_p[listed].tolist(), strict=True), start=1)
    ]
    return EvidenceRow(
        id=f"list-{number:06d}",
        tenant="district-0",
        teacher=f"district-0-teacher-{teacher}",
        coach=f"district-0-coach-{coach}",
        case=f"case-{number:06d}",
        shown_at=shown_at,
        model_version="base",
        catalogue_version=catalogue.version,
        struggle=row.text,
        shown=places,
        scores=log_p.tolist(),
        review=ReviewGiven(
            reviewed_at=shown_at + timedelta(minutes=15),
            changes=review_changes(rng, listed, grades, "honest", catalogue.ids, parameters),
        ),
    )


def lesson_of(
    arm: Arm,
    rows: Sequence[EvidenceRow],
    by_text: Mapping[str, Row],
    catalogue: Catalogue,
    rng: np.random.Generator,
) -> ConsentedTexts:
    """What an arm teaches of the first ``arm.size`` rows; every arm of a size has the same texts.

    ``rng`` deals out other texts' reviews.
    """
    parameters = load_learning_parameters()
    everywhere = arm.way == "counted as they are"
    positions = Positions.everywhere() if everywhere else Positions.assumed(parameters.examination)
    lesson = consented_texts(rows[: arm.size], catalogue, positions, parameters)
    targets, weight = lesson.targets, lesson.weight
    if arm.way == "labelled in full":
        targets = soft_targets([by_text[text] for text in lesson.texts], catalogue)
        weight = np.full(len(lesson), REAL_WEIGHT, np.float32)
    if arm.way == "not reviewed":
        targets = softmax(np.array([row.scores or [] for row in rows[: arm.size]]), axis=1).astype(np.float32)
    if arm.way == "reviews of other texts":
        targets = targets[rng.permutation(len(lesson))]
    return ConsentedTexts(lesson.texts, targets, weight)


@dataclass(frozen=True)
class _Learner:
    """The corpus of one fold, to which texts can be added."""

    texts: StudyTexts
    embeddings: Array
    targets: Array
    weight: Array

    @classmethod
    def of(cls, texts: StudyTexts, real: Sequence[Row]) -> _Learner:
        corpus = (*texts.written, *real)
        weight = np.full(len(corpus), REAL_WEIGHT, np.float32)
        weight[: len(texts.written)] = 1
        return cls(texts, texts.embed(corpus), soft_targets(corpus, texts.catalogue), weight)

    def head(self, rows: Sequence[Row], lesson: ConsentedTexts | None = None) -> Head:
        """Learned anew from the corpus and a lesson, as ``leave_out`` learns its heads; weights as in retraining."""
        n_skills, dimensions = self.targets.shape[1], self.embeddings.shape[1]
        empty = Head(np.zeros((n_skills, dimensions), np.float32), np.zeros(n_skills, np.float32), SCALE)
        if lesson is None:
            return refit(empty, self.embeddings, self.targets, self.weight, PENALTY)
        return refit(
            empty,
            np.concatenate([self.embeddings, self.texts.embed(rows)]),
            np.concatenate([self.targets, lesson.targets]),
            np.concatenate([self.weight, lesson.weight]),
            PENALTY,
        )
