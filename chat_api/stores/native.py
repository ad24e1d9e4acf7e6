"""A native thread for what blocks, so that the event loop goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gevent import monkey
from gevent.threadpool import ThreadPool

T = TypeVar("T")


class NativeThread:
    """Runs functions in one native thread, one at a time, oldest first; as plain calls where
    gevent has not patched the standard library.

    One thread, not several: locks that gevent has patched belong to greenlets and are waited for
    in the event loop. What only ever runs in this thread (an engine and its pool, say) never has
    to wait for such a lock. SQLite has one writer at a time anyway.
    """

    def __init__(self) -> None:
        self._pool: ThreadPool | None = None

    def run(self, function: Callable[[], T]) -> T:
        """The function's value or exception. A greenlet that is killed meanwhile leaves; the
        function still runs to its end."""
        if not monkey.is_module_patched("threading"):
            return function()
        if self._pool is None:  # of this process and its event loop: made after the fork
            self._pool = ThreadPool(1)

        def contained() -> tuple[T | None, Exception | None]:
            try:
                return function(), None
            except Exception as error:  # gevent would print it
                return None, error

        value, error = self._pool.apply(contained)
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]
