"""What every store of kept replies promises."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from sqlalchemy import delete

from chat_api.stores.base import Claim, KeptReply, ReplyBounds
from chat_api.stores.idempotency import SqlIdempotencyStore
from chat_api.stores.schema import idempotency_records
from chat_api.stores.sql import Database
from tests.contracts.helpers import Clock, together

REPLY = KeptReply(200, "application/json", b'{"a": "\x00\xff"}')


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(database: Database, clock: Clock) -> Any:
    """Makes stores over one database, which begins empty."""
    database.write(lambda connection: connection.execute(delete(idempotency_records)))

    def make(**bounds: Any) -> SqlIdempotencyStore:
        return SqlIdempotencyStore(database, dataclasses.replace(ReplyBounds(), **bounds), clock)

    return make


@pytest.fixture
def store(make: Any) -> SqlIdempotencyStore:
    found: SqlIdempotencyStore = make()
    return found


def end(store: SqlIdempotencyStore, key: str, body: bytes = b"{}") -> None:
    """A call that was made and has ended."""
    store.claim(key, "f", key)
    store.finish(key, key, REPLY._replace(body=body))


def is_kept(store: SqlIdempotencyStore, key: str) -> bool:
    claim = store.claim(key, "f", "look")
    store.release(key, "look")
    return not claim.is_ours


def test_a_key_is_held_by_the_first(store: SqlIdempotencyStore) -> None:
    assert store.claim("k", "f", "first").is_ours
    assert store.claim("k", "other", "second") == Claim(False, "f", None)
    assert store.claim("another", "f", "second").is_ours


def test_the_reply_is_there_for_all_who_come_later(store: SqlIdempotencyStore) -> None:
    store.claim("k", "f", "first")
    store.finish("k", "first", REPLY)
    for _ in range(2):
        assert store.claim("k", "other", "second") == Claim(False, "f", REPLY)


def test_what_is_let_go_is_as_if_it_had_not_been(store: SqlIdempotencyStore) -> None:
    store.claim("k", "f", "first")
    store.release("k", "first")
    assert store.claim("k", "other", "second").is_ours


def test_a_holder_who_died_is_followed_by_another(store: SqlIdempotencyStore, clock: Clock) -> None:
    store.claim("k", "f", "first")
    clock.now += 29
    assert not store.claim("k", "f", "second").is_ours
    clock.now += 1
    assert store.claim("k", "other", "second").is_ours
    assert store.claim("k", "f", "third") == Claim(False, "other", None)


def test_a_holder_who_says_that_it_lives_is_not(store: SqlIdempotencyStore, clock: Clock) -> None:
    store.claim("k", "f", "first")
    for _ in range(5):
        clock.now += 20
        store.renew("k", "first")
    assert not store.claim("k", "f", "second").is_ours


def test_who_lost_the_key_changes_nothing(store: SqlIdempotencyStore, clock: Clock) -> None:
    store.claim("k", "f", "first")
    clock.now += 30
    store.claim("k", "f", "second")
    store.finish("k", "first", REPLY)
    store.release("k", "first")
    store.renew("k", "first")
    assert store.claim("k", "f", "third") == Claim(False, "f", None)
    store.finish("k", "second", REPLY)
    store.release("k", "second")
    assert store.claim("k", "f", "third").reply == REPLY


def test_after_a_day_a_reply_is_gone(store: SqlIdempotencyStore, clock: Clock) -> None:
    end(store, "k")
    clock.now += 86_399
    assert is_kept(store, "k")
    clock.now += 1
    assert store.claim("k", "other", "second").is_ours


def test_above_the_bound_the_oldest_replies_go(make: Any, clock: Clock) -> None:
    store = make(most_records=3)
    for key in ("a", "b", "c"):
        clock.now += 1
        end(store, key)
    store.claim("d", "f", "d")
    store.release("d", "d")
    assert [is_kept(store, key) for key in ("b", "c")] == [True, True]
    assert not is_kept(store, "a")


def test_calls_that_are_under_way_are_never_dropped(make: Any, clock: Clock) -> None:
    store = make(most_records=2)
    for key in ("a", "b", "c", "d"):
        assert store.claim(key, "f", key).is_ours
    clock.now += 29
    assert not store.claim("a", "f", "x").is_ours


def test_above_the_bound_of_bytes_the_oldest_replies_go(make: Any, clock: Clock) -> None:
    store = make(most_bytes=100, most_bytes_each=60)
    for key in ("a", "b", "c"):
        clock.now += 1
        end(store, key, b"x" * 40)
    assert [is_kept(store, key) for key in ("a", "b", "c")] == [False, True, True]
    end(store, "huge", b"x" * 61)
    assert [is_kept(store, key) for key in ("b", "c", "huge")] == [True, True, False]


def test_of_many_who_come_at_once_one_gets_the_key(store: SqlIdempotencyStore) -> None:
    claims: list[Claim] = []
    together(20, lambda number: claims.append(store.claim("k", "f", f"holder-{number}")))
    assert sorted(claim.is_ours for claim in claims) == [False] * 19 + [True]
