"""How the upstreams do, by what their last calls showed. Nobody is asked: a question may cost."""

from __future__ import annotations

import time
from dataclasses import dataclass

from chat_api.errors import (
    CallerGone,
    ChatApiError,
    UpstreamError,
    UpstreamKeyRefused,
    UpstreamRefused,
)

FAILURE_SECONDS = 30.0
"""How long a failed call makes an upstream look down: who is sent no calls can show no success."""
ROW_SECONDS = 60.0
"""Failures further apart than this are not in a row."""


@dataclass(slots=True)
class _Failures:
    last: UpstreamError
    at: float
    in_a_row: int


class Health:
    """What is known of each upstream in this worker.

    Args:
        most_failures: so many failed calls in a row send an upstream to cool off.
        cooldown_seconds: for so long; the first failure afterwards sends it there again.
    """

    def __init__(self, most_failures: int, cooldown_seconds: float) -> None:
        self._most_failures = most_failures
        self._cooldown_seconds = cooldown_seconds
        self._failures: dict[str, _Failures] = {}

    def remember(self, upstream: str, error: ChatApiError | None) -> None:
        """Take in how a call ended; None where it ended well."""
        now = time.monotonic()
        if isinstance(error, UpstreamError) and not is_the_callers(error):
            before = self._failures.get(upstream)
            in_a_row = before.in_a_row if before and now - before.at < ROW_SECONDS else 0
            self._failures[upstream] = _Failures(error, now, in_a_row + 1)
        elif not isinstance(error, CallerGone):  # who left early learned nothing
            self._failures.pop(upstream, None)

    def cooling_seconds(self, upstream: str) -> float:
        """How much longer it is to be left alone; 0 where it is not."""
        known = self._failures.get(upstream)
        if known is None or known.in_a_row < self._most_failures:
            return 0.0
        return max(0.0, known.at + self._cooldown_seconds - time.monotonic())

    def failure(self, upstream: str) -> UpstreamError | None:
        """Why it looks down; None where it does not."""
        known = self._failures.get(upstream)
        if known is None:
            return None
        is_fresh = time.monotonic() - known.at < FAILURE_SECONDS
        return known.last if is_fresh or self.cooling_seconds(upstream) else None


def is_the_callers(error: ChatApiError) -> bool:
    """Whether an upstream's error is about the request or the caller's own key, and so says
    nothing against the upstream."""
    return isinstance(error, UpstreamRefused) or (
        isinstance(error, UpstreamKeyRefused) and error.callers_own
    )
