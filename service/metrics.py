"""What a monitoring system may read: counts and times by route template, never by anything a client wrote."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from recommender.cases import Case, Ranking
from service.store.feedback import Feedback

# Scoring takes 3 to 50 ms, a full batch some ten seconds.
SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
# Training struggles have 73 to 617 characters, a case at most 4,000.
CHARACTER_BUCKETS = (50, 100, 150, 200, 300, 400, 600, 1_000, 2_000, 4_000)
PROBABILITY_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
# Log-odds; nine in ten training struggles lie between 1 and 4.
SPREAD_BUCKETS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0)
SPREAD_PLACES = 5
# From a minute to a month: a teacher chooses at once or a day later, a coach reviews within the week.
LAG_BUCKETS = (60, 300, 1_800, 3_600, 4 * 3_600, 86_400, 3 * 86_400, 7 * 86_400, 14 * 86_400, 30 * 86_400)
# Anything else is counted as "other", so that a client cannot make new series.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The Prometheus series of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "growth_http_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "growth_http_request_seconds",
            "Time from request to the end of the answer.",
            ["route", "method"],
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge("growth_http_requests_in_flight", "Requests being answered.", registry=self.registry)
        self.rankings = Counter("growth_rankings", "Rankings by status.", ["status"], registry=self.registry)
        self.struggle_characters = Histogram(
            "growth_struggle_characters",
            "Characters of struggles asked about.",
            buckets=CHARACTER_BUCKETS,
            registry=self.registry,
        )
        self.top_probability = Histogram(
            "growth_top_probability",
            "Probability of the first suggestion.",
            buckets=PROBABILITY_BUCKETS,
            registry=self.registry,
        )
        self.score_spread = Histogram(
            "growth_score_spread",
            "Log-odds of the first skill above the fifth, of cases that are kept.",
            buckets=SPREAD_BUCKETS,
            registry=self.registry,
        )
        self.feedback_seconds = Histogram(
            "growth_feedback_seconds",
            "Time from a list to the first word on it.",
            ["kind"],
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self.rejected = Counter(
            "growth_rejected_bodies", "Bodies and cases refused, by problem.", ["problem"], registry=self.registry
        )
        self.model = Info("growth_model", "The model that answers.", registry=self.registry)

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        method = method if method in METHODS else "other"
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route, method).observe(seconds)

    def count_ranking(self, case: Case, ranking: Ranking, scores: npt.NDArray[Any] | None = None) -> None:
        """Count one ranking, the length of its struggle and how sure it is; ``scores``: log-odds of all skills.

        Their distributions drift when what teachers write does; `growth watch` says whether it is more than chance.
        """
        self.rankings.labels(ranking.status).inc()
        if case.struggle:
            self.struggle_characters.observe(len(case.struggle))
        if ranking.suggestions:
            self.top_probability.observe(ranking.suggestions[0].probability)
        if scores is not None and len(scores) >= SPREAD_PLACES:
            first = np.sort(scores)[-SPREAD_PLACES:]
            self.score_spread.observe(float(first[-1] - first[0]))

    def count_feedback(self, kind: Feedback, lag: timedelta | None) -> None:
        """Count how long the first word on a list took; None: it was not the first."""
        if lag is not None:
            self.feedback_seconds.labels(kind).observe(max(0.0, lag.total_seconds()))

    def page(self) -> bytes:
        """All series in the Prometheus text format."""
        return generate_latest(self.registry)
