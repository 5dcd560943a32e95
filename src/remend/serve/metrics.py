"""What Prometheus is told. A registry for each server, so that two in a process do not meet."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

__all__ = ["Metrics"]

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """Counters of a server. Labels are from fixed sets: nothing that a client sends becomes one."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "remend_requests", "Answers.", ["route", "method", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "remend_request_seconds",
            "From first byte to last.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.jobs = Counter("remend_jobs", "Jobs that ended.", ["kind", "state"], registry=self.registry)
        self.seconds = Histogram(
            "remend_job_seconds", "Work on one picture.", ["kind"], buckets=SECONDS, registry=self.registry
        )
        self.deaths = Counter("remend_worker_deaths", "Workers that died at work.", registry=self.registry)

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        Gauge(name, text, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)
