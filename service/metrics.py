"""What a monitoring system may read: counts and times by route template, never by anything a client wrote."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

# Scoring takes 3 to 50 ms, a full batch some ten seconds.
SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
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
        self.rejected = Counter(
            "growth_rejected_bodies", "Bodies and cases refused, by problem.", ["problem"], registry=self.registry
        )
        self.model = Info("growth_model", "The model that answers.", registry=self.registry)

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        method = method if method in METHODS else "other"
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route, method).observe(seconds)

    def page(self) -> bytes:
        """All series in the Prometheus text format."""
        return generate_latest(self.registry)
