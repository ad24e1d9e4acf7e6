"""Which limit applies, and what happens when nobody can count."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from chat_api.errors import StoreUnavailable
from chat_api.services.limit_checks import Verdict
from chat_api.services.limits import REST_SECONDS, Limiter, Use, caller_of
from chat_api.stores.base import Window


class Store:
    """Counts in memory, as long as it is well."""

    name = "memory"

    def __init__(self) -> None:
        self.used: dict[str, int] = {}
        self.is_well = True
        self.asked = 0

    def window(self, key: str, limit: int, seconds: int, amount: int) -> Window:
        self.asked += 1
        if not self.is_well:
            raise StoreUnavailable from ConnectionRefusedError()
        used = self.used.get(key, 0)
        granted = max(0, min(amount, limit - used))
        self.used[key] = used + granted
        return Window(granted, self.used[key], 12.5 if self.used[key] else 0.0)

    def warm_up(self) -> None:
        """Nothing is to be opened."""

    def close(self) -> None:
        """Nothing is open."""


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(store: Store, clock: Clock) -> Limiter:
    return Limiter(store, 2, clock)


@pytest.mark.parametrize(
    ("requests_per_minute", "api", "api_chat", "chat", "models"),
    [
        (None, Use.COUNTS, Use.COUNTS, None, None),
        (30, Use.SHOWS, Use.COUNTS, Use.COUNTS, None),
    ],
)
def test_what_counts_depends_on_what_is_set(
    store: Store,
    requests_per_minute: int | None,
    api: Use | None,
    api_chat: Use | None,
    chat: Use | None,
    models: Use | None,
) -> None:
    limiter = Limiter(store, requests_per_minute)
    assert limiter.use(is_api=True, spends_tokens=False) is api
    assert limiter.use(is_api=True, spends_tokens=True) is api_chat
    assert limiter.use(is_api=False, spends_tokens=True) is chat
    assert limiter.use(is_api=False, spends_tokens=False) is models


def test_without_limits_nothing_counts() -> None:
    limiter = Limiter(None, 0)
    assert limiter.use(is_api=True, spends_tokens=True) is None
    assert limiter.readiness() == (True, "off")


def test_a_caller_is_told_what_is_left(limiter: Limiter) -> None:
    assert limiter.check("a", Use.SHOWS) == Verdict(True, 2, 2, 0)
    assert limiter.check("a", Use.COUNTS) == Verdict(True, 2, 1, 12.5)
    assert limiter.check("a", Use.COUNTS) == Verdict(True, 2, 0, 12.5)
    assert limiter.check("a", Use.COUNTS) == Verdict(False, 2, 0, 12.5)
    assert limiter.check("a", Use.SHOWS) == Verdict(True, 2, 0, 12.5)
    assert limiter.check("b", Use.COUNTS) == Verdict(True, 2, 1, 12.5)
    assert limiter.readiness() == (True, "memory")


def test_unset_means_six_hundred_on_api(store: Store) -> None:
    verdict = Limiter(store, None).check("a", Use.COUNTS)
    assert verdict is not None and (verdict.limit, verdict.remaining) == (600, 599)


def test_it_fails_open_and_leaves_a_dead_store_alone_for_a_while(
    limiter: Limiter, store: Store, clock: Clock
) -> None:
    store.is_well = False
    assert [limiter.check("a", Use.COUNTS) for _ in range(10)] == [None] * 10
    assert (store.asked, limiter.failures) == (1, 10)
    assert limiter.readiness() == (False, "memory")
    clock.now += REST_SECONDS
    assert [limiter.check("a", Use.COUNTS) for _ in range(10)] == [None] * 10
    assert (store.asked, limiter.failures) == (2, 20)


def test_while_one_call_tries_again_the_others_do_not_wait(
    limiter: Limiter, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.is_well = False
    limiter.check("a", Use.COUNTS)
    clock.now += REST_SECONDS
    beside: list[Verdict | None] = []

    def slow(*window: Any) -> Window:
        beside.append(limiter.check("b", Use.COUNTS))
        return Window(1, 1, 60)

    monkeypatch.setattr(store, "window", slow)
    assert limiter.check("a", Use.COUNTS) is not None
    assert beside == [None]


def test_who_had_reached_the_limit_is_refused_while_the_store_is_down(
    limiter: Limiter, store: Store, clock: Clock
) -> None:
    for _ in range(3):
        limiter.check("a", Use.COUNTS)
    store.is_well = False
    assert limiter.check("b", Use.COUNTS) is None
    clock.now += 2
    assert limiter.check("a", Use.COUNTS) == Verdict(False, 2, 0, 10.5)
    clock.now += 10.5
    assert limiter.check("a", Use.COUNTS) is None


def test_it_recovers_by_itself(limiter: Limiter, store: Store, clock: Clock) -> None:
    store.is_well = False
    limiter.check("a", Use.COUNTS)
    store.is_well = True
    clock.now += REST_SECONDS
    for expected in (1, 0):
        verdict = limiter.check("a", Use.COUNTS)
        assert verdict is not None and verdict.remaining == expected
    assert limiter.readiness() == (True, "memory")


def test_a_flood_of_failures_is_a_line_every_few_seconds(
    limiter: Limiter, store: Store, clock: Clock, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    from chat_api.web.logs import configure

    configure("json", "info")
    store.is_well = False
    for _ in range(1000):
        limiter.check("a", Use.COUNTS)
        clock.now += 0.01
    lines = [orjson.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["limiter"] * len(lines)
    assert 2 <= len(lines) <= 3
    assert (lines[0]["uncounted"], lines[0]["cause"]) == (1, "ConnectionRefusedError")
    assert 400 < lines[1]["uncounted"] < 700


def test_neither_keys_nor_addresses_are_stored_as_they_are(limiter: Limiter, store: Store) -> None:
    callers = [caller_of("", "192.0.2.7"), caller_of("o", "192.0.2.7"), caller_of("o", "x")]
    assert callers[1] == callers[2] != callers[0] != caller_of("192.0.2.7", "")
    limiter.check(callers[0], Use.COUNTS)
    assert "192" not in "".join(store.used)
