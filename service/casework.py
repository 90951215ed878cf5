"""The way of a stored case: redacted, ranked with what the school knows, shown, declined or chosen."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from recommender.cases import MAX_STRUGGLE_CHARACTERS, Case, Ranking
from recommender.observations import scores as columns
from recommender.observations.norms import Norms
from recommender.ranking.exploration import NO_EXPLORATION, explore
from recommender.ranking.recommender import Ranked, Recommender
from service.metrics import Metrics
from service.served_model import ServedModel
from service.shadow import Shadow, StoredCaseAsked
from service.store.actors import Actor
from service.store.alerts import raise_alert
from service.store.cases import StoredCase, add_ranking, asked_again, get_case, store_case
from service.store.choices import record_choice
from service.store.cycles import DEFAULT_WEEKS, cycle_of_choice, start_cycle
from service.store.database import Database, StoreSession, utc_now
from service.store.errors import ConflictError
from service.store.feedback import feedback_lag
from service.store.observations import scores_of_teacher
from service.store.people import get_tenant
from service.store.rankings import SKILL_SCORES
from service.store.redaction import redact_together
from service.store.tables.cases import DeclineReason
from service.store.tenant_norms import current_norms

# Of people who decline at once, the second ranks again with what the first declined.
RANK_TRIES = 3
WITH_SCORES = "with_scores"
ITEM_NEEDS = "item_needs"


@dataclass(frozen=True)
class ChosenFocus:
    """A skill a teacher took, and the weeks of practice that began with it."""

    choice_id: str
    cycle_id: str


@dataclass(frozen=True)
class _Known:
    """What a tenant knows beside a case: the teacher's stored scores, and the norms to read scores with."""

    scores: pd.DataFrame
    norms: Norms
    safeguarding_contact: str | None

    @property
    def notes(self) -> list[str]:
        return [str(note) for note in self.scores[columns.NOTE] if note]


class Casework:
    """Opens cases, ranks them again, and begins practice, for whoever asks: a person on a page or an app.

    ``exploration``: chance of swapping two near-tied suggestions of a list that is stored; see ``explore``. ``shadow``
    ranks what was stored once more, after the answer, and only counts.
    """

    def __init__(
        self,
        database: Database,
        model: ServedModel,
        metrics: Metrics,
        *,
        exploration: float = NO_EXPLORATION,
        shadow: Shadow | None = None,
    ) -> None:
        self.database = database
        self.model = model
        self.metrics = metrics
        self.exploration = exploration
        self.shadow = shadow

    def open_case(
        self,
        actor: Actor,
        case: Case,
        *,
        with_scores: bool = True,
        idempotency_key: str | None = None,
        now: datetime | None = None,
    ) -> StoredCase:
        """Rank a case as it will be stored and keep both; the ids.

        ``with_scores`` adds the scores that are stored for the teacher who asks. What could name a person is taken
        out first, so that what is shown is what is kept. A safeguarding answer goes to the tenant's lead as an alert,
        and its words are not kept. Raises Problem for a case the engine refuses, and what ``store_case`` raises.
        """
        case = _redacted(case)
        with self.database.read() as session:
            known = _known(session, actor, case, with_scores=with_scores)
        plain, ranking, propensities, features = self._rank(actor, case, known)
        with self.database.write() as session:
            stored = store_case(
                session, actor, case, ranking,
                beside=known.notes, features=features | {WITH_SCORES: with_scores}, propensities=propensities,
                idempotency_key=idempotency_key, now=now,
            )  # fmt: skip
            if ranking.status == "safeguarding" and not stored.is_known:
                self._alert(session, actor, stored.case_id, now)
        if not stored.is_known:
            self._compare(actor, case, known, plain)
        return stored

    def decline(
        self,
        actor: Actor,
        case_id: str,
        ranking_id: str,
        skill_id: str,
        *,
        reason: DeclineReason | None = None,
        why: str = "",
        idempotency_key: str | None = None,
        now: datetime | None = None,
    ) -> str:
        """Record that a skill is not wanted and show a ranking without it; the new ranking's id.

        The decline is kept even where the model cannot answer just then. Raises as ``record_choice``.
        """
        with self.database.write() as session:
            lag = feedback_lag(session, actor, ranking_id, "choice", now)
            record_choice(
                session, actor, case_id, ranking_id, skill_id, "declined",
                reason=reason, why=why, idempotency_key=idempotency_key, now=now,
            )  # fmt: skip
        self.metrics.count_feedback("choice", lag)
        return self.rank_again(actor, case_id, declining=(skill_id,), now=now)

    def rank_again(
        self,
        actor: Actor,
        case_id: str,
        *,
        declining: Sequence[str] = (),
        restoring: Sequence[str] = (),
        now: datetime | None = None,
    ) -> str:
        """Show a stored case's ranking anew, without ``declining`` and all that was declined before; its id.

        Skills in ``restoring`` may be on the list again. Asking without anything new answers with the list that stands.
        """
        for _ in range(RANK_TRIES - 1):
            with suppress(ConflictError):
                return self._rank_stored(actor, case_id, declining, restoring, now)
        return self._rank_stored(actor, case_id, declining, restoring, now)

    def _rank_stored(
        self, actor: Actor, case_id: str, declining: Sequence[str], restoring: Sequence[str], now: datetime | None
    ) -> str:
        """As ``rank_again``; raises ConflictError when something else was declined meanwhile."""
        with self.database.read() as session:
            view = get_case(session, actor, case_id)
            latest = view.rankings[-1]
            declined = [skill for skill in dict.fromkeys([*view.declined, *declining]) if skill not in restoring]
            if (declining or restoring) and declined == view.declined:
                return str(latest.ranking.ranking_id)
            asked = asked_again(view).model_copy(update={"declined": declined})
            known = _known(session, actor, asked, with_scores=bool(latest.features.get(WITH_SCORES)))
        plain, ranking, propensities, features = self._rank(actor, asked, known)
        with self.database.write() as session:
            ranking_id = add_ranking(
                session, actor, case_id, ranking,
                declined=declined, was_declined=view.declined, beside=known.notes,
                features=features | {WITH_SCORES: bool(latest.features.get(WITH_SCORES))}, propensities=propensities,
                now=now,
            )  # fmt: skip
            if ranking.status == "safeguarding" and latest.ranking.status != "safeguarding":
                self._alert(session, actor, case_id, now)
        self._compare(actor, asked, known, plain)
        return ranking_id

    def choose(
        self,
        actor: Actor,
        case_id: str,
        ranking_id: str,
        skill_id: str,
        *,
        weeks: int = DEFAULT_WEEKS,
        today: date | None = None,
        idempotency_key: str | None = None,
        now: datetime | None = None,
    ) -> ChosenFocus:
        """Record that the teacher takes a skill and begin the weeks of practice, both or neither.

        Raises ConflictError while other practice is open, and as ``record_choice`` and ``start_cycle``.
        """
        with self.database.write() as session:
            lag = feedback_lag(session, actor, ranking_id, "choice", now)
            choice_id = record_choice(
                session, actor, case_id, ranking_id, skill_id, "chosen",
                weeks=weeks, idempotency_key=idempotency_key, now=now,
            )  # fmt: skip
            begun = cycle_of_choice(session, actor, choice_id)
            if begun is None:
                moment = now or utc_now()
                begun = start_cycle(session, actor, case_id, choice_id, today or moment.date(), weeks=weeks, now=moment)
        self.metrics.count_feedback("choice", lag)
        return ChosenFocus(choice_id, begun)

    def _rank(
        self, actor: Actor, case: Case, known: _Known
    ) -> tuple[Ranking, Ranking, tuple[float, ...], dict[str, Any]]:
        """The model's ranking, the one to be shown, the propensity of each of its places, and what the model saw."""
        recommender = self.model.recommender.for_tenant(
            actor.tenant_id, known.norms,
            norms_hold_scores=not known.scores.empty, safeguarding_contact=known.safeguarding_contact,
        )  # fmt: skip
        ranked = self.model.rank_with_evidence(case, recommender, known.scores)
        scores = None if ranked.evidence is None else ranked.evidence.score
        self.metrics.count_ranking(case, ranked.ranking, scores)
        shown, propensities = explore(ranked.ranking, self.exploration, ranked.ranking.input_hash)
        return ranked.ranking, shown, propensities, _frozen(ranked, recommender)

    def _compare(self, actor: Actor, case: Case, known: _Known, plain: Ranking) -> None:
        if self.shadow is not None:
            self.shadow.compare(StoredCaseAsked(case, known.scores, actor.tenant_id, known.norms), plain)

    def _alert(self, session: StoreSession, actor: Actor, case_id: str, now: datetime | None) -> None:
        teacher_id = get_case(session, actor, case_id).teacher_id
        if teacher_id is not None:
            raise_alert(session, actor, teacher_id, case_id, now)


def _frozen(ranked: Ranked, recommender: Recommender) -> dict[str, Any]:
    """What the model saw, as numbers: each item's need, and the score of every skill before any was left out."""
    needs = [
        {
            "instrument": need.instrument,
            # A code may hold spaces, which a feature may not: its place in the rubric says the same.
            "place": list(recommender.instruments[need.instrument].by_code).index(need.item),
            "need": round(need.need, 4),
            "sd": round(need.sd, 4),
            "visits": need.visits,
        }
        for need in ranked.item_needs
    ]
    scores = [] if ranked.evidence is None else [round(float(score), 3) for score in ranked.evidence.score]
    return {ITEM_NEEDS: needs, SKILL_SCORES: scores}


def _redacted(case: Case) -> Case:
    """The case without what could name a person; marks can make a text of the greatest length a little longer."""
    notes = [observation.note or "" for observation in case.observations]
    struggle, *clean = (text[:MAX_STRUGGLE_CHARACTERS] for text in redact_together([case.struggle, *notes]))
    observations = [
        observation.model_copy(update={"note": note or None})
        for observation, note in zip(case.observations, clean, strict=True)
    ]
    return case.model_copy(update={"struggle": struggle, "observations": observations})


def _known(session: StoreSession, actor: Actor, case: Case, *, with_scores: bool) -> _Known:
    scores = scores_of_teacher(session, actor) if with_scores else columns.empty_scores()
    has_any = not scores.empty or bool(case.observations)
    norms = current_norms(session, actor) if has_any else Norms()
    return _Known(scores, norms, get_tenant(session, actor).safeguarding_contact)
