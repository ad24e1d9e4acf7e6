"""What every limit store promises: on SQLite, on PostgreSQL, on Redis."""

from __future__ import annotations

import multiprocessing
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import func, select

from chat_api.stores.base import LimitStore, Window
from chat_api.stores.limits import CLEARING_EVERY, MOST_CLEARED, SqlLimits
from chat_api.stores.redis_limits import RedisLimits
from chat_api.stores.schema import limit_entries
from chat_api.stores.sql import Database, open_counters
from tests.contracts.helpers import Clock, together

REDIS = "redis://127.0.0.1:6379/0"
PROCESSES = 4
TRIES = 30

Make = Callable[..., LimitStore]


def make_store(backend: str, place: str, name: str, *clock: Callable[[], float]) -> LimitStore:
    """A store of its own, also in another process: `place` is a folder or a URL."""
    if backend == "redis":
        return RedisLimits(REDIS, *clock, key_prefix=name)
    if backend == "postgresql":
        return SqlLimits(open_counters(place, ""), *clock)
    return SqlLimits(open_counters(None, place), *clock)


def count_in_a_process(arguments: tuple[str, str, str]) -> list[bool]:
    store = make_store(*arguments)
    found = [store.window("k", PROCESSES * TRIES // 2, 600, 1).acquired for _ in range(TRIES)]
    store.close()
    return found


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """Backend, place, and a prefix for the keys of Redis."""
    name = f"chat_api_test_{uuid.uuid4().hex}"
    place = str(tmp_path / "data")
    if request.param == "postgresql":
        place = request.getfixturevalue("postgresql_url")
        store = SqlLimits(open_counters(place, ""))
        store.reset()
        store.close()
    if request.param == "redis":
        try:
            redis.Redis.from_url(REDIS).ping()
        except redis.RedisError:
            pytest.skip("no Redis on 127.0.0.1:6379")
    yield request.param, place, name
    if request.param == "redis":
        with redis.Redis.from_url(REDIS) as client:
            if keys := list(client.scan_iter(f"{name}:*")):
                client.delete(*keys)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(where: tuple[str, str, str], clock: Clock) -> Iterator[Make]:
    made: list[LimitStore] = []

    def make(clock: Callable[[], float] = clock) -> LimitStore:
        made.append(make_store(*where, clock))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(make: Make) -> LimitStore:
    return make()


def stored(store: Any) -> int:
    """How much there is in it."""
    if isinstance(store, RedisLimits):
        return len(list(store.get_connection().scan_iter(f"{store.key_prefix}:*")))
    database: Database = store._database
    statement = select(func.count()).select_from(limit_entries)
    return database.read(lambda connection: connection.scalar(statement) or 0)


class TestLimitStore:
    def test_there_is_room_until_the_limit_is_reached(
        self, store: LimitStore, clock: Clock
    ) -> None:
        assert store.window("k", 3, 60, 1) == Window(True, 1, 60)
        clock.now += 10
        assert store.window("k", 3, 60, 1) == Window(True, 2, 50)
        assert store.window("k", 3, 60, 1) == Window(True, 3, 50)
        assert store.window("k", 3, 60, 1) == Window(False, 3, 50)

    def test_the_window_moves_with_the_clock(self, store: LimitStore, clock: Clock) -> None:
        for _ in range(3):
            assert store.window("k", 3, 60, 1).acquired
            clock.now += 10
        clock.now += 29.5
        assert store.window("k", 3, 60, 1) == Window(False, 3, 0.5)
        clock.now += 0.5
        assert store.window("k", 3, 60, 1) == Window(True, 3, 10)
        assert not store.window("k", 3, 60, 1).acquired
        clock.now += 59
        assert store.window("k", 3, 60, 0) == Window(True, 1, 1)
        clock.now += 1
        assert store.window("k", 3, 60, 0) == Window(True, 0, 0)

    def test_a_look_counts_nothing(self, store: LimitStore) -> None:
        assert [store.window("k", 1, 60, 0) for _ in range(3)] == [Window(True, 0, 0)] * 3
        assert store.window("k", 1, 60, 1).acquired
        assert store.window("k", 1, 60, 0) == Window(True, 1, 60)

    def test_several_are_added_whole_or_not_at_all(self, store: LimitStore) -> None:
        assert store.window("k", 5, 60, 3) == Window(True, 3, 60)
        assert store.window("k", 5, 60, 3) == Window(False, 3, 60)
        assert store.window("k", 5, 60, 2) == Window(True, 5, 60)

    def test_keys_do_not_touch_each_other(self, store: LimitStore) -> None:
        for key in ("a", "b", "a/b", "b' OR '1'='1", "*"):
            assert store.window(key, 1, 60, 1) == Window(True, 1, 60)
            assert not store.window(key, 1, 60, 1).acquired

    def test_of_many_threads_as_many_get_in_as_there_is_room(self, make: Make) -> None:
        stores = [make() for _ in range(8)]
        found: list[Window] = []

        def work(number: int) -> None:
            for _ in range(5):
                found.append(stores[number].window("k", 20, 60, 1))

        together(8, work)
        assert sorted(window.used for window in found if window.acquired) == list(range(1, 21))

    def test_of_many_processes_as_many_get_in_as_there_is_room(
        self, where: tuple[str, str, str]
    ) -> None:
        with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
            found = pool.map(count_in_a_process, [where] * PROCESSES, chunksize=1)
        assert sum(map(sum, found)) == PROCESSES * TRIES // 2

    def test_who_sets_the_clock_back_locks_nobody_out(
        self, store: LimitStore, clock: Clock
    ) -> None:
        for _ in range(3):
            store.window("k", 3, 60, 1)
        clock.now -= 1  # as the clocks of two machines differ
        assert not store.window("k", 3, 60, 1).acquired
        if isinstance(store, SqlLimits):  # Redis forgets a key by its own clock
            clock.now -= 3600
            assert store.window("k", 3, 60, 1) == Window(True, 1, 60)

    def test_it_is_a_storage_for_the_strategy_of_limits(self, make: Make) -> None:
        store = make(time.time)
        strategy = MovingWindowRateLimiter(store)  # type: ignore[arg-type]
        item = RateLimitItemPerMinute(2)
        assert [strategy.hit(item, "me") for _ in range(3)] == [True, True, False]
        assert not strategy.test(item, "me") and strategy.test(item, "you")
        assert strategy.get_window_stats(item, "me").remaining == 0
        assert store.window(item.key_for("me"), 2, 60, 0).used == 2
        strategy.clear(item, "me")
        assert strategy.hit(item, "me", cost=2) and not strategy.hit(item, "me")
        assert strategy.storage.check()

    def test_what_has_left_its_window_is_cleared_away(
        self, store: LimitStore, clock: Clock
    ) -> None:
        for number in range(MOST_CLEARED + 50):
            store.window(f"k{number}", 1, 1, 1)
        before = stored(store)
        clock.now += 1
        if isinstance(store, RedisLimits):
            keys = store.get_connection().scan_iter(f"{store.key_prefix}:*")
            assert all(0 < store.get_connection().pttl(key) <= 1000 for key in keys)
            return
        for _ in range(CLEARING_EVERY):
            store.window("other", 1000, 60, 1)
        assert stored(store) == before - MOST_CLEARED + CLEARING_EVERY
        for _ in range(CLEARING_EVERY):
            store.window("other", 1000, 60, 1)
        assert stored(store) == 2 * CLEARING_EVERY
