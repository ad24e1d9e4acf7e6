"""What every store of responses promises of those that have ended, on every database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from chat_api.errors import InvalidRequest
from chat_api.stores import schema
from chat_api.stores.conversations import SqlConversationStore
from chat_api.stores.pages import Page
from chat_api.stores.response_base import StoredResponse
from chat_api.stores.responses import SqlResponseStore
from chat_api.stores.sql import Database
from tests.contracts.helpers import Clock, body, ids, item, response, together

HOUR = 3600.0
ODD_TEXT = "NUL \x00, quotes '\"; DROP TABLE responses; --, emoji 🐚, \\u0000, 漢字"


def rows_of(database: Database, *tables: str) -> int:
    counts = [
        select(func.count()).select_from(schema.metadata.tables[name]).scalar_subquery()
        for name in tables
    ]
    return database.read(lambda connection: sum(connection.execute(select(*counts)).one()))


def kept(store: SqlResponseStore, *names: str) -> list[str]:
    return [name for name in names if store.get(name, "me")]


def test_a_response_comes_back_as_it_went(responses: SqlResponseStore) -> None:
    told = {"id": "r1", "status": "completed", "output": [], "metadata": {"k": ODD_TEXT}}
    row = response("r1", "r0", body=told, conversation_id=None, is_background=True)
    assert responses.put(row)
    assert responses.get("r1", "me") == StoredResponse("r1", told, True, None, "r0")
    assert list(responses.get("r1", "me").body) == list(told), "the order of its fields too"  # type: ignore[union-attr]


def test_items_come_back_as_they_went(responses: SqlResponseStore) -> None:
    odd = {"id": ODD_TEXT, "type": "message", "content": ODD_TEXT, "more": [1, 2.5, None]}
    long = item("x" * 10_000)
    assert responses.put(response("r1", input_items=[odd, long]))
    assert responses.input_items("r1", "me", Page(None, 10, False)) == [odd, long]
    assert responses.input_items("r1", "me", Page(ODD_TEXT, 10, False)) == [long]
    assert responses.item(ODD_TEXT, "me") == odd and responses.item(long["id"], "me") == long


@pytest.mark.parametrize(
    ("response_id", "owner"),
    [
        *[(odd, "me") for odd in ("r2", "", "R1", "r1' OR '1'='1", "r1\x00", "x" * 10_000)],
        *[("r1", owner) for owner in ("", "you", "ME", "me ")],
    ],
)
def test_what_is_not_there_or_another_owners_is_not_found(
    responses: SqlResponseStore, response_id: str, owner: str
) -> None:
    responses.put(response("r1"))
    assert responses.get(response_id, owner) is None
    assert responses.history(response_id, owner) is None
    assert responses.input_items(response_id, owner, Page(None, 10, False)) is None
    assert responses.events(response_id, owner, -1, 10) is None
    assert responses.cancel(response_id, owner) is None
    assert not responses.delete(response_id, owner)
    assert responses.get("r1", "me")


@pytest.mark.parametrize(
    ("after", "limit", "descending", "found"),
    [
        (None, 10, False, ["a", "b", "c", "d"]),
        (None, 10, True, ["d", "c", "b", "a"]),
        (None, 2, False, ["a", "b"]),
        ("b", 10, False, ["c", "d"]),
        ("b", 10, True, ["a"]),
        ("d", 10, False, []),
        ("a", 10, True, []),
    ],
)
def test_input_items_come_in_pages(
    responses: SqlResponseStore,
    after: str | None,
    limit: int,
    descending: bool,
    found: list[str],
) -> None:
    responses.put(response("r1", input_items=[item(name) for name in "abcd"]))
    assert ids(responses.input_items("r1", "me", Page(after, limit, descending))) == found


@pytest.mark.parametrize("descending", [False, True])
def test_pages_end_also_where_an_id_repeats(responses: SqlResponseStore, descending: bool) -> None:
    responses.put(response("r1", input_items=[item(name) for name in "abab"]))
    after, pages = None, []
    while page := responses.input_items("r1", "me", Page(after, 1, descending)):
        after = page[-1]["id"]
        pages.append(after)
    assert set(pages) == {"a", "b"} and len(pages) <= 4


@pytest.mark.parametrize("after", ["z", "", "r1-said", "r2-asked", "\x00"])
def test_a_page_behind_what_is_no_input_of_it_is_refused(
    responses: SqlResponseStore, after: str
) -> None:
    responses.put(response("r1"))
    responses.put(response("r2"))
    with pytest.raises(InvalidRequest) as caught:
        responses.input_items("r1", "me", Page(after, 10, False))
    assert caught.value.param == "after"


def test_a_history_is_input_and_output_of_all_before(responses: SqlResponseStore) -> None:
    responses.put(response("r1"))
    responses.put(response("r2", "r1", input_items=[]))
    responses.put(response("r3", "r2", body=body("r3")))
    responses.put(response("other", "r1"))
    assert ids(responses.history("r1", "me")) == ["r1-asked", "r1-said"]
    assert ids(responses.history("r2", "me")) == ["r1-asked", "r1-said", "r2-said"]
    assert ids(responses.history("r3", "me")) == ["r1-asked", "r1-said", "r2-said", "r3-asked"]
    assert len(responses.history("other", "me") or []) == 4


def test_a_response_without_any_item_has_an_empty_history(responses: SqlResponseStore) -> None:
    responses.put(response("r1", input_items=[], body=body("r1")))
    assert responses.history("r1", "me") == []


def test_there_is_no_history_through_what_is_gone_runs_or_is_anothers(
    responses: SqlResponseStore,
) -> None:
    for number in range(1, 4):
        responses.put(response(f"r{number}", f"r{number - 1}" if number > 1 else None))
    assert responses.delete("r2", "me")
    assert responses.history("r3", "me") is None
    assert ids(responses.history("r1", "me")) == ["r1-asked", "r1-said"]
    responses.begin(response("running"))
    responses.put(response("r4", "running"))
    assert responses.history("running", "me") is None and responses.history("r4", "me") is None
    responses.put(response("yours", owner="you"))
    responses.put(response("r5", "yours"))
    assert responses.history("r5", "me") is None


def test_a_long_chain_is_one_history(make_stores: Callable[..., Any]) -> None:
    store, _ = make_stores(most=300, most_items=400)
    for number in range(200):
        store.put(response(f"r{number}", f"r{number - 1}" if number else None))
    found = ids(store.history("r199", "me"))
    assert found == [f"r{n}-{kind}" for n in range(200) for kind in ("asked", "said")]


@pytest.mark.parametrize("bounds", [{"most_items": 5}, {"most_bytes": 500}])
def test_what_has_become_too_long_cannot_be_gone_on_from(
    make_stores: Callable[..., Any], bounds: dict[str, int]
) -> None:
    store, _ = make_stores(**bounds)
    for number in range(3):
        store.put(response(f"r{number}", f"r{number - 1}" if number else None))
    assert len(store.history("r1", "me")) == 4
    with pytest.raises(InvalidRequest) as caught:
        store.history("r2", "me")
    assert caught.value.param == "previous_response_id"
    assert caught.value.code == "context_length_exceeded"


def test_a_chain_of_nothing_is_bound_too(make_stores: Callable[..., Any]) -> None:
    store, _ = make_stores(most_items=3)
    for number in range(1, 6):
        previous = f"r{number - 1}" if number > 1 else None
        store.put(response(f"r{number}", previous, input_items=[], body=body(f"r{number}")))
    assert store.history("r3", "me") == []
    for too_long in ("r4", "r5"):
        with pytest.raises(InvalidRequest):
            store.history(too_long, "me")


def test_a_chain_as_long_as_may_be_needs_its_beginning_too(
    make_stores: Callable[..., Any],
) -> None:
    store, _ = make_stores(most_items=2)
    for number in (1, 2):
        row = response(f"r{number}", f"r{number - 1}", input_items=[], body=body(f"r{number}"))
        store.put(row)
    assert store.history("r2", "me") is None


def test_what_is_deleted_leaves_nothing_behind(
    responses: SqlResponseStore, database: Database
) -> None:
    responses.begin(response("r1"))
    responses.append_events("r1", [{"sequence_number": 0}])
    responses.finish("r1", body("r1", "said"))
    assert responses.delete("r1", "me") and not responses.delete("r1", "me")
    assert responses.get("r1", "me") is None and responses.item("said", "me") is None
    assert rows_of(database, "responses", "response_items", "response_events") == 0


def test_a_response_expires_by_its_last_activity(
    responses: SqlResponseStore, database: Database, clock: Clock
) -> None:
    responses.put(response("old"))
    responses.put(response("first"))
    responses.put(response("second", "first"))
    clock.now += HOUR - 1
    assert responses.history("second", "me")  # which keeps both
    clock.now += 1
    assert kept(responses, "old", "first", "second") == ["first", "second"]
    assert responses.history("old", "me") is None and not responses.delete("old", "me")
    assert responses.item("old-asked", "me") is None and responses.item("first-said", "me")
    responses.put(response("new"))  # clears away what expired
    assert rows_of(database, "responses") == 3 and rows_of(database, "response_items") == 6


def test_above_the_bound_the_oldest_activity_goes(
    make_stores: Callable[..., Any], clock: Clock
) -> None:
    store, _ = make_stores(most=3)
    for name in ("a", "b", "c"):
        store.put(response(name))
        clock.now += 60
    assert store.history("a", "me")
    clock.now += 60
    store.put(response("d"))
    assert kept(store, *"abcd") == ["a", "c", "d"]
    make_stores(most=2)[0].put(response("e"))
    assert kept(store, *"abcde") == ["d", "e"]


def test_a_large_bound_is_kept_though_room_is_made_now_and_then(
    make_stores: Callable[..., Any], database: Database
) -> None:
    store, _ = make_stores(most=3000)
    store.put(response("r"))
    fields = [column for column in schema.responses.c if column.name != "id"]
    for step in range(12):  # twice as many each time
        copies = select(schema.responses.c.id + f"-{step}", *fields)
        into = insert(schema.responses).from_select(["id", *(f.name for f in fields)], copies)
        database.write(lambda connection, into=into: connection.execute(into))
    counts = []
    for number in range(9):
        store.put(response(f"r{number}"))
        counts.append(rows_of(database, "responses"))
    assert max(counts[:2]) > 3000 and max(counts[2:]) <= 3000
    assert len(kept(store, *(f"r{number}" for number in range(9)))) == 9


def test_an_item_is_found_by_its_owner_and_the_newest_of_its_id(
    responses: SqlResponseStore, conversations: SqlConversationStore, clock: Clock
) -> None:
    responses.put(response("r1", input_items=[item("m", size=1)]))
    assert responses.item("m", "me") == item("m", size=1)
    assert responses.item("m", "you") is None and responses.item("M", "me") is None
    clock.now += 1
    conversations.create("c1", "me", {}, [item("m", size=2)])
    assert responses.item("m", "me") == item("m", size=2)
    clock.now += 1
    responses.put(response("r2", input_items=[item("m", size=3), item("m", size=4)]))
    responses.put(response("r3", owner="you", input_items=[item("m", size=5)]))
    assert responses.item("m", "me") == item("m", size=4)
    responses.delete("r2", "me")
    assert responses.item("m", "me") == item("m", size=2)


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_input_and_output_come_into_the_conversation(
    responses: SqlResponseStore, conversations: SqlConversationStore, status: str
) -> None:
    conversations.create("c1", "me", {}, [item("first")])
    told = body("r1", "said", status=status)
    assert responses.put(response("r1", body=told, conversation_id="c1"))
    assert ids(conversations.history("c1", "me")) == ["first", "r1-asked", "said"]
    assert ids(responses.history("r1", "me")) == ["r1-asked", "said"]
    responses.delete("r1", "me")
    assert len(conversations.history("c1", "me") or []) == 3


def test_a_failed_response_leaves_its_conversation_as_it_is(
    responses: SqlResponseStore, conversations: SqlConversationStore
) -> None:
    conversations.create("c1", "me", {}, [])
    assert responses.put(response("r1", body=body("r1", status="failed"), conversation_id="c1"))
    assert responses.get("r1", "me") and conversations.history("c1", "me") == []


@pytest.mark.parametrize("conversation_id", ["gone", "yours", "old", "\x00"])
def test_nothing_is_stored_when_the_conversation_is_gone(
    responses: SqlResponseStore,
    conversations: SqlConversationStore,
    clock: Clock,
    conversation_id: str,
) -> None:
    conversations.create("old", "me", {}, [])
    clock.now += HOUR
    conversations.create("yours", "you", {}, [])
    assert not responses.put(response("r1", conversation_id=conversation_id))
    assert responses.get("r1", "me") is None and responses.item("r1-asked", "me") is None


def test_responses_put_at_once_are_all_there(responses: SqlResponseStore) -> None:
    responses.put(response("first"))

    def go_on(number: int) -> None:
        assert responses.history("first", "me")
        assert responses.put(response(f"r{number}", "first"))

    together(16, go_on)
    for number in range(16):
        assert len(responses.history(f"r{number}", "me") or []) == 4


def test_many_who_go_on_from_the_same_do_not_lock_each_other(
    responses: SqlResponseStore, clock: Clock
) -> None:
    for number in range(30):
        responses.put(response(f"r{number}", f"r{number - 1}" if number else None))
    clock.now += HOUR / 2
    together(16, lambda number: len(responses.history(f"r{14 + number}", "me") or []))
    clock.now += HOUR / 2
    assert len(responses.history("r29", "me") or []) == 60
