"""The one layer that tries again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from chat_api.errors import UpstreamError

MOST_ATTEMPTS = 3
MOST_WAITED_SECONDS = 5.0
"""In all. An upstream that asks for a longer wait gets its status passed on instead."""

T = TypeVar("T")


def with_retries(
    attempt: Callable[[], T],
    wait: Callable[[float], object],
    *,
    first_pause_seconds: float,
    until: float = float("inf"),
) -> T:
    """The first success of up to three tries.

    Args:
        attempt: one try; may be repeated only while no byte of an answer came back.
        wait: waits so many seconds; raises when the caller leaves.
        first_pause_seconds: the wait before the second try where the upstream asks for none;
            it doubles, and is spread by a fifth so that many callers do not come back at once.
        until: no pause that ends after this moment of `time.monotonic()` is made.

    Raises:
        UpstreamError: the last try's, or the first one that must not be tried again.
    """
    waited = 0.0
    for number in range(1, MOST_ATTEMPTS):
        try:
            return attempt()
        except UpstreamError as error:
            pause = error.retry_after_seconds
            if pause is None:
                pause = first_pause_seconds * 2 ** (number - 1) * random.uniform(0.8, 1.2)
            late = time.monotonic() + pause > until
            if not error.retryable or late or waited + pause > MOST_WAITED_SECONDS:
                raise
        wait(pause)
        waited += pause
    try:
        return attempt()
    except UpstreamError as error:
        error.is_final = True  # a client that tries three times by itself would make nine of them
        raise
