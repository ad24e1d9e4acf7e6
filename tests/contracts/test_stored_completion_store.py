"""What every store of chat completions promises."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from sqlalchemy import delete

from chat_api.errors import InvalidRequest
from chat_api.stores.pages import Page
from chat_api.stores.response_base import ResponseBounds
from chat_api.stores.schema import chat_completions
from chat_api.stores.sql import Database
from chat_api.stores.stored_completion_base import StoredCompletion
from chat_api.stores.stored_completions import SqlCompletionStore
from tests.contracts.helpers import Clock, together

EVERYTHING = Page(limit=100)
PLAIN = StoredCompletion("c1", "m-1", "m", {"a": "b"}, {"id": "c1", "x": "\x00ü"}, [{"role": "u"}])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(database: Database, clock: Clock) -> Any:
    database.write(lambda connection: connection.execute(delete(chat_completions)))

    def make(ttl_seconds: float = 100.0, most: int = 100) -> SqlCompletionStore:
        return SqlCompletionStore(database, ResponseBounds(ttl_seconds, most), clock)

    return make


@pytest.fixture
def store(make: Any) -> SqlCompletionStore:
    found: SqlCompletionStore = make()
    return found


def put(store: SqlCompletionStore, clock: Clock, *ids: str, **more: Any) -> None:
    for each in ids:
        clock.now += 1
        store.put("me", dataclasses.replace(PLAIN, id=each, **more))


def ids(
    store: SqlCompletionStore, owner: str = "me", wanted: Page = EVERYTHING, **query: Any
) -> list[str]:
    return [stored.id for stored in store.page(owner, wanted, **query)]


def test_what_is_stored_is_found_whole(store: SqlCompletionStore) -> None:
    store.put("me", PLAIN)
    assert store.get("me", "c1") == PLAIN
    assert store.get("me", "c2") is None


def test_another_owner_finds_nothing_and_changes_nothing(store: SqlCompletionStore) -> None:
    store.put("me", PLAIN)
    assert store.get("you", "c1") is None
    assert store.update("you", "c1", {}) is None
    assert not store.delete("you", "c1")
    assert ids(store, "you") == []
    assert store.get("me", "c1") == PLAIN


def test_two_owners_may_have_the_same_id(store: SqlCompletionStore) -> None:
    other = dataclasses.replace(PLAIN, model="other")
    store.put("me", PLAIN)
    store.put("you", other)
    assert store.delete("me", "c1")
    assert store.get("you", "c1") == other


def test_of_one_owner_the_last_one_of_an_id_counts(store: SqlCompletionStore, clock: Clock) -> None:
    put(store, clock, "c1", "c2")
    put(store, clock, "c1", model="new")
    assert ids(store) == ["c2", "c1"]
    found = store.get("me", "c1")
    assert found and found.model == "new"


def test_metadata_can_be_replaced(store: SqlCompletionStore) -> None:
    store.put("me", PLAIN)
    changed = dataclasses.replace(PLAIN, metadata={"c": "d"})
    assert store.update("me", "c1", {"c": "d"}) == changed == store.get("me", "c1")


def test_what_is_deleted_is_gone(store: SqlCompletionStore) -> None:
    store.put("me", PLAIN)
    assert store.delete("me", "c1")
    assert not store.delete("me", "c1")
    assert store.get("me", "c1") is None


def test_pages_follow_each_other_in_both_orders(store: SqlCompletionStore, clock: Clock) -> None:
    put(store, clock, *"abcde")
    for descending, order in ((False, "abcde"), (True, "edcba")):
        seen: list[str] = []
        while found := ids(store, wanted=Page(seen[-1] if seen else None, 2, descending)):
            seen += found
        assert "".join(seen) == order


def test_those_of_one_moment_are_all_told(store: SqlCompletionStore) -> None:
    for each in "abc":
        store.put("me", dataclasses.replace(PLAIN, id=each))
    first = ids(store, wanted=Page(limit=1))
    assert sorted(first + ids(store, wanted=Page(first[0]))) == ["a", "b", "c"]


def test_an_unknown_place_in_the_list_is_refused(store: SqlCompletionStore) -> None:
    store.put("you", PLAIN)
    with pytest.raises(InvalidRequest) as raised:
        ids(store, wanted=Page("c1"))
    assert raised.value.param == "after"


def test_models_are_found_by_either_name(store: SqlCompletionStore, clock: Clock) -> None:
    put(store, clock, "a")
    put(store, clock, "b", model="x-1", asked_model="x")
    assert ids(store, model="x") == ids(store, model="x-1") == ["b"]
    assert ids(store, model="m") == ["a"]


@pytest.mark.parametrize(
    ("metadata", "query", "is_found"),
    [
        ({"a": "b", "c": "d"}, {"c": "d"}, True),
        ({"a": "b", "c": "d"}, {"c": "d", "a": "b"}, True),
        ({"a": "b"}, {"a": "b", "c": "d"}, False),
        ({"a": "b"}, {"A": "b"}, False),
        ({"a": "bc"}, {"a": "b"}, False),
        ({'x,"a': "b"}, {"a": "b"}, False),
        ({'x{"a': "b"}, {"a": "b"}, False),
        ({"a": 'b"'}, {"a": "b"}, False),
        ({"a": 'b\\"c'}, {"a": "b\\"}, False),
        ({"a%": "_"}, {"a%": "_"}, True),
        ({"a": "ü\x00"}, {"a": "ü\x00"}, True),
        ({}, {"a": "b"}, False),
    ],
    ids=str,
)
def test_pairs_are_found_exactly(
    store: SqlCompletionStore, metadata: Any, query: Any, is_found: bool
) -> None:
    store.put("me", dataclasses.replace(PLAIN, metadata=metadata))
    assert ids(store, metadata=query) == (["c1"] if is_found else [])


def test_age_is_counted_from_the_last_change(make: Any, clock: Clock) -> None:
    store = make(ttl_seconds=10)
    put(store, clock, "a", "b")
    clock.now += 8
    store.update("me", "b", {})
    clock.now += 2
    assert ids(store) == ["b"]
    assert store.get("me", "a") is None and not store.delete("me", "a")
    assert store.update("me", "a", {}) is None


def test_above_the_bound_the_oldest_go(make: Any, clock: Clock) -> None:
    store = make(most=2)
    put(store, clock, "a", "b", "c")
    assert ids(store) == ["b", "c"]


def test_many_at_once_are_all_stored(store: SqlCompletionStore) -> None:
    together(20, lambda number: store.put("me", dataclasses.replace(PLAIN, id=f"c{number}")))
    assert len(ids(store)) == 20


def test_of_many_with_one_id_at_once_one_stays(store: SqlCompletionStore) -> None:
    together(20, lambda number: store.put("me", dataclasses.replace(PLAIN, model=f"m-{number}")))
    assert ids(store) == ["c1"]


@pytest.mark.parametrize("completion_id", ["", "c1\x00", "x" * 10_000])
def test_what_is_no_id_of_ours_is_not_found(store: SqlCompletionStore, completion_id: str) -> None:
    store.put("me", PLAIN)
    assert store.get("me", completion_id) is None and not store.delete("me", completion_id)
    with pytest.raises(InvalidRequest):
        ids(store, wanted=Page(completion_id))
