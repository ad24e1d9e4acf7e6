"""How the upstreams do, by what their last calls showed. Nobody is asked: a question may cost."""

from __future__ import annotations

import time
from dataclasses import dataclass

from chat_api.errors import (
    ChatApiError,
    UpstreamError,
    UpstreamKeyRefused,
    UpstreamRateLimited,
    UpstreamRefused,
)

FAILURE_SECONDS = 30.0
"""How long a failed call makes an upstream look down: who is sent no calls can show no success."""


@dataclass(slots=True)
class _State:
    """What the failures since the last success left behind. The last one's text, not the error:
    that would keep the whole call alive, with its prompt and its key."""

    text: str = ""
    at: float = 0.0
    in_a_row: int = 0
    probed_until: float = 0.0


class Health:
    """What is known of each upstream in this worker.

    Args:
        most_failures: so many failed calls in a row send an upstream to cool off.
        cooldown_seconds: for so long. Then one call is let through to find out; the others go on
            passing it by until that call has shown something.
    """

    def __init__(self, most_failures: int, cooldown_seconds: float) -> None:
        self._most_failures = most_failures
        self._cooldown_seconds = cooldown_seconds
        self._states: dict[str, _State] = {}

    def remember(self, upstream: str, error: ChatApiError | None, began_at: float) -> None:
        """Take in how a call ended.

        Args:
            error: None where it ended well.
            began_at: a moment of `time.monotonic()`. What began before the last failure and ends
                well says nothing of how the upstream does now.
        """
        state = self._states.get(upstream)
        if _is_failure(error):
            state = self._states.setdefault(upstream, _State())
            state.text, state.at = str(error), time.monotonic()
            state.in_a_row += 1
            state.probed_until = 0.0
        elif state is None:
            return
        elif not _is_answer(error):
            state.probed_until = 0.0  # whoever probed learned nothing: the next one may
        elif began_at >= state.at:
            del self._states[upstream]

    def speaks(self, upstream: str) -> None:
        """Take in that a stream has begun to answer. Whether it ends well is not known yet: the
        next failure counts as one more in the row."""
        if state := self._worn_out(upstream):
            state.in_a_row = self._most_failures - 1

    def cooling_seconds(self, upstream: str) -> float:
        """How much longer it is to be left alone; 0 where it is not."""
        state = self._worn_out(upstream)
        if state is None:
            return 0.0
        until = max(state.at + self._cooldown_seconds, state.probed_until)
        return max(0.0, until - time.monotonic())

    def lets_through(self, upstream: str) -> bool:
        """Whether a call may go there. Of those that ask after a cool-down the first one may."""
        if self.cooling_seconds(upstream):
            return False
        if state := self._worn_out(upstream):
            state.probed_until = time.monotonic() + self._cooldown_seconds
        return True

    def failure(self, upstream: str) -> str | None:
        """How its last call failed; None where it did not, or some time ago."""
        state = self._states.get(upstream)
        if state is None or not state.in_a_row:
            return None
        is_fresh = time.monotonic() - state.at < FAILURE_SECONDS
        return state.text if is_fresh or self.cooling_seconds(upstream) else None

    def is_out(self, upstream: str) -> bool:
        """Whether it has failed so often in a row, and so lately, that calls had better not come.
        One call may fail for reasons of its own."""
        return self._worn_out(upstream) is not None and self.failure(upstream) is not None

    def _worn_out(self, upstream: str) -> _State | None:
        """What is known of an upstream that has failed too often in a row; None of any other."""
        state = self._states.get(upstream)
        return state if state is not None and state.in_a_row >= self._most_failures else None


def is_the_callers(error: ChatApiError) -> bool:
    """Whether an upstream's error is about the request or the caller's own key."""
    return isinstance(error, UpstreamRefused) or (
        isinstance(error, UpstreamKeyRefused) and error.callers_own
    )


def _is_failure(error: ChatApiError | None) -> bool:
    return isinstance(error, UpstreamError) and not is_the_callers(error)


def _is_answer(error: ChatApiError | None) -> bool:
    """Whether the upstream did what it is there for: it answered, or judged a request. Not when the
    caller left, when it was never asked, or when it only said that it has had enough (429)."""
    if error is None:
        return True
    return is_the_callers(error) and not isinstance(error, UpstreamRateLimited)
