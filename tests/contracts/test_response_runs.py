"""What every store of responses promises of those that run in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from chat_api.stores.conversations import SqlConversationStore
from chat_api.stores.pages import Page
from chat_api.stores.response_base import JsonObject, StoredResponse
from chat_api.stores.responses import SqlResponseStore
from chat_api.stores.sql import Database
from tests.contracts.helpers import Clock, body, ids, item, response, together

HOUR = 3600.0
LOST = {"code": "server_error", "message": "The server was stopped."}


def begin(store: SqlResponseStore, name: str = "r1", **changes: Any) -> JsonObject:
    running = body(name, status="in_progress")
    store.begin(response(name, body=running, is_background=True, **changes))
    return running


def cancelled(running: JsonObject, number: int) -> tuple[JsonObject, JsonObject]:
    """The body of a cancelled response, and its last event."""
    body = {**running, "status": "cancelled"}
    return body, {"type": "response.incomplete", "sequence_number": number, "response": body}


def events(*numbers: int) -> list[JsonObject]:
    return [{"type": "x", "sequence_number": number, "delta": "\x00é"} for number in numbers]


def status(store: SqlResponseStore, name: str = "r1") -> str:
    found = store.get(name, "me")
    assert found is not None
    return str(found.body["status"])


def test_a_response_that_has_begun_is_there_with_its_input(responses: SqlResponseStore) -> None:
    running = begin(responses, previous_id="r0")
    assert responses.get("r1", "me") == StoredResponse("r1", running, True, None, "r0")
    assert ids(responses.input_items("r1", "me", Page(None, 10, False))) == ["r1-asked"]
    assert responses.events("r1", "me", -1, 10) == []
    responses.begin(response("r2", is_background=True), events(0, 1))
    assert responses.events("r2", "me", -1, 10) == events(0, 1)


def test_its_end_stores_body_output_and_last_events(responses: SqlResponseStore) -> None:
    begin(responses)
    responses.append_events("r1", events(0, 1))
    assert responses.finish("r1", body("r1", "a", "b"), events(2, 3))
    found = responses.get("r1", "me")
    assert found is not None and found.body == body("r1", "a", "b")
    assert responses.events("r1", "me", -1, 10) == events(0, 1, 2, 3)
    assert ids(responses.history("r1", "me")) == ["r1-asked", "a", "b"]
    assert ids(responses.input_items("r1", "me", Page(None, 10, False))) == ["r1-asked"]
    responses.put(response("r2", "r1"))
    assert ids(responses.history("r2", "me")) == ["r1-asked", "a", "b", "r2-asked", "r2-said"]


def test_it_ends_once(responses: SqlResponseStore) -> None:
    begin(responses)
    assert responses.finish("r1", body("r1", "a"))
    assert not responses.finish("r1", body("r1", "b"), events(9))
    assert not responses.append_events("r1", events(9))
    assert responses.beat(["r1"]) == set()
    assert responses.cancel("r1", "me") == body("r1", "a")
    assert status(responses) == "completed" and responses.events("r1", "me", -1, 10) == []


@pytest.mark.parametrize("response_id", ["r2", "", "r1\x00"])
def test_what_never_began_neither_goes_on_nor_ends(
    responses: SqlResponseStore, response_id: str
) -> None:
    begin(responses)
    assert not responses.finish(response_id, body(response_id))
    assert not responses.append_events(response_id, events(0))
    assert status(responses) == "in_progress"


@pytest.mark.parametrize(
    ("after", "most", "numbers"),
    [
        (-1, 10, [0, 1, 2, 5]),
        (0, 10, [1, 2, 5]),
        (0, 2, [1, 2]),
        (3, 10, [5]),
        (5, 10, []),
        (10**30, 10, []),
        (-(10**30), 10, [0, 1, 2, 5]),
    ],
)
def test_events_are_told_from_a_number_on(
    responses: SqlResponseStore, after: int, most: int, numbers: list[int]
) -> None:
    begin(responses)
    begin(responses, "r2")
    responses.append_events("r2", events(7))
    responses.append_events("r1", events(0, 1))
    responses.append_events("r1", [])
    responses.append_events("r1", events(5, 2))
    responses.append_events("r1", events(1, 2))  # again: what became of it was not known
    assert responses.events("r1", "me", after, most) == events(*numbers)
    assert responses.events("r1", "you", after, most) is None


def test_what_is_cancelled_takes_nothing_more(responses: SqlResponseStore) -> None:
    running = begin(responses)
    responses.append_events("r1", events(0))
    assert responses.cancel("r1", "you") is None and status(responses) == "in_progress"
    cancelled = {**running, "status": "cancelled"}
    assert responses.cancel("r1", "me") == cancelled
    assert status(responses) == "cancelled"
    assert not responses.append_events("r1", events(1))
    assert not responses.finish("r1", body("r1", "a"), events(1))
    assert responses.cancel("r1", "me") == cancelled
    last = {"type": "response.incomplete", "sequence_number": 1, "response": cancelled}
    assert responses.events("r1", "me", -1, 10) == [*events(0), last]
    assert ids(responses.history("r1", "me")) == ["r1-asked"]


def test_what_is_deleted_while_it_runs_ends_nowhere(responses: SqlResponseStore) -> None:
    begin(responses)
    assert responses.delete("r1", "me")
    assert not responses.append_events("r1", events(0))
    assert not responses.finish("r1", body("r1", "a"))
    assert responses.beat(["r1"]) == set() and responses.get("r1", "me") is None


def test_a_beat_tells_which_still_run(responses: SqlResponseStore) -> None:
    for name in ("r1", "r2", "r3"):
        begin(responses, name)
    responses.cancel("r2", "me")
    assert responses.beat(["r1", "r2", "r4"]) == {"r1"}
    assert responses.beat([]) == set()


def test_what_nobody_speaks_for_has_failed(responses: SqlResponseStore, clock: Clock) -> None:
    for name in ("silent", "alive", "done"):
        begin(responses, name)
    responses.append_events("silent", events(0, 4))
    responses.finish("done", body("done"))
    clock.now += 20
    begin(responses, "new")
    responses.beat(["alive"])
    clock.now += 10
    assert responses.fail_abandoned(30, LOST) == 1
    failed = {**body("silent", status="failed"), "error": LOST}
    found = responses.get("silent", "me")
    assert found is not None and found.body == failed
    last = {"type": "response.failed", "sequence_number": 5, "response": failed}
    assert responses.events("silent", "me", 4, 10) == [last]
    assert [status(responses, name) for name in ("alive", "done", "new")] == [
        "in_progress",
        "completed",
        "in_progress",
    ]
    assert not responses.append_events("silent", events(6))
    assert not responses.finish("silent", body("silent", "a"))
    assert responses.fail_abandoned(30, LOST) == 0
    clock.now += 30
    assert responses.fail_abandoned(30, LOST) == 2
    (only,) = responses.events("new", "me", -1, 10) or []
    assert (only["type"], only["sequence_number"]) == ("response.failed", 0)


def test_what_runs_neither_expires_nor_makes_room(
    make_stores: Callable[..., Any], clock: Clock
) -> None:
    store, _ = make_stores(most=2)
    begin(store, "a")
    begin(store, "b")
    clock.now += 2 * HOUR
    begin(store, "c")
    store.put(response("d"))
    assert [name for name in "abcd" if store.get(name, "me")] == ["a", "b", "c", "d"]
    assert store.append_events("a", events(0)) and store.finish("a", body("a"))
    assert store.history("a", "me"), "its end is an activity"
    clock.now += HOUR
    store.put(response("e"))
    assert [name for name in "abcde" if store.get(name, "me")] == ["b", "c", "e"]


@pytest.mark.parametrize(
    ("end", "joined"),
    [("completed", ["first", "r1-asked", "a"]), ("failed", ["first"])],
)
def test_its_end_comes_into_the_conversation(
    responses: SqlResponseStore, conversations: SqlConversationStore, end: str, joined: list[str]
) -> None:
    conversations.create("c1", "me", {}, [item("first")])
    begin(responses, conversation_id="c1")
    assert ids(conversations.history("c1", "me")) == ["first"]
    assert responses.finish("r1", body("r1", "a", status=end))
    assert ids(conversations.history("c1", "me")) == joined


def test_it_ends_without_its_conversation_when_that_is_gone(
    responses: SqlResponseStore, conversations: SqlConversationStore
) -> None:
    conversations.create("c1", "me", {}, [])
    begin(responses, conversation_id="c1")
    conversations.delete("c1", "me")
    assert responses.finish("r1", body("r1", "a"))
    assert ids(responses.history("r1", "me")) == ["r1-asked", "a"]


def test_of_many_ends_at_once_exactly_one_counts(responses: SqlResponseStore) -> None:
    for round_number in range(5):
        name = f"r{round_number}"
        begin(responses, name)
        ends: list[str] = []

        def end(number: int, name: str = name, ends: list[str] = ends) -> None:
            if number % 2:
                if responses.finish(name, body(name, f"a{number}"), events(number)):
                    ends.append("completed")
            elif (found := responses.cancel(name, "me")) and found["status"] == "cancelled":
                ends.append("cancelled")

        together(8, end)
        told = status(responses, name)
        assert set(ends) == {told} and ends.count("completed") <= 1
        written = responses.events(name, "me", -1, 10)
        assert written is not None and len(written) == 1


def test_no_event_comes_behind_an_end(responses: SqlResponseStore) -> None:
    begin(responses)
    refused: set[int] = set()

    def work(number: int) -> None:
        if number == 8:
            while not responses.fail_abandoned(0, LOST):
                pass  # it leaves alone what somebody is writing to
        elif not responses.append_events("r1", events(number)):
            refused.add(number)

    together(16, work)
    *before, last = responses.events("r1", "me", -1, 100) or []
    assert last["type"] == "response.failed"
    assert {each["sequence_number"] for each in before} == set(range(16)) - refused - {8}


def test_an_end_waits_for_events_that_are_being_stored(
    responses: SqlResponseStore, database: Database
) -> None:
    begin(responses)
    ended = threading.Event()
    ending = threading.Thread(target=lambda: responses.cancel("r1", "me") and ended.set())

    def on_execute(connection: object, cursor: object, statement: str, *more: object) -> None:
        is_ending = threading.current_thread() is ending
        if statement.startswith("INSERT INTO response_events") and not is_ending:
            ending.start()
            assert not ended.wait(0.2), "a follower who saw the end would miss what comes now"

    event.listen(database.engine, "before_cursor_execute", on_execute)
    assert responses.append_events("r1", events(0))
    event.remove(database.engine, "before_cursor_execute", on_execute)
    ending.join()
    told = responses.events("r1", "me", -1, 10) or []
    assert ended.is_set() and [each["sequence_number"] for each in told] == [0, 1]
