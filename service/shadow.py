"""A candidate version beside the one that answers: ranks what is stored once more, and counts how far it differs."""

from __future__ import annotations

import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd
from prometheus_client import CollectorRegistry, Counter, Histogram

from recommender.cases import Case, Ranking
from recommender.observations.norms import Norms
from recommender.ranking.recommender import Recommender
from recommender.ranking.versions import DEFAULT_MODELS
from service.logs import FIELDS, LOGGER_NAME, describe_exception
from service.served_model import own_instruments
from service.settings import Settings

logger = logging.getLogger(LOGGER_NAME)

# First suggestions compared: what a page shows.
PLACES = 3
# Cases waiting for the candidate; more are passed over, so that a busy hour costs no memory.
MOST_WAITING = 32
# Lowest priority that still gets done.
NICENESS = 15
# Log-odds by which the first suggestion's score moves; a confidence word is about .8 wide.
SHIFT_BUCKETS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


@dataclass(frozen=True)
class StoredCaseAsked:
    """What a stored ranking was made from, for ranking it again."""

    case: Case
    scores: pd.DataFrame
    tenant: str
    norms: Norms


class Shadow:
    """The version of ``GROWTH_SHADOW``, ranking stored cases in a thread of its own after their answers.

    Nothing of it is shown, stored or logged: only counts leave it. A version that cannot be loaded, a ranking that
    fails and cases beyond ``MOST_WAITING`` cost no answer; they are counted. Nothing is compared while the version
    that answers is the shadow itself.
    """

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._candidate: Recommender | None = None
        self._broken = False
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._pool = ThreadPoolExecutor(1, "shadow", _be_nice) if settings.shadow else None
        self.compared = Counter("growth_shadow_compared", "Cases ranked by the shadow too.", registry=registry)
        self.not_compared = Counter(
            "growth_shadow_not_compared", "Cases the shadow did not rank.", ["why"], registry=registry
        )
        self.status_changed = Counter(
            "growth_shadow_status_changed", "Cases with another status under the shadow.", registry=registry
        )
        self.first_changed = Counter(
            "growth_shadow_first_changed", "Lists with another first suggestion under the shadow.", registry=registry
        )
        self.overlap = Histogram(
            "growth_shadow_overlap",
            "First three suggestions that both versions have.",
            buckets=tuple(range(PLACES + 1)),
            registry=registry,
        )
        self.score_shift = Histogram(
            "growth_shadow_score_shift",
            "Log-odds between the first suggestions of both versions.",
            buckets=SHIFT_BUCKETS,
            registry=registry,
        )

    def compare(self, asked: StoredCaseAsked, shown: Ranking) -> None:
        """Have the case ranked by the shadow when there is time; returns at once."""
        if self._pool is None or shown.model_version == self._settings.shadow:
            return
        if not self._waiting.acquire(blocking=False):
            self.not_compared.labels("busy").inc()
            return
        try:
            self._pool.submit(self._run, asked, shown)
        except RuntimeError:
            # The service is stopping.
            self._waiting.release()

    def close(self) -> None:
        """Finish what is being ranked and leave the rest."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, asked: StoredCaseAsked, shown: Ranking) -> None:
        try:
            candidate = self._loaded()
            if candidate is None:
                self.not_compared.labels("no model").inc()
                return
            tenants = candidate.for_tenant(asked.tenant, asked.norms, norms_hold_scores=not asked.scores.empty)
            self.count(shown, tenants.rank(asked.case, asked.scores))
        except Exception as error:
            # An exception's message could hold what somebody wrote; its kind and place cannot.
            self.not_compared.labels("error").inc()
            logger.warning("shadow failed", extra={FIELDS: describe_exception(error)})
        finally:
            self._waiting.release()

    def count(self, shown: Ranking, other: Ranking) -> None:
        """Count how far another version's ranking of the same case differs."""
        self.compared.inc()
        if shown.status != other.status:
            self.status_changed.inc()
            return
        if not shown.suggestions or not other.suggestions:
            return
        first, its_first = shown.suggestions[0], other.suggestions[0]
        if first.skill_id != its_first.skill_id:
            self.first_changed.inc()
        ids = [{suggestion.skill_id for suggestion in ranking.suggestions[:PLACES]} for ranking in (shown, other)]
        self.overlap.observe(len(ids[0] & ids[1]))
        self.score_shift.observe(abs(first.score - its_first.score))

    def _loaded(self) -> Recommender | None:
        """The shadow's model, loaded by the first case; a version that cannot be loaded is not tried again."""
        if self._candidate is None and not self._broken:
            try:
                settings = self._settings
                self._candidate = Recommender.load(
                    settings.models or DEFAULT_MODELS,
                    settings.shadow,
                    instruments=own_instruments(settings.instruments),
                    norms=Norms.load(settings.norms) if settings.norms is not None else None,
                    threads=1,
                )
            except Exception as error:
                self._broken = True
                logger.warning("shadow not loaded", extra={FIELDS: describe_exception(error)})
        return self._candidate


def _be_nice() -> None:
    """Lower this thread's priority where the system lets threads have one."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
