"""How well texts are screened, by cross-validation and on the development struggles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recommender.cases import Case
from recommender.ranking.recommender import Recommender
from recommender.struggles.screening import STATUSES, ScreeningStatus, Thresholds
from recommender.training.corpus import WRITTEN, Row, is_address_hash, is_real_struggle, load_rows
from recommender.training.intervals import wilson
from recommender.training.report import as_data
from recommender.training.thresholds import ScreeningCase


def screening_figures(cases: ScreeningCase, rows: Sequence[Row], thresholds: Thresholds) -> dict[str, Any]:
    """Recall by status and the share of real struggles and look-alikes refused, each with n and a Wilson interval."""
    decisions = np.array(cases.decisions(thresholds))
    wanted = np.array(cases.status)
    real = np.array([is_real_struggle(row) for row in rows])
    retold = np.array([is_address_hash(row.source) for row in rows])
    note = np.array([row.kind == "observer_note" for row in rows])
    corpus = {row.id for row in load_rows(WRITTEN)}
    written = np.array([row.id in corpus for row in rows]) & ~note
    figures: dict[str, Any] = {
        "thresholds": {"safeguarding": thresholds.safeguarding, "refuse": thresholds.refuse},
        "recall": {status: _share(decisions[(wanted == status) & ~real] == status) for status in STATUSES},
        "not ranked as usual": {status: _share(decisions[wanted == status] != "rankable") for status in STATUSES[1:]},
        "not ranked as usual, retold from real pages": {
            status: _share(decisions[(wanted == status) & retold] != "rankable") for status in STATUSES[1:]
        },
        "real struggles refused": _share(decisions[real] != "rankable"),
        "look-alikes refused": _share(decisions[(wanted == "rankable") & ~real & ~written & ~note] != "rankable"),
        "look-alikes refused, retold from real pages": _share(
            decisions[(wanted == "rankable") & ~real & retold] != "rankable"
        ),
        "written struggles refused": _share(decisions[written] != "rankable"),
        "observer notes refused": _share(decisions[note] != "rankable"),
        "confusion": {
            status: {answer: int(((wanted == status) & (decisions == answer)).sum()) for answer in STATUSES}
            for status in STATUSES
        },
    }
    return figures


def development_refusals(recommender: Recommender, rows: Sequence[Row]) -> dict[str, Any]:
    """What the shipped version answers to the development struggles."""
    answers = [recommender.rank(Case(case_id=row.id, struggle=row.text)).status for row in rows]
    asked: list[ScreeningStatus] = [row.status for row in rows]
    refused = [i for i, status in enumerate(asked) if status == "rankable" and answers[i] != "ranked"]
    out = [i for i, status in enumerate(asked) if status != "rankable"]
    return {
        "rankable": len(rows) - len(out),
        "refused": len(refused),
        "refused ids": [rows[i].id for i in refused],
        "out of scope": len(out),
        "out of scope ranked": sum(answers[i] == "ranked" for i in out),
    }


def _share(hits: np.ndarray) -> dict[str, float]:
    return as_data(wilson(float(hits.sum()), len(hits)))
