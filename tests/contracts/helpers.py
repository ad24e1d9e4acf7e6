"""Stores to count in, responses to store, a clock for both, and many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from chat_api.stores import redis_limits, sql
from chat_api.stores.base import LimitStore
from chat_api.stores.limits import SqlLimits
from chat_api.stores.response_base import Item, JsonObject, ResponseRow


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
    """A store of one's own, also in another process: `place` is a folder or a URL. It has patience
    with a busy machine, of which contracts say nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis_limits, "TIMEOUT_SECONDS", 10)
        patch.setattr(sql, "COUNTER_PATIENCE_SECONDS", 10)
        patch.setattr(sql, "COUNTER_MOST_SECONDS", 20)
        if backend == "redis":
            return redis_limits.RedisLimits(place, *clock)
        if backend == "postgresql":
            return SqlLimits(sql.open_counters(place, ""), *clock)
        return SqlLimits(sql.open_counters(None, place), *clock)


def item(item_id: str, size: int = 0) -> Item:
    """A message that says its id."""
    text = {"type": "input_text", "text": item_id + "x" * size}
    return {"id": item_id, "type": "message", "role": "user", "content": [text]}


def body(response_id: str, *output: str, status: str = "completed") -> JsonObject:
    """A response object whose output has these ids."""
    return {"id": response_id, "status": status, "output": [item(name) for name in output]}


def response(response_id: str, previous_id: str | None = None, **changes: Any) -> ResponseRow:
    """One of "me" with an item of input and one of output: of `r1` they are `r1-asked` and
    `r1-said`."""
    changes.setdefault("body", body(response_id, f"{response_id}-said"))
    changes.setdefault("input_items", [item(f"{response_id}-asked")])
    return ResponseRow(response_id, changes.pop("owner", "me"), previous_id=previous_id, **changes)


def ids(items: list[Item] | None) -> list[str] | None:
    """Of items; None where there is no list."""
    return None if items is None else [each["id"] for each in items]
