"""A clock for stores, and many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable


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
