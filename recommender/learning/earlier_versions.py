"""Rows that a learned version showed, as the version it was learned from would have scored them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from recommender.cases import Context
from recommender.catalogue.loader import Catalogue
from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.updated_weights import without_offsets
from recommender.ranking.fusion import Fusion, FusionWeights

Floats = npt.NDArray[np.float64]

# What an update changes beside the offsets.
_SCALES = ("slope", "intercept", "other_subject", "other_grade_band")


def restored(
    evidence: Evidence, versions: Mapping[str, FusionWeights], base: FusionWeights, catalogue: Catalogue
) -> Evidence:
    """The rows with the log-odds of ``base``; ``versions`` are weights by the name of the version that showed a row.

    An update is fitted on all evidence on top of one model. What earlier updates added is taken out of the rows their
    versions showed: offsets everywhere, and, where words alone made the list, the factors too. Where observations did,
    a row does not say how its parts were made, and the factors stay in. Rows of unknown versions stay as they are.
    """
    plain = without_offsets(evidence, versions)
    fusion = Fusion(base, catalogue)
    rows = tuple(
        _rescaled(row, versions[row.model_version], base, fusion, catalogue)
        if row.model_version in versions and is_words_only(row)
        else row
        for row in plain.rows
    )
    return replace(plain, rows=rows)


def is_words_only(row: EvidenceRow) -> bool:
    """Whether words, and no observation or note, made the list."""
    parts = [place.parts for place in row.shown]
    return any(part.struggle for part in parts) and not any(part.observation or part.note for part in parts)


def context_part(row: EvidenceRow, weights: FusionWeights, fusion: Fusion) -> Floats:
    """(skills,) what the class adds to the score; ``fusion`` is of any version with the same catalogue."""
    context = Context(
        grade_band=row.context.grade_band, subject=row.context.subject, career_stage=row.context.career_stage
    )
    part: Floats = weights.other_subject * fusion.misfit_subject(context)
    return part + weights.other_grade_band * fusion.misfit_grade_band(context)


def _rescaled(
    row: EvidenceRow, shown_by: FusionWeights, base: FusionWeights, fusion: Fusion, catalogue: Catalogue
) -> EvidenceRow:
    if all(getattr(shown_by, name) == getattr(base, name) for name in _SCALES):
        return row
    factor = base.slope / shown_by.slope
    start = base.intercept - factor * shown_by.intercept
    then, now = context_part(row, shown_by, fusion), context_part(row, base, fusion)
    shown = []
    for place in row.shown:
        skill = catalogue.index[place.skill_id]
        parts = place.parts.model_copy(
            update={
                "prior": factor * place.parts.prior + start,
                "struggle": factor * place.parts.struggle,
                "context": place.parts.context - float(then[skill]) + float(now[skill]),
            }
        )
        shown.append(place.model_copy(update={"parts": parts, "score": parts.total}))
    scores = None if row.scores is None else (factor * (np.array(row.scores) - then) + start + now).tolist()
    return row.model_copy(update={"shown": shown, "scores": scores})
