"""What is counted: each request once, when its reply is closed, as its log line is written."""

from __future__ import annotations

import threading
from typing import NamedTuple, cast

from flask import Flask, current_app

from chat_api.services.clients import CallRecord
from chat_api.services.gateway import Gateway
from chat_api.services.limits import Limiter
from chat_api.web.tallies import Tallies
from chat_api.wiring import Services

EXTENSION = "chat_api_metrics"

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""A caller may invent others; they are counted as `other`."""
MOST_TOKENS = 1e9
"""Of one answer. The number is the upstream's word, which may be nonsense."""


class Family(NamedTuple):
    """Figures of one name. No label takes a value of a caller's making: each combination of
    values is kept for ever."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    """A histogram's: the upper bounds of its buckets. None at all: a counter."""


REQUESTS = Family(
    "http_requests_total",
    "Requests answered, by the route's pattern.",
    ("method", "route", "status"),
)
DURATIONS = Family(
    "http_request_duration_seconds",
    "Time until the end of the reply was sent, that of a stream too.",
    ("route",),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
)
FIRST_PIECES = Family(
    "chat_first_piece_seconds",
    "Time until a stream's headers left: with its first piece, or after 5 s without one.",
    ("upstream",),
    (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0),
)
OUTCOMES = Family(
    "chat_outcomes_total",
    "Upstreams that were to answer, by how that ended: ok, or the error's class.",
    ("upstream", "outcome"),
)
TOKENS = Family(
    "chat_tokens_total",
    "Tokens of whole answers, as the upstream counts them.",
    ("upstream", "kind"),
)
ATTEMPTS = Family("upstream_attempts_total", "Tries to get an answer, retries too.", ("upstream",))
LIMITER_FAILURES = Family(
    "rate_limiter_failures_total", "Requests let in because the rate limiter could not be asked."
)
FAMILIES = (REQUESTS, DURATIONS, FIRST_PIECES, OUTCOMES, TOKENS, ATTEMPTS, LIMITER_FAILURES)


class Metrics:
    """The figures of this server, and this process's part in them."""

    def __init__(self, tallies: Tallies, gateway: Gateway, limiter: Limiter) -> None:
        self.tallies = tallies
        self._gateway = gateway
        self._limiter = limiter
        self._failures_counted = 0
        self._lock = threading.Lock()  # for servers with threads; under gevent nobody waits

    def count_request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """A reply was closed.

        Args:
            route: the rule that Flask found, None where there is none.
            seconds: since the request's begin.
        """
        method = method if method in METHODS else "other"
        route = route or "unmatched"
        with self._lock:
            self.tallies.add((REQUESTS.name, method, route, status))
            self.tallies.observe((DURATIONS.name, route), seconds, DURATIONS.bounds)

    def count_call(self, record: CallRecord, outcome: str, first_piece: float | None) -> None:
        """A request that went to an upstream, or was to, has ended.

        Args:
            first_piece: seconds until a stream's headers left, None where there was no stream.
        """
        upstream = record.upstream or ""
        counted = {"prompt": record.prompt_tokens, "completion": record.completion_tokens}
        add = self.tallies.add
        with self._lock:
            for tried in (*record.passed_by, record.last_tried(outcome)):
                add((OUTCOMES.name, tried.upstream, tried.outcome))
                add((ATTEMPTS.name, tried.upstream), tried.attempts)
            for kind, tokens in counted.items():
                if type(tokens) is int and 0 < tokens < MOST_TOKENS:
                    add((TOKENS.name, upstream, kind), tokens)
            if first_piece is not None:
                self.tallies.observe(
                    (FIRST_PIECES.name, upstream), first_piece, FIRST_PIECES.bounds
                )

    def publish(self) -> None:
        """Tell the other processes what is not counted request by request. Each worker does it
        every second, and before it is read."""
        with self._lock:
            self.tallies.report(self._gateway.admissions.in_flight)
            news = self._limiter.failures - self._failures_counted
            self.tallies.add((LIMITER_FAILURES.name,), news)
            self._failures_counted += news


def init_app(app: Flask, services: Services, workers: int) -> Metrics:
    """Make the memory for the figures, which the workers will share if this process forks them."""
    # At a SIGHUP new workers begin while the old ones end their streams, and not only once.
    tallies = Tallies(slots=4 * workers + 4)
    app.extensions[EXTENSION] = metrics = Metrics(tallies, services.gateway, services.limiter)

    def count_run(record: CallRecord) -> None:
        if record.upstream is not None:
            metrics.count_call(record, record.outcome or "refused", None)

    services.background.on_end = count_run
    return metrics


def of(app: Flask) -> Metrics:
    """The figures of an application."""
    return cast(Metrics, app.extensions[EXTENSION])


def current() -> Metrics:
    """The figures of the application that answers this request."""
    return of(current_app)
