"""Stress: the same struggle written otherwise, and all observation scores at another level or from a stricter rater."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from recommender.cases import Case, Context
from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.learning.audit_answers import DISTANCES, SHOWN, Answer, Answers, Floats, distances
from recommender.learning.audit_edits import first_words, padded, with_typos, without_marks
from recommender.learning.audit_findings import Finding
from recommender.learning.audit_parameters import AuditEdits, AuditParameters
from recommender.learning.audit_swap_figures import ndcg, pages_of
from recommender.observations import scores as columns
from recommender.observations.norm_fit import fit_norms
from recommender.observations.norms import Norms
from recommender.observations.ratings import observed_ratings
from recommender.ranking.recommender import Ranked, Recommender
from recommender.training.corpus import Row, gains
from recommender.training.intervals import bootstrap_mean, wilson
from recommender.training.simulate.design import Design
from recommender.training.simulate.ratings import simulate_scores

# A text this short may well be not enough to go on, and must alarm nobody.
FEW_WORDS = 6
# Scores of the simulated rubric run from 1 to 4; a level can be taken off all of them from 2 on.
LOWEST, SECOND = 1.0, 2.0
TENANT_OF_STRESS = "stressed"
VISITS = 2


def stress_texts(
    rows: Sequence[Row], answers: Answers, catalogue: Catalogue, edits: AuditEdits, parameters: AuditParameters
) -> Iterator[list[Finding]]:
    """Findings of each way to write the texts: capitals, slips, no marks, long, a few words only."""
    written = [answers.of(row.text, row.case_context()) for row in rows]
    worth = gains(rows, catalogue)
    ways: Mapping[str, Callable[[int, str], str]] = {
        "all capitals": lambda _, text: text.upper(),
        "typing slips": lambda number, text: with_typos(text, number),
        "small letters without marks": lambda _, text: without_marks(text),
        "told over and over": lambda _, text: padded(text, text),
        "as much small talk again": lambda _, text: padded(text, edits.padding, 2 * len(text)),
    }
    margins = parameters.stress
    pages = pages_of(rows)
    for about, rewrite in ways.items():
        changed = [answers.of(rewrite(number, row.text), row.case_context()) for number, row in enumerate(rows)]
        table = np.array([distances(one, other) for one, other in zip(written, changed, strict=True)])
        lost = ndcg(written, worth) - ndcg(changed, worth)
        values = {
            "top_1_changed": table[:, DISTANCES.index("top_1_changed")],
            "first_3_lost": table[:, DISTANCES.index("first_3_lost")],
            "status_changed": table[:, DISTANCES.index("status_changed")],
            "ndcg_5_lost": lost,
        }
        yield [
            Finding("stress", about, name, bootstrap_mean(value, groups=pages), getattr(margins, name).value)
            for name, value in values.items()
            if not np.isnan(value).all()
        ]
    yield [_few_words(rows, written, answers, margins.status_changed.value)]


def _few_words(rows: Sequence[Row], written: Sequence[Answer], answers: Answers, margin: float) -> Finding:
    """Alarms that the text as a whole does not raise; being told that it is not enough is right."""
    short = [answers.of(first_words(row.text, FEW_WORDS), row.case_context()) for row in rows]
    alarmed = sum(answer.status == "safeguarding" != whole.status for answer, whole in zip(short, written, strict=True))
    answered = sum(answer.status == "ranked" for answer in short)
    detail = f"{answered} of {len(rows)} were still ranked"
    return Finding(
        "stress", f"the first {FEW_WORDS} words only", "alarmed", wilson(alarmed, len(rows)), margin, detail=detail
    )


def stress_scores(recommender: Recommender, parameters: AuditParameters, seed: int = 0) -> Iterator[list[Finding]]:
    """Findings of simulated teachers, ranked on scores alone, whose scores are all lower, from strict raters, or alike.

    Two visits by two raters each, every score 2 to 4, so that a level can be taken off all of them. The control is the
    same teachers at two other visits: what looking again changes.
    """
    design = Design(
        teachers=parameters.sample.teachers.value,
        visits=2 * VISITS,
        raters="pool",
        raters_per_visit=2,
        teachers_per_rater=20,
        prefix="audit",
    )
    drawn = simulate_scores(design, seed).scores.assign(**{columns.TENANT: TENANT_OF_STRESS})
    drawn[columns.VALUE] = drawn[columns.VALUE].clip(lower=SECOND)
    later = drawn.groupby(columns.TEACHER)[columns.VISIT].rank("dense") > VISITS
    scores, again = drawn[~later], drawn[later]
    usual = _rank_all(recommender, scores)
    control = _compared(usual, _rank_all(recommender, again), parameters)
    for about, changed in (
        ("all scores half a level lower", _lowered(scores, 0.5)),
        ("all scores a level lower", _lowered(scores, 1.0)),
        ("half of the raters a level stricter", _stricter(scores)),
    ):
        yield _findings(about, _compared(usual, _rank_all(recommender, changed), parameters), control, parameters)
        own, own_changed = (_rank_all(_with_own_norms(recommender, table), table) for table in (scores, changed))
        yield _findings(
            f"{about}, with the school's own norms", _compared(own, own_changed, parameters), control, parameters
        )
    for about, level in (("all scores alike", 3.0), ("all scores the lowest", LOWEST)):
        alike = _rank_all(recommender, _at_level(scores, level))
        ranked = np.array([float(one.ranking.status == "ranked") for one in alike])
        margin, detail = parameters.stress.ranked_when_flat.value, f"{int(ranked.sum())} of {len(alike)} teachers"
        yield [Finding("stress", about, "ranked_when_flat", bootstrap_mean(ranked), margin, detail=detail)]


def _lowered(scores: pd.DataFrame, by: float) -> pd.DataFrame:
    return scores.assign(**{columns.VALUE: scores[columns.VALUE] - by})


def _at_level(scores: pd.DataFrame, level: float) -> pd.DataFrame:
    return scores.assign(**{columns.VALUE: level})


def _stricter(scores: pd.DataFrame) -> pd.DataFrame:
    """Every second rater gives a level less, to whomever they see."""
    strict = scores[columns.OBSERVER].isin(sorted(scores[columns.OBSERVER].unique())[::2])
    return scores.assign(**{columns.VALUE: scores[columns.VALUE] - strict.astype(float)})


def _with_own_norms(recommender: Recommender, scores: pd.DataFrame) -> Recommender:
    norms: Norms = fit_norms(observed_ratings(scores, recommender.instruments), recommender.instruments)
    return recommender.for_tenant(TENANT_OF_STRESS, norms, norms_hold_scores=True)


def _rank_all(recommender: Recommender, scores: pd.DataFrame) -> list[Ranked]:
    return [
        recommender.rank_with_evidence(
            Case(case_id=str(teacher), teacher_id=str(teacher), context=Context(), top=SHOWN), own
        )
        for teacher, own in scores.groupby(columns.TEACHER, sort=True)
    ]


def _compared(usual: Sequence[Ranked], other: Sequence[Ranked], parameters: AuditParameters) -> Floats:
    """(teachers, 2): share of the usual first three that lost their place beyond a tie, and whether the status changed.

    The first is NaN where either was not ranked.
    """
    values = []
    for one, two in zip(usual, other, strict=True):
        ranked = bool(one.ranking.suggestions and two.ranking.suggestions)
        lost = _lost_beyond_ties(one, two, parameters.near_tie.value) if ranked else np.nan
        values.append((lost, float(one.ranking.status != two.ranking.status)))
    return np.array(values, dtype=np.float64)


def _findings(about: str, effect: Floats, control: Floats, parameters: AuditParameters) -> list[Finding]:
    measures = ("moved_beyond_ties", "status_changed")
    return [
        Finding(
            "stress",
            about,
            name,
            bootstrap_mean(effect[:, at]),
            getattr(parameters.stress, name).value,
            effect=bootstrap_mean(effect[:, at]),
            control=bootstrap_mean(control[:, at]),
        )
        for at, name in enumerate(measures)
        if not np.isnan(effect[:, at]).all() and not np.isnan(control[:, at]).all()
    ]


def _lost_beyond_ties(usual: Ranked, other: Ranked, near_tie: float) -> float:
    """Share of the usual first skills that stand more than a near tie below the last of the other's first ones."""
    assert other.evidence is not None
    index = load_catalogue().index
    last = min(suggestion.score for suggestion in other.ranking.suggestions)
    score = other.evidence.score
    ids = {suggestion.skill_id for suggestion in other.ranking.suggestions}
    lost = [
        suggestion.skill_id not in ids and float(score[index[suggestion.skill_id]]) < last - near_tie
        for suggestion in usual.ranking.suggestions
    ]
    return float(np.mean(lost))
