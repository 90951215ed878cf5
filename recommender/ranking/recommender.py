"""The Recommender: a case in, a ranking out."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from recommender.cases import Case, Confidence, EvidenceGrade, Ranking, Status, Suggestion
from recommender.catalogue.instruments import Instruments, load_instruments
from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.errors import ModelVersionError
from recommender.observations.norms import Norms
from recommender.observations.teacher_needs import NeedReader
from recommender.ranking.ask_next import ask_next
from recommender.ranking.fusion import Evidence, Fusion, FusionWeights
from recommender.ranking.messages import message
from recommender.ranking.notes import NoteReader
from recommender.ranking.notices import ranking_notices
from recommender.ranking.observed import (
    ItemNeed,
    Observed,
    case_scores,
    item_label,
    item_needs,
    newest_notes,
    read_needs,
    together,
)
from recommender.ranking.ordering import Ordering, Placed
from recommender.ranking.reasons import explain
from recommender.ranking.versions import CARD_FILE, DEFAULT_MODELS, Manifest, open_version
from recommender.struggles.encoder import Encoder
from recommender.struggles.screening import Screener, Screening
from recommender.struggles.text_model import TextModel


@dataclass(frozen=True)
class Ranked:
    """A ranking and the values it was made from; ``evidence`` is None where nothing was suggested."""

    ranking: Ranking
    evidence: Evidence | None = None
    item_needs: list[ItemNeed] = field(default_factory=list)


class Recommender:
    """Ranks narrow teaching skills for one case at a time; safe to call from several threads.

    Made with ``Recommender.load``. The same case and model version give the same answer, alone or among others.
    """

    def __init__(
        self,
        *,
        manifest: Manifest,
        card: str,
        catalogue: Catalogue,
        encoder: Encoder,
        screener: Screener,
        text_model: TextModel,
        fusion: Fusion,
        instruments: Instruments,
        norms: Norms,
        norms_hold_scores: bool = False,
        safeguarding_contact: str | None = None,
    ) -> None:
        self.manifest = manifest
        self.catalogue = catalogue
        self.safeguarding_contact = safeguarding_contact or message("default_contact")
        self._card = card
        self._encoder = encoder
        self._screener = screener
        self._text_model = text_model
        self._fusion = fusion
        self.instruments = instruments
        self._need_reader = NeedReader(instruments, catalogue, norms, norms_hold_scores=norms_hold_scores)
        self._tenant = ""
        self._notes = NoteReader(encoder, screener, text_model, fusion.prior_shares)
        self._ordering = Ordering(catalogue, fusion.weights.neighbour_spread)
        self._minutes = np.array([skill.minutes_per_week for skill in catalogue])

    @classmethod
    def load(
        cls,
        models: Path = DEFAULT_MODELS,
        version: str | None = None,
        *,
        safeguarding_contact: str | None = None,
        instruments: Instruments | None = None,
        norms: Norms | None = None,
        norms_hold_scores: bool = False,
        threads: int = 1,
    ) -> Recommender:
        """Open a model version after comparing every file with the manifest.

        ``version`` None takes the one ``models/current`` names. ``instruments`` None are the shipped ones, ``norms``
        None leaves what is usual to the shipped priors; ``norms_hold_scores``: see NeedReader. ``threads`` is the
        encoder's (1: a server's requests share the cores). Raises ModelVersionError when a file is missing or altered
        or the catalogue is another one.
        """
        manifest, folder, encoder_folder = open_version(models, version)
        catalogue, shipped, text_model = load_catalogue(), load_instruments(), TextModel.load(folder)
        made_for, here = manifest.catalogue_version, catalogue.version
        rubrics_then, rubrics_now = manifest.instruments_version, shipped.version
        n_skills = len(text_model.bias)
        for fits, found, wanted in (
            (made_for == here, f"a model for catalogue {made_for}", f"one for catalogue {here}"),
            (rubrics_then == rubrics_now, f"a model for instruments {rubrics_then}", f"one for {rubrics_now}"),
            (n_skills == len(catalogue), f"{n_skills} skills in the model", f"the catalogue's {len(catalogue)}"),
        ):
            if not fits:
                raise ModelVersionError(found, wanted=wanted, way_out="Run `growth train`.", where=manifest.version)
        return cls(
            manifest=manifest,
            card=(folder / CARD_FILE).read_text(encoding="utf-8"),
            catalogue=catalogue,
            encoder=Encoder(encoder_folder, threads=threads),
            screener=Screener.load(folder, encoder_folder),
            text_model=text_model,
            fusion=Fusion(FusionWeights.load(folder), catalogue),
            instruments=instruments or shipped,
            norms=norms or Norms(),
            norms_hold_scores=norms_hold_scores,
            safeguarding_contact=safeguarding_contact,
        )

    @property
    def model_version(self) -> str:
        """Name of the loaded version."""
        return self.manifest.version

    def card(self) -> str:
        """The version's model card, Markdown."""
        return self._card

    def for_tenant(
        self, tenant: str, norms: Norms, *, norms_hold_scores: bool = False, safeguarding_contact: str | None = None
    ) -> Recommender:
        """The same model with one tenant's norms, learned offsets and contact; the rest is shared, so it is cheap.

        A case's own observations count as that tenant's. Norms without a tenant leave those the model was loaded with,
        ``safeguarding_contact`` None keeps the contact there is; ``norms_hold_scores``: see NeedReader.
        """
        other = copy.copy(self)
        if norms.tenants:
            other._tenant = tenant
            other._need_reader = NeedReader(
                self.instruments, self.catalogue, norms, norms_hold_scores=norms_hold_scores
            )
        other._fusion = self._fusion.for_tenant(tenant)
        other.safeguarding_contact = safeguarding_contact or self.safeguarding_contact
        return other

    def item_needs(self, case: Case, joined: pd.DataFrame | None = None) -> list[ItemNeed]:
        """The needs that ``rank`` reads from the same scores, item by item. Raises CaseError as ``rank`` does."""
        return item_needs(read_needs(self._scores(case, joined), self._need_reader))

    def rank_many(self, cases: Iterable[Case]) -> Iterator[Ranking]:
        """Rank cases one by one, in order; each answer is the one ``rank`` gives."""
        return (self.rank(case) for case in cases)

    def rank(self, case: Case, joined: pd.DataFrame | None = None) -> Ranking:
        """The ranking of one case, or a kind message where nothing honest can be suggested.

        ``joined`` are further scores of the case's teacher, as a score table. Raises CaseError for an observation of an
        unknown instrument, item or label, or off its scale.
        """
        return self.rank_with_evidence(case, joined).ranking

    def rank_with_evidence(self, case: Case, joined: pd.DataFrame | None = None) -> Ranked:
        """What ``rank`` answers, with the values it was made from, for whoever keeps a record. Raises as ``rank``."""
        scores = self._scores(case, joined)
        tokens = self._encoder.read(case.struggle) if case.struggle.strip() else None
        screening = self._screener.screen(case.struggle, tokens.lower_states) if tokens is not None else None
        if screening is not None and screening.status == "safeguarding":
            return Ranked(self._decline(case, screening))
        notes = self._notes.read(newest_notes(scores))
        if notes.safeguarding:
            contact = self.safeguarding_contact
            return Ranked(self._answer(case, "safeguarding", message("safeguarding", contact=contact)))
        observed = Observed(read_needs(scores, self._need_reader), notes.usable)
        needs = item_needs(observed.needs)
        if screening is not None and tokens is not None and screening.status == "rankable":
            evidence = self._fusion.join(case, self._text_model.read(case.struggle, tokens), observed)
            return Ranked(self._suggest(case, evidence, observed, words=True), evidence, needs)
        if observed.counts:
            evidence = self._fusion.join(case, None, observed)
            return Ranked(self._suggest(case, evidence, observed, words=False), evidence, needs)
        if screening is not None:
            return Ranked(self._decline(case, screening), None, needs)
        return Ranked(self._answer(case, "not_enough", message(_why_not_enough(observed))), None, needs)

    def _scores(self, case: Case, joined: pd.DataFrame | None) -> pd.DataFrame:
        return together(case, case_scores(case, self.instruments, self._tenant), joined)

    def _decline(self, case: Case, screening: Screening) -> Ranking:
        key = "other_language" if screening.status == "out_of_scope" and screening.other_language else screening.status
        status: Status = "not_enough" if screening.status == "rankable" else screening.status
        return self._answer(case, status, message(key, contact=self.safeguarding_contact))

    def _suggest(self, case: Case, evidence: Evidence, observed: Observed, *, words: bool) -> Ranking:
        left_out = self._left_out(case)
        if not evidence.clauses:
            pointed_at = evidence.pointed_at()
            if not pointed_at.any():
                return self._answer(case, "not_enough", message("scores_without_needs"))
            left_out |= ~pointed_at
        placed = self._ordering.place(evidence.score, case.top, left_out)
        if not placed:
            return self._answer(case, "ranked", message("all_left_out"))
        visits = observed.needs.visits if observed.needs is not None else ()
        suggestions = [self._suggestion(rank, place, evidence, visits) for rank, place in enumerate(placed, start=1)]
        question = ask_next(case, self.catalogue, [(s.skill_id, s.probability) for s in suggestions])
        return self._answer(
            case,
            "ranked",
            None,
            suggestions=suggestions,
            question=question,
            notices=ranking_notices(case, evidence, observed, words=words),
            grade=observed.needs.grade if observed.needs is not None else "D",
        )

    def _left_out(self, case: Case) -> np.ndarray:
        left_out = np.zeros(len(self.catalogue), dtype=bool)
        left_out[[self.catalogue.index[skill_id] for skill_id in case.declined]] = True
        if case.context.fit_minutes and case.context.minutes_per_week is not None:
            left_out |= self._minutes > case.context.minutes_per_week
        return left_out

    def _suggestion(self, rank: int, place: Placed, evidence: Evidence, visits: tuple[int, ...]) -> Suggestion:
        skill = self.catalogue.skills[place.skill]
        reasons = explain(evidence, place, partial(item_label, self.instruments), visits)
        score = sum(reason.effect for reason in reasons)
        probability = float(expit(score))
        return Suggestion(
            rank=rank,
            skill_id=skill.id,
            name=skill.name,
            probability=probability,
            confidence=self._confidence(probability),
            score=score,
            reasons=reasons,
        )

    def _confidence(self, probability: float) -> Confidence:
        weights = self._fusion.weights
        if probability >= weights.strong:
            return "strong"
        return "likely" if probability >= weights.likely else "possible"

    def _answer(
        self,
        case: Case,
        status: Status,
        text: str | None,
        *,
        suggestions: list[Suggestion] | None = None,
        question: str | None = None,
        notices: list[str] | None = None,
        grade: EvidenceGrade | None = None,
    ) -> Ranking:
        return Ranking(
            case_id=case.case_id,
            status=status,
            message=text,
            ask_next=question,
            notices=notices or [],
            evidence_grade=grade,
            suggestions=suggestions or [],
            model_version=self.model_version,
            catalogue_version=self.catalogue.version,
            input_hash=case.input_hash(),
        )


def _why_not_enough(observed: Observed) -> str:
    """The message where there are neither words nor observations that count."""
    if observed.needs is None:
        return "empty"
    return "scores_without_skills" if observed.needs.gives_order else "scores_alike"
