"""Checks that wait together go together, and what is known is not asked again."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from limits import RateLimitItemPerMinute

from chat_api.errors import ChatApiError, Overloaded, StoreUnavailable
from chat_api.services.limit_checks import AT_ONCE, MOST_REMEMBERED, LimitChecks, Verdict
from chat_api.stores.base import Window
from tests.integration.wire import wait_for

ITEM = RateLimitItemPerMinute(10)
BUSY = [f"busy {number}" for number in range(AT_ONCE)]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Store:
    """Counts in memory. Callers named "busy" wait there until they are let go on."""

    name = "memory"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.used: dict[str, int] = {}
        self.go_on = threading.Semaphore(0)
        self.failure: BaseException | None = None

    def window(self, key: str, limit: int, seconds: int, amount: int) -> Window:
        self.asked.append(key)
        if "busy" in key:
            self.go_on.acquire()
        if self.failure:
            raise self.failure
        granted = max(0, min(amount, limit - self.used.get(key, 0)))
        self.used[key] = self.used.get(key, 0) + granted
        return Window(granted, self.used[key], 12.5)

    def warm_up(self) -> None:
        """Nothing is to be opened."""

    def close(self) -> None:
        """Nothing is open."""


class Calls:
    """Checks in threads of their own, and what came of them."""

    def __init__(self, checks: LimitChecks) -> None:
        self.found: dict[str, list[Verdict | type[BaseException]]] = {}
        self._checks = checks
        self._threads: list[threading.Thread] = []

    def start(self, *callers: str, counts: bool = True) -> None:
        for caller in callers:
            thread = threading.Thread(target=self._ask, args=(caller, counts), daemon=True)
            thread.start()
            self._threads.append(thread)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _ask(self, caller: str, counts: bool) -> None:
        found: Verdict | type[BaseException]
        try:
            found = self._checks.ask(caller, counts)
        except (ChatApiError, KeyboardInterrupt) as error:
            found = type(error)
        self.found.setdefault(caller, []).append(found)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(store: Store, clock: Clock) -> Callable[..., tuple[LimitChecks, Calls]]:
    """Checks, and as many of them with the store as may be at once."""

    def make(turn_seconds: float = 30) -> tuple[LimitChecks, Calls]:
        checks = LimitChecks(store, ITEM, clock, turn_seconds)
        calls = Calls(checks)
        calls.start(*BUSY)
        wait_for(lambda: len(store.asked) == AT_ONCE)
        return checks, calls

    return make


def waiting(checks: LimitChecks, callers: int, counting: int) -> bool:
    trips = checks._waiting.values()
    return (len(trips), sum(trip.counting for trip in trips)) == (callers, counting)


def blocked(lock: Any) -> int:
    """How many threads wait for an event or a semaphore, which has no word on that."""
    return len(lock._cond._waiters)


def test_checks_that_wait_for_their_turn_make_one_trip(
    make: Callable[..., tuple[LimitChecks, Calls]], store: Store
) -> None:
    checks, calls = make()
    calls.start(*["a"] * 12)
    wait_for(lambda: waiting(checks, 1, 12))
    calls.start("a", counts=False)
    wait_for(lambda: blocked(checks._waiting["a"].ended) == 12)  # and one leads
    store.go_on.release(AT_ONCE)
    calls.join()
    assert len(store.asked) == AT_ONCE + 1
    verdicts = [found for found in calls.found["a"] if isinstance(found, Verdict)]
    told = sorted((found.allowed, found.remaining) for found in verdicts)
    refused, looked, counted = [(False, 0)] * 2, (True, 0), [(True, left) for left in range(10)]
    assert told == [*refused, looked, *counted]
    assert {found.reset_seconds for found in verdicts} == {12.5}


def test_who_waits_too_long_is_told_so_while_others_are_answered(
    make: Callable[..., tuple[LimitChecks, Calls]],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checks, calls = make()

    def wait_in_vain(timeout: float) -> bool:
        """Others get all turns; one of them is answered meanwhile."""
        store.go_on.release()
        return not wait_for(lambda: calls.found)

    monkeypatch.setattr(checks._turns, "acquire", wait_in_vain)
    with pytest.raises(Overloaded):
        checks.ask("a", True)
    store.go_on.release(AT_ONCE - 1)
    calls.join()
    assert calls.found == {caller: [Verdict(True, 10, 9, 12.5)] for caller in BUSY}


def test_a_store_that_answers_nobody_cannot_be_asked(
    make: Callable[..., tuple[LimitChecks, Calls]], store: Store
) -> None:
    checks, calls = make(turn_seconds=0.1)
    with pytest.raises(StoreUnavailable) as caught:
        checks.ask("a", True)
    assert isinstance(caught.value.__cause__, TimeoutError)
    store.go_on.release(AT_ONCE)
    calls.join()
    assert checks.ask("a", True).allowed


def test_nobody_waits_behind_a_failure_to_meet_the_same(
    make: Callable[..., tuple[LimitChecks, Calls]], store: Store
) -> None:
    checks, calls = make()
    calls.start("a", "b", "c", "a")
    wait_for(lambda: waiting(checks, 3, 4) and blocked(checks._turns) == 3)
    store.failure = StoreUnavailable()
    store.go_on.release()
    wait_for(lambda: len(calls.found) == 4)
    assert len(store.asked) == AT_ONCE
    store.failure = None
    store.go_on.release(AT_ONCE)
    calls.join()
    assert calls.found["a"] == [StoreUnavailable] * 2
    assert checks.ask("a", True) == Verdict(True, 10, 9, 12.5)


def test_who_is_cut_off_on_the_trip_leaves_nobody_waiting(
    make: Callable[..., tuple[LimitChecks, Calls]], store: Store
) -> None:
    checks, calls = make()
    calls.start("busy too", "busy too")
    wait_for(lambda: waiting(checks, 1, 2))
    store.failure = KeyboardInterrupt()
    store.go_on.release(AT_ONCE + 1)
    calls.join()
    assert {*calls.found["busy too"]} == {KeyboardInterrupt, StoreUnavailable}
    store.failure = None
    assert checks.ask("a", True).allowed


def test_a_full_window_is_remembered_until_its_first_entry_leaves(
    store: Store, clock: Clock
) -> None:
    checks = LimitChecks(store, ITEM, clock)
    for left in range(9, -1, -1):
        assert checks.remembered("a", True) is None
        assert checks.ask("a", True) == Verdict(True, 10, left, 12.5)
    clock.now += 2
    assert checks.remembered("a", counts=True) == Verdict(False, 10, 0, 10.5)
    assert checks.remembered("a", counts=False) == Verdict(True, 10, 0, 10.5)
    assert checks.remembered("b", True) is None
    clock.now += 10.5
    assert checks.remembered("a", True) is None


def test_a_failure_keeps_nothing_of_the_call_that_met_it(clock: Clock) -> None:
    class Redis(Store):
        def window(self, *_: object) -> Window:
            try:
                raise OSError("away")
            except OSError as error:
                raise StoreUnavailable from error

    class Request:
        """With a body, and a key."""

    def meet_it() -> weakref.ref[Request]:
        request = Request()
        with contextlib.suppress(StoreUnavailable):
            checks.ask("a", True)
        return weakref.ref(request)

    checks = LimitChecks(Redis(), ITEM, clock)
    request = meet_it()
    gc.collect()
    assert request() is None


def test_what_is_remembered_is_bounded(store: Store, clock: Clock) -> None:
    checks = LimitChecks(store, RateLimitItemPerMinute(1), clock)
    for number in range(MOST_REMEMBERED + 1):
        checks.ask(f"{number}", True)
    known = [checks.remembered(f"{n}", True) is not None for n in (0, 1, MOST_REMEMBERED)]
    assert known == [False, True, True]
