"""Stores to count in, a clock for them, and many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from chat_api.stores.base import LimitStore
from chat_api.stores.limits import SqlLimits
from chat_api.stores.redis_limits import RedisLimits
from chat_api.stores.sql import open_counters


class Clock:
    """UTC epoch seconds, as a test sets them."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def together(times: int, work: Callable[[int], object]) -> None:
    """Run the work so many times at once; none of it may fail."""
    done: list[int] = []
    start = threading.Barrier(times)

    def run(number: int) -> None:
        start.wait()
        work(number)
        done.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == times


def limit_store(backend: str, place: str, *clock: Callable[[], float]) -> LimitStore:
    """A store of one's own, also in another process: `place` is a folder or a URL."""
    if backend == "redis":
        return RedisLimits(place, *clock)
    if backend == "postgresql":
        return SqlLimits(open_counters(place, ""), *clock)
    return SqlLimits(open_counters(None, place), *clock)
