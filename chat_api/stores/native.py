"""Waiting for what blocks, or may take too long, while the event loop goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import gevent
from gevent import monkey
from gevent.threadpool import ThreadPool

T = TypeVar("T")
Outcome = tuple[T | None, Exception | None]


class NativeThread:
    """Runs functions in one native thread, one at a time, oldest first; as plain calls where
    gevent has not patched the standard library.

    One thread, not several: locks that gevent has patched belong to greenlets and are waited for
    in the event loop. What only ever runs in this thread (an engine and its pool, say) never has
    to wait for such a lock. SQLite has one writer at a time anyway.
    """

    def __init__(self) -> None:
        self._pool: ThreadPool | None = None

    def run(self, function: Callable[[], T], most_seconds: float | None = None) -> T:
        """The function's value or exception. A greenlet that is killed meanwhile leaves, and so
        does one that has waited for `most_seconds`; the function still runs to its end.

        Raises:
            TimeoutError: it took longer, its turn included.
        """
        if not monkey.is_module_patched("threading"):
            return function()
        if self._pool is None:  # of this process and its event loop: made after the fork
            self._pool = ThreadPool(1)
        done: list[Outcome[T]] = []
        try:
            with gevent.Timeout(most_seconds, TimeoutError("the native thread is busy")):
                self._pool.apply(lambda: done.append(_contained(function)))
        except TimeoutError:
            if not done:  # else the thread was quick, and only the event loop late to hear of it
                raise
        return _value(done[0])


def run_within(most_seconds: float | None, function: Callable[[], T]) -> T:
    """The function's value or exception, for functions that wait through the event loop. One that
    takes longer runs to its end nevertheless: it is not cut off amid a protocol.

    Raises:
        TimeoutError: it took longer.
    """
    if most_seconds is None or not monkey.is_module_patched("threading"):
        return function()
    with gevent.Timeout(most_seconds, TimeoutError("it took too long")):
        outcome: Outcome[T] = gevent.spawn(_contained, function).get()
    return _value(outcome)


def _contained(function: Callable[[], T]) -> Outcome[T]:
    try:
        return function(), None
    except Exception as error:  # gevent would print it
        return None, error


def _value(outcome: Outcome[T]) -> T:
    value, error = outcome
    if error is not None:
        raise error
    return value  # type: ignore[return-value]
