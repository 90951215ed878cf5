"""The exposure log: each list as it was shown, to the position and the digit, without the words it quotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from recommender.cases import Ranking, Reason, Suggestion
from recommender.errors import CaseError
from recommender.ranking.messages import message
from service.store.actors import Actor
from service.store.clock import after_all
from service.store.database import StoreSession
from service.store.errors import NotFoundError
from service.store.events import refuse_text
from service.store.redaction import SHORT_MARK, redact_together
from service.store.tables.base import ID_CHARACTERS
from service.store.tables.cases import Case, RankingShown, SuggestionShown
from service.store.text_vault import Place, read_many, write_texts
from service.store.visibility import visible
from service.ulid import new_ulid

# Reasons of these sources quote what a person wrote.
QUOTING_SOURCES = ("struggle", "note")
# Said in place of a quote when the text is deleted.
DELETED_QUOTE = "[deleted]"
SKILL_SCORES = "skill_scores"
"""Feature: log-odds of every skill in catalogue order before constraints; the ranking names the catalogue's version"""
_SAID_FOR_THE_REST = ("rest_of_words", "rest_of_notes")


@dataclass(frozen=True)
class ShownRanking:
    """A ranking, when it was shown, and the values the model saw then, frozen."""

    shown_at: datetime
    ranking: Ranking
    features: Mapping[str, Any] = field(default_factory=dict)


def store_ranking(
    session: StoreSession,
    case: Case,
    ranking: Ranking,
    texts: Sequence[str],
    *,
    typed: Sequence[str] = (),
    features: Mapping[str, Any],
    propensities: Sequence[float] = (),
    now: datetime,
) -> str:
    """Store a ranking of a case of this session; its id. The caller has checked that the actor may.

    ``texts`` are the case's texts as stored: a quote that is not in them is not kept; ``typed`` are the same as typed,
    if the ranking quotes those, so that names they give away are known in the quotes. ``features`` are the values the
    model saw, frozen, without a text. ``propensities``: the chance of each suggestion to be where it is; empty means 1.
    Raises StoreError for a text among the features, CaseError for propensities that do not fit the list.
    """
    refuse_text(features)
    if propensities and len(propensities) != len(ranking.suggestions):
        raise CaseError(
            f"{len(propensities)} propensities", wanted=f"one for each of {len(ranking.suggestions)} suggestions"
        )
    ranking_id = ranking.ranking_id or new_ulid()
    if len(ranking_id) != ID_CHARACTERS:
        raise CaseError(f"a ranking id of {len(ranking_id)} characters", wanted="a ULID")
    of_case = (RankingShown.tenant_id == case.tenant_id, RankingShown.case_id == case.id)
    session.add(
        RankingShown(
            tenant_id=case.tenant_id,
            id=ranking_id,
            case_id=case.id,
            shown_at=after_all(session, now, RankingShown.shown_at, *of_case),
            features=dict(features),
            **ranking.model_dump(
                include={
                    "status", "message", "ask_next", "notices", "evidence_grade", "model_version", "catalogue_version",
                    "input_hash",
                }
            ),
        )
    )  # fmt: skip
    session.flush()
    quotes = [reason.text for suggestion in ranking.suggestions for reason in suggestion.reasons if _quotes(reason)]
    numbers = iter(range(len(quotes)))
    for place, suggestion in enumerate(ranking.suggestions):
        session.add(
            SuggestionShown(
                tenant_id=case.tenant_id,
                ranking_id=ranking_id,
                propensity=propensities[place] if propensities else 1.0,
                reasons=[_stored(reason, numbers) for reason in suggestion.reasons],
                **suggestion.model_dump(exclude={"reasons"}),
            )
        )
    write_texts(session, Place(case.tenant_id, "ranking", ranking_id, "quotes"), _safe(quotes, texts, typed), now)
    session.flush()
    return ranking_id


def rankings_of(session: StoreSession, actor: Actor, case_id: str) -> list[ShownRanking]:
    """Every ranking shown for a case, oldest first. Raises NotFoundError when the actor does not see the case."""
    case = visible(session, actor, Case, case_id)
    rows = session.scalars(
        select(RankingShown)
        .where(RankingShown.tenant_id == actor.tenant_id, RankingShown.case_id == case_id)
        .order_by(RankingShown.shown_at, RankingShown.id)
    ).all()
    ids = [row.id for row in rows]
    quotes = read_many(session, actor.tenant_id, "ranking", ids)
    suggestions: dict[str, list[SuggestionShown]] = {ranking_id: [] for ranking_id in ids}
    for shown in session.scalars(
        select(SuggestionShown)
        .where(SuggestionShown.tenant_id == actor.tenant_id, SuggestionShown.ranking_id.in_(ids))
        .order_by(SuggestionShown.ranking_id, SuggestionShown.rank)
    ):
        suggestions[shown.ranking_id].append(shown)
    return [
        ShownRanking(
            row.shown_at,
            _ranking(case, row, suggestions[row.id], quotes.get((row.id, "quotes"), [])),
            row.features,
        )
        for row in rows
    ]


def ranks_shown(session: StoreSession, case: Case, ranking_id: str) -> dict[str, int]:
    """Rank by skill of a list that was shown for the case. Raises NotFoundError when it was not."""
    row = session.get(RankingShown, (case.tenant_id, ranking_id))
    if row is None or row.case_id != case.id:
        raise NotFoundError("ranking")
    shown = session.execute(
        select(SuggestionShown.skill_id, SuggestionShown.rank).where(
            SuggestionShown.tenant_id == case.tenant_id, SuggestionShown.ranking_id == ranking_id
        )
    )
    return dict(shown.all())


def _quotes(reason: Reason) -> bool:
    return reason.source in QUOTING_SOURCES


def _stored(reason: Reason, numbers: Any) -> dict[str, Any]:
    stored = reason.model_dump(mode="python", exclude={"text"}, exclude_none=True)
    return stored | ({"quote": next(numbers)} if _quotes(reason) else {"text": reason.text})


def _safe(quotes: Sequence[str], texts: Sequence[str], typed: Sequence[str]) -> list[str]:
    """Quotes with every name out that is out of the texts; one that is no longer part of them is marked."""
    known = {message(key) for key in _SAID_FOR_THE_REST}
    clean = redact_together([*typed, *quotes])[len(typed) :]
    return [quote if quote in known or any(quote in text for text in texts) else SHORT_MARK for quote in clean]


def _ranking(case: Case, row: RankingShown, shown: Sequence[SuggestionShown], quotes: Sequence[str]) -> Ranking:
    return Ranking(
        ranking_id=row.id,
        case_id=case.case_ref,
        status=row.status,  # type: ignore[arg-type]
        message=row.message,
        ask_next=row.ask_next,
        notices=row.notices,
        evidence_grade=row.evidence_grade,  # type: ignore[arg-type]
        suggestions=[_suggestion(suggestion, quotes) for suggestion in shown],
        model_version=row.model_version,
        catalogue_version=row.catalogue_version,
        input_hash=row.input_hash or "",
    )


def _suggestion(shown: SuggestionShown, quotes: Sequence[str]) -> Suggestion:
    return Suggestion(
        rank=shown.rank,
        skill_id=shown.skill_id,
        name=shown.name,
        probability=shown.probability,
        confidence=shown.confidence,  # type: ignore[arg-type]
        score=shown.score,
        reasons=[_reason(reason, quotes) for reason in shown.reasons],
    )


def _reason(stored: Mapping[str, Any], quotes: Sequence[str]) -> Reason:
    fields = {name: value for name, value in stored.items() if name != "quote"}
    if "quote" in stored:
        fields["text"] = quotes[stored["quote"]] if quotes else DELETED_QUOTE
    # A whole number comes back from JSONB as an integer.
    return Reason.model_validate(fields | {"effect": float(fields["effect"])})
