"""What every store of conversations promises, on every database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from chat_api.errors import InvalidRequest
from chat_api.stores import schema
from chat_api.stores.conversation_base import Conversation
from chat_api.stores.conversations import SqlConversationStore
from chat_api.stores.pages import Page
from chat_api.stores.responses import SqlResponseStore
from chat_api.stores.sql import Database
from tests.contracts.helpers import Clock, ids, item, response, together

HOUR = 3600.0
ODD_TEXT = "NUL \x00, quotes '\"; DROP TABLE conversations; --, emoji 🐚, \\u0000, 漢字"


def items_stored(database: Database) -> int:
    statement = select(func.count()).select_from(schema.conversation_items)
    return database.read(lambda connection: connection.scalar(statement) or 0)


def test_a_conversation_comes_back_as_it_was_made(
    conversations: SqlConversationStore, clock: Clock
) -> None:
    made = conversations.create("c1", "me", {"k": ODD_TEXT}, [item(ODD_TEXT), item("b")])
    assert made == Conversation("c1", clock.now, {"k": ODD_TEXT})
    assert conversations.get("c1", "me") == made
    assert conversations.history("c1", "me") == [item(ODD_TEXT), item("b")]


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        *[(odd, "me") for odd in ("c2", "", "C1", "c1' OR '1'='1", "c1\x00", "x" * 10_000)],
        *[("c1", owner) for owner in ("", "you", "ME", "me ")],
    ],
)
def test_what_is_not_there_or_another_owners_is_not_found(
    conversations: SqlConversationStore, name: str, owner: str
) -> None:
    conversations.create("c1", "me", {}, [item("a")])
    assert conversations.get(name, owner) is None
    assert conversations.update(name, owner, {"k": "v"}) is None
    assert conversations.history(name, owner) is None
    assert conversations.items(name, owner, Page(None, 10, False)) is None
    assert conversations.item(name, owner, "a") is None
    assert not conversations.add(name, owner, [item("b")])
    assert not conversations.remove_item(name, owner, "a")
    assert not conversations.delete(name, owner)
    assert conversations.get("c1", "me") == Conversation("c1", 1_800_000_000.0, {})
    assert ids(conversations.history("c1", "me")) == ["a"]


def test_its_metadata_is_replaced(conversations: SqlConversationStore, clock: Clock) -> None:
    made = conversations.create("c1", "me", {"a": "1"}, [item("a")])
    clock.now += 5
    told = Conversation("c1", made.created_at, {"b": ODD_TEXT})
    assert conversations.update("c1", "me", {"b": ODD_TEXT}) == told
    assert conversations.get("c1", "me") == told
    assert ids(conversations.history("c1", "me")) == ["a"]


def test_items_are_added_in_order_and_come_in_pages(conversations: SqlConversationStore) -> None:
    conversations.create("c1", "me", {}, [item("a")])
    conversations.create("c2", "me", {}, [item("z")])
    assert conversations.add("c1", "me", [item("b"), item("c")])
    assert conversations.add("c1", "me", [])
    assert conversations.add("c1", "me", [item("d")])
    assert ids(conversations.items("c1", "me", Page(None, 3, False))) == ["a", "b", "c"]
    assert ids(conversations.items("c1", "me", Page("b", 10, False))) == ["c", "d"]
    assert ids(conversations.items("c1", "me", Page("c", 10, True))) == ["b", "a"]
    with pytest.raises(InvalidRequest) as caught:
        conversations.items("c1", "me", Page("z", 10, False))
    assert caught.value.param == "after"


def test_an_item_is_found_and_removed(
    conversations: SqlConversationStore, database: Database
) -> None:
    conversations.create("c1", "me", {}, [item("a"), item("b"), item("a", size=1)])
    conversations.create("c2", "me", {}, [item("z")])
    assert conversations.item("c1", "me", "a") == item("a", size=1)
    assert conversations.item("c1", "me", "z") is None
    assert not conversations.remove_item("c1", "me", "z")
    assert conversations.remove_item("c1", "me", "a")
    assert not conversations.remove_item("c1", "me", "a")
    assert conversations.item("c1", "me", "a") is None
    assert ids(conversations.history("c1", "me")) == ["b"]
    conversations.add("c1", "me", [item("c")])
    assert ids(conversations.history("c1", "me")) == ["b", "c"] and items_stored(database) == 3


def test_what_is_deleted_is_gone_with_its_items(
    conversations: SqlConversationStore, responses: SqlResponseStore, database: Database
) -> None:
    conversations.create("c1", "me", {}, [item("a")])
    responses.put(response("r1", conversation_id="c1"))
    assert conversations.delete("c1", "me") and not conversations.delete("c1", "me")
    assert conversations.get("c1", "me") is None and items_stored(database) == 0
    assert not conversations.add("c1", "me", [item("b")])
    assert ids(responses.history("r1", "me")) == ["r1-asked", "r1-said"]


@pytest.mark.parametrize("use", ["history", "add", "update", "put", "remove_item"])
def test_a_conversation_expires_by_its_last_activity(
    conversations: SqlConversationStore, responses: SqlResponseStore, clock: Clock, use: str
) -> None:
    conversations.create("old", "me", {}, [item("a")])
    conversations.create("kept", "me", {}, [item("a")])
    clock.now += HOUR - 1
    uses: dict[str, Callable[[], Any]] = {
        "history": lambda: conversations.history("kept", "me"),
        "add": lambda: conversations.add("kept", "me", [item("b")]),
        "update": lambda: conversations.update("kept", "me", {}),
        "put": lambda: responses.put(response("r1", conversation_id="kept")),
        "remove_item": lambda: conversations.remove_item("kept", "me", "a"),
    }
    assert uses[use]()
    clock.now += 1
    assert conversations.get("old", "me") is None and conversations.get("kept", "me")
    assert not conversations.add("old", "me", [item("b")])
    assert conversations.item("old", "me", "a") is None
    assert responses.item("b", "me") is None or use == "add"


def test_room_is_made_for_new_ones(
    make_stores: Callable[..., Any], database: Database, clock: Clock
) -> None:
    _, store = make_stores(most=3)
    for name in ("a", "b", "c"):
        store.create(name, "me", {}, [item(name)])
        clock.now += 60
    store.add("a", "me", [item("again")])
    store.create("d", "me", {}, [])
    assert [name for name in "abcd" if store.get(name, "me")] == ["a", "c", "d"]
    clock.now += HOUR
    store.create("e", "me", {}, [])
    assert items_stored(database) == 0


@pytest.mark.parametrize(
    ("bounds", "size"), [({"most_items": 3}, 0), ({"most_bytes": 1000}, 250)], ids=["items", "size"]
)
def test_a_full_conversation_takes_no_more_until_there_is_room(
    make_stores: Callable[..., Any], bounds: dict[str, int], size: int
) -> None:
    _, store = make_stores(**bounds)
    store.create("c1", "me", {}, [item(name, size) for name in "ab"])
    with pytest.raises(InvalidRequest) as caught:
        store.add("c1", "me", [item(name, size) for name in "cd"])
    assert (caught.value.param, caught.value.code) == ("items", "context_length_exceeded")
    assert ids(store.history("c1", "me")) == ["a", "b"], "none of them was added"
    assert store.remove_item("c1", "me", "a")
    assert store.add("c1", "me", [item(name, size) for name in "c"])
    assert ids(store.history("c1", "me")) == ["b", "c"]


def test_the_last_answer_is_stored_before_a_conversation_is_too_long(
    make_stores: Callable[..., Any],
) -> None:
    responses, store = make_stores(most_items=3)
    store.create("c1", "me", {}, [item("a"), item("b")])
    assert responses.put(response("r1", conversation_id="c1"))
    assert len(store.items("c1", "me", Page(None, 10, False))) == 4
    with pytest.raises(InvalidRequest) as caught:
        store.history("c1", "me")
    assert caught.value.param == "conversation"


def test_of_what_is_added_at_once_nothing_is_lost_or_torn(
    conversations: SqlConversationStore, responses: SqlResponseStore
) -> None:
    conversations.create("c1", "me", {}, [])

    def add(number: int) -> None:
        if number % 2:
            pair = [item(f"{number}-asked"), item(f"{number}-said")]
            assert conversations.add("c1", "me", pair)
        else:
            assert responses.put(response(str(number), conversation_id="c1"))

    together(40, add)
    found = ids(conversations.items("c1", "me", Page(None, 100, False))) or []
    assert len(found) == 80
    assert [name.replace("asked", "said") for name in found[::2]] == found[1::2]
    assert sorted(found[1::2]) == sorted(f"{number}-said" for number in range(40))


def test_a_hundred_who_add_at_once_all_find_room(conversations: SqlConversationStore) -> None:
    conversations.create("c1", "me", {}, [])
    together(100, lambda number: conversations.add("c1", "me", [item(str(number))]))
    assert len(conversations.history("c1", "me") or []) == 100
