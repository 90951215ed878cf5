"""Folds an update into the trained weights, and takes learned offsets out of what earlier versions said."""

from __future__ import annotations

from collections.abc import Mapping

from recommender.catalogue.loader import load_catalogue
from recommender.learning.evidence import Evidence, EvidenceRow, ShownSkill
from recommender.learning.signals import FEATURES
from recommender.learning.update import Update
from recommender.ranking.fusion import FusionWeights
from recommender.ranking.observation_weights import Weights

_DECIMALS = 6
# A source of evidence may count for less after an update, but is never switched off or turned round by it.
_LEAST_FACTOR = 0.05


def updated_weights(weights: FusionWeights, update: Update) -> FusionWeights:
    """The weights with the update in them; earlier offsets are replaced, since the update was fitted without them.

    The factor of words scales slope and intercept alike, so that the words' log-odds are multiplied as a whole; the
    factors of observations and of context scale their weights. The intercept is added
    once, with words and without.
    """
    words, seen, context = (max(1 + update.factors[name], _LEAST_FACTOR) for name in FEATURES)
    observations = weights.observations

    def scaled(way: Weights, intercept: float) -> Weights:
        return way.model_copy(
            update={
                "intercept": round(way.intercept + intercept, _DECIMALS),
                "need": round(way.need * seen, _DECIMALS),
                "note": round(way.note * seen, _DECIMALS),
                "interest": round(way.interest * context, _DECIMALS),
            }
        )

    # With observations the words' intercept is multiplied by their factor; the rest is added here.
    rest = update.intercept * (1 - observations.with_words.words)
    return FusionWeights.model_validate(
        {
            **weights.model_dump(),
            "slope": round(weights.slope * words, _DECIMALS),
            "intercept": round(weights.intercept * words + update.intercept, _DECIMALS),
            "other_subject": round(weights.other_subject * context, _DECIMALS),
            "other_grade_band": round(weights.other_grade_band * context, _DECIMALS),
            "observations": {
                "with_words": scaled(observations.with_words, rest).model_dump(),
                "alone": scaled(observations.alone, update.intercept).model_dump(),
            },
            "skill_offsets": update.skill_offsets,
            "tenant_offsets": update.tenant_offsets,
        }
    )


def without_offsets(evidence: Evidence, versions: Mapping[str, FusionWeights]) -> Evidence:
    """The rows as each version would have scored them without its learned offsets.

    ``versions``: weights by the name of the version that showed a row; rows of other versions stay as they are. An
    update is fitted on all evidence from the start, so what an earlier one added must not count as known. Places stay
    as they were shown.
    """
    return Evidence(
        tuple(_without(row, versions[row.model_version]) if row.model_version in versions else row
              for row in evidence.rows),
        evidence.rejects,
        evidence.counts,
    )  # fmt: skip


def _without(row: EvidenceRow, weights: FusionWeights) -> EvidenceRow:
    offsets = dict(weights.skill_offsets)
    for skill, offset in weights.tenant_offsets.get(row.tenant, {}).items():
        offsets[skill] = offsets.get(skill, 0.0) + offset
    if not offsets:
        return row
    shown = [_lowered(place, offsets.get(place.skill_id, 0.0)) for place in row.shown]
    return row.model_copy(update={"shown": shown, "scores": _lowered_scores(row, offsets)})


def _lowered(place: ShownSkill, offset: float) -> ShownSkill:
    parts = place.parts.model_copy(update={"prior": place.parts.prior - offset})
    return place.model_copy(update={"score": place.score - offset, "parts": parts})


def _lowered_scores(row: EvidenceRow, offsets: Mapping[str, float]) -> list[float] | None:
    catalogue = load_catalogue()
    if row.scores is None or row.catalogue_version != catalogue.version:
        return row.scores
    return [score - offsets.get(skill, 0.0) for skill, score in zip(catalogue.ids, row.scores, strict=True)]
