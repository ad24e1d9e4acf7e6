"""What every limit store promises: on SQLite, on PostgreSQL, on Redis."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from typing import Any

import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import func, select

from chat_api.stores.base import LimitStore, Window
from chat_api.stores.limits import CLEARING_EVERY, MOST_CLEARED, SqlLimits
from chat_api.stores.redis_limits import KEY_PREFIX, RedisLimits
from chat_api.stores.schema import limit_entries
from chat_api.stores.sql import Database
from tests.contracts.helpers import Clock, limit_store, together
from tests.servers import ROOT

PROCESSES = 4
TRIES = 30

Make = Callable[..., LimitStore]


def count_in_a_process(where: tuple[str, str]) -> list[int]:
    store = limit_store(*where)
    found = [store.window("k", PROCESSES * TRIES // 2, 600, 1).granted for _ in range(TRIES)]
    store.close()
    return found


@pytest.fixture(scope="module")
def forking() -> ForkServerContext:
    """Processes that are forked off one which has imported this module, and opened nothing: each
    importing it for itself cost ten times what they count."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with pytest.MonkeyPatch.context() as patch:
        # It knows no other way to this module, and keeps quiet about one that it does not find.
        patch.setenv("PYTHONPATH", str(ROOT))
        forkserver.ensure_running()
    return context


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(where: tuple[str, str], clock: Clock) -> Iterator[Make]:
    made: list[LimitStore] = []

    def make(clock: Callable[[], float] = clock) -> LimitStore:
        made.append(limit_store(*where, clock))
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
        return int(store.get_connection().dbsize())
    database: Database = store._database
    statement = select(func.count()).select_from(limit_entries)
    return database.read(lambda connection: connection.scalar(statement) or 0)


class TestLimitStore:
    def test_there_is_room_until_the_limit_is_reached(
        self, store: LimitStore, clock: Clock
    ) -> None:
        assert store.window("k", 3, 60, 1) == Window(1, 1, 60)
        clock.now += 10
        assert store.window("k", 3, 60, 1) == Window(1, 2, 50)
        assert store.window("k", 3, 60, 1) == Window(1, 3, 50)
        assert store.window("k", 3, 60, 1) == Window(0, 3, 50)

    def test_the_window_moves_with_the_clock(self, store: LimitStore, clock: Clock) -> None:
        for _ in range(3):
            assert store.window("k", 3, 60, 1).granted
            clock.now += 10
        clock.now += 29.5
        assert store.window("k", 3, 60, 1) == Window(0, 3, 0.5)
        clock.now += 0.5
        assert store.window("k", 3, 60, 1) == Window(1, 3, 10)
        assert not store.window("k", 3, 60, 1).granted
        clock.now += 59
        assert store.window("k", 3, 60, 0) == Window(0, 1, 1)
        clock.now += 1
        assert store.window("k", 3, 60, 0) == Window(0, 0, 0)

    def test_a_look_counts_nothing(self, store: LimitStore) -> None:
        assert [store.window("k", 1, 60, 0) for _ in range(3)] == [Window(0, 0, 0)] * 3
        assert store.window("k", 1, 60, 1).granted
        assert store.window("k", 1, 60, 0) == Window(0, 1, 60)

    def test_of_several_as_many_are_added_as_there_is_room_for(self, store: LimitStore) -> None:
        assert store.window("k", 5, 60, 3) == Window(3, 3, 60)
        assert store.window("k", 5, 60, 3) == Window(2, 5, 60)
        assert store.window("k", 5, 60, 3) == Window(0, 5, 60)
        assert store.window("k", 4, 60, 3) == Window(0, 5, 60)  # the limit was lowered

    def test_keys_do_not_touch_each_other(self, store: LimitStore) -> None:
        for key in ("a", "b", "a/b", "b' OR '1'='1", "*"):
            assert store.window(key, 1, 60, 1) == Window(1, 1, 60)
            assert not store.window(key, 1, 60, 1).granted

    def test_of_many_threads_as_many_get_in_as_there_is_room(self, make: Make) -> None:
        stores = [make() for _ in range(8)]
        found: list[Window] = []

        def work(number: int) -> None:
            for _ in range(5):
                found.append(stores[number].window("k", 20, 60, 1))

        together(8, work)
        assert sorted(window.used for window in found if window.granted) == list(range(1, 21))

    def test_of_many_processes_as_many_get_in_as_there_is_room(
        self, where: tuple[str, str], forking: ForkServerContext
    ) -> None:
        with forking.Pool(PROCESSES) as pool:
            found = pool.map(count_in_a_process, [where] * PROCESSES, chunksize=1)
        assert sum(map(sum, found)) == PROCESSES * TRIES // 2

    def test_who_sets_the_clock_back_locks_nobody_out(
        self, store: LimitStore, clock: Clock
    ) -> None:
        for _ in range(3):
            store.window("k", 3, 60, 1)
        clock.now -= 1  # as the clocks of two machines differ
        assert not store.window("k", 3, 60, 1).granted
        if isinstance(store, SqlLimits):  # Redis forgets a key by its own clock
            clock.now -= 3600
            assert store.window("k", 3, 60, 1) == Window(1, 1, 60)

    def test_what_had_expired_counts_again_when_the_clock_is_set_back(
        self, store: LimitStore, clock: Clock
    ) -> None:
        store.window("k", 10, 60, 10)
        clock.now += 60
        assert store.window("k", 10, 60, 1) == Window(1, 1, 60)
        clock.now -= 0.5
        if isinstance(store, SqlLimits):  # Redis has forgotten it
            assert store.window("k", 10, 60, 1) == Window(0, 11, 0.5)

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
        assert not strategy.hit(item, "you", cost=3) and strategy.hit(item, "you", cost=2)
        assert strategy.storage.check()

    def test_what_has_left_its_window_is_cleared_away(
        self, store: LimitStore, clock: Clock
    ) -> None:
        for number in range(MOST_CLEARED + 50):
            store.window(f"k{number}", 1, 60, 1)
        before = stored(store)
        clock.now += 60
        if isinstance(store, RedisLimits):  # which does it by itself, by its own clock
            redis = store.get_connection()
            keys = list(redis.scan_iter(f"{KEY_PREFIX}:*"))
            assert len(keys) == before == MOST_CLEARED + 50
            assert all(0 < redis.ttl(key) <= 60 for key in keys)
            return
        for _ in range(CLEARING_EVERY):
            store.window("other", 1000, 60, 1)
        assert stored(store) == before - MOST_CLEARED + CLEARING_EVERY
        for _ in range(CLEARING_EVERY):
            store.window("other", 1000, 60, 1)
        assert stored(store) == 2 * CLEARING_EVERY
