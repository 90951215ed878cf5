"""Evidence for learning: each list that was shown, with what its people agreed to pass on, under pseudonyms."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import aliased

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from recommender.catalogue.loader import load_catalogue
from recommender.learning.evidence import EvidenceContext, EvidenceRow, ReviewGiven, ScoreParts, ShownSkill
from service.store.actors import Actor
from service.store.consents import consents_of, people_agreeing, scopes_in_force
from service.store.database import StoreSession
from service.store.errors import NotAllowedError
from service.store.evidence_said import Said, said_about
from service.store.rankings import SKILL_SCORES
from service.store.tables.cases import Case, RankingShown, SuggestionShown
from service.store.tables.consents import ConsentScope
from service.store.text_vault import in_steps, read_many

# As the API prints them.
_DECIMALS = 4
_PSEUDONYM_BYTES = 16  # 26 characters of base32


@dataclass
class EvidenceTold:
    """How much was passed on and left out, counted while rows are taken.

    ``without_tenant`` and ``without_teacher``: lists whose school, or whose teacher, has not agreed; ``without_coach``:
    reviews of coaches who have not; ``without_words``: rows that could have had the teacher's words and do not;
    ``unknown_skills``: lists with a skill this catalogue does not hold. Safeguarding answers are in none of them.
    """

    rows: int = 0
    without_tenant: int = 0
    without_teacher: int = 0
    without_coach: int = 0
    without_words: int = 0
    unknown_skills: int = 0


def evidence_rows(
    session: StoreSession, actor: Actor, pseudonym_key: bytes, told: EvidenceTold | None = None
) -> Iterator[EvidenceRow]:
    """One row for each list shown to a teacher who agrees, of the operator's tenant if that agrees; oldest first.

    A review is there where its coach agrees (the last of them counts), the struggle where teacher and tenant agree to
    words and it is still stored, as it is stored. Cases with a safeguarding answer are left out whole. People, cases
    and rankings are named by HMAC-SHA256 under ``pseudonym_key``; the tenant keeps its id, which is no name and by
    which what it taught is found again. The same store and key give the same rows; without consent they are as if the
    person had never been. Raises NotAllowedError for anybody but the operator.
    """
    if actor.kind != "operator":
        raise NotAllowedError("somebody else", wanted="the operator")
    return _rows(session, actor, _Pseudonyms(pseudonym_key, actor.tenant_id), told or EvidenceTold())


@dataclass(frozen=True)
class _Pseudonyms:
    key: bytes
    tenant_id: str

    def of(self, kind: str, identity: str) -> str:
        digest = hmac.digest(self.key, f"{kind}\0{self.tenant_id}\0{identity}".encode(), hashlib.sha256)
        return base64.b32encode(digest[:_PSEUDONYM_BYTES]).decode().rstrip("=").lower()


def _rows(session: StoreSession, actor: Actor, names: _Pseudonyms, told: EvidenceTold) -> Iterator[EvidenceRow]:
    of_tenant = scopes_in_force(consents_of(session, actor, of_tenant=True))
    all_lists = _count(session, actor.tenant_id)
    if "decisions" not in of_tenant:
        told.without_tenant += all_lists
        return
    agreeing = Case.teacher_id.in_(people_agreeing(actor.tenant_id, "decisions"))
    told.without_teacher += all_lists - _count(session, actor.tenant_id, agreeing)
    may_tell = _people(session, actor.tenant_id, "decisions")
    may_quote = _people(session, actor.tenant_id, "words") if "words" in of_tenant else frozenset[str]()
    ids = session.scalars(
        select(RankingShown.id)
        .join(Case, (Case.tenant_id == RankingShown.tenant_id) & (Case.id == RankingShown.case_id))
        .where(*_usable(actor.tenant_id), agreeing)
        .order_by(RankingShown.shown_at, RankingShown.id)
    ).all()
    for step in in_steps(ids):
        yield from _step(session, step, names, told, may_tell, may_quote)


def _step(
    session: StoreSession,
    ids: Sequence[str],
    names: _Pseudonyms,
    told: EvidenceTold,
    may_tell: frozenset[str],
    may_quote: frozenset[str],
) -> Iterator[EvidenceRow]:
    tenant_id, catalogue = names.tenant_id, load_catalogue()
    lists = session.execute(
        select(RankingShown, Case)
        .join(Case, (Case.tenant_id == RankingShown.tenant_id) & (Case.id == RankingShown.case_id))
        .where(RankingShown.tenant_id == tenant_id, RankingShown.id.in_(ids))
        .order_by(RankingShown.shown_at, RankingShown.id)
    ).all()
    shown = _shown(session, tenant_id, ids)
    said = said_about(session, tenant_id, ids, may_tell)
    quoted = sorted({case.id for _, case in lists if case.teacher_id in may_quote})
    texts = read_many(session, tenant_id, "case", quoted)
    for row, case in lists:
        of_list = said[row.id]
        if not (of_list.is_known and all(suggestion.skill_id in catalogue for suggestion in shown[row.id])):
            told.unknown_skills += 1
            continue
        told.rows += 1
        told.without_coach += of_list.reviews_left_out
        told.without_words += case.id not in quoted
        struggle = texts.get((case.id, "struggle"), [""])[0]
        yield _row(row, case, shown[row.id], of_list, struggle, names)


def _row(
    row: RankingShown,
    case: Case,
    shown: Iterable[SuggestionShown],
    said: Said,
    struggle: str,
    names: _Pseudonyms,
) -> EvidenceRow:
    context = row.features.get("context", case.context)
    scores = [float(score) for score in row.features.get(SKILL_SCORES, ())]
    review = said.review
    return EvidenceRow(
        id=names.of("ranking", row.id),
        tenant=row.tenant_id,
        teacher=names.of("person", str(case.teacher_id)),
        coach=None if review is None else names.of("person", review.coach_id),
        case=names.of("case", case.id),
        shown_at=row.shown_at,
        model_version=row.model_version,
        catalogue_version=row.catalogue_version,
        context=EvidenceContext(**{name: context[name] for name in EvidenceContext.model_fields if name in context}),
        # Marks can make a text of the greatest length a little longer.
        struggle=struggle[:MAX_STRUGGLE_CHARACTERS] or None,
        shown=[_place(suggestion) for suggestion in shown],
        scores=scores or None,
        review=None if review is None else ReviewGiven(reviewed_at=review.reviewed_at, changes=review.changes),
        choices=said.choices,
        outcome=said.outcome,
    )


def _place(suggestion: SuggestionShown) -> ShownSkill:
    return ShownSkill(
        skill_id=suggestion.skill_id,
        rank=suggestion.rank,
        propensity=suggestion.propensity,
        score=round(suggestion.score, _DECIMALS),
        parts=_parts(suggestion.reasons),
    )


def _parts(reasons: Iterable[Mapping[str, Any]]) -> ScoreParts:
    sums = dict.fromkeys(ScoreParts.model_fields, 0.0)
    for reason in reasons:
        # A whole number comes back from JSONB as an integer.
        sums[reason["source"]] += float(reason["effect"])
    return ScoreParts(**{source: round(effect, _DECIMALS) for source, effect in sums.items()})


def _shown(session: StoreSession, tenant_id: str, ids: Sequence[str]) -> dict[str, list[SuggestionShown]]:
    found: dict[str, list[SuggestionShown]] = {ranking_id: [] for ranking_id in ids}
    query = select(SuggestionShown).where(SuggestionShown.tenant_id == tenant_id, SuggestionShown.ranking_id.in_(ids))
    for suggestion in session.scalars(query.order_by(SuggestionShown.ranking_id, SuggestionShown.rank)):
        found[suggestion.ranking_id].append(suggestion)
    return found


def _people(session: StoreSession, tenant_id: str, scope: ConsentScope) -> frozenset[str]:
    return frozenset(str(person_id) for person_id in session.scalars(people_agreeing(tenant_id, scope)))


def _count(session: StoreSession, tenant_id: str, *further: ColumnElement[bool]) -> int:
    query = (
        select(func.count())
        .select_from(RankingShown)
        .join(Case, (Case.tenant_id == RankingShown.tenant_id) & (Case.id == RankingShown.case_id))
        .where(*_usable(tenant_id), *further)
    )
    return session.scalar(query) or 0


def _usable(tenant_id: str) -> tuple[ColumnElement[bool], ...]:
    """Lists of cases that never had a safeguarding answer."""
    other = aliased(RankingShown)
    is_alarming = exists().where(
        other.tenant_id == RankingShown.tenant_id, other.case_id == RankingShown.case_id, other.status == "safeguarding"
    )
    return RankingShown.tenant_id == tenant_id, ~is_alarming
