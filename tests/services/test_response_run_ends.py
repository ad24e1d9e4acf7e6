"""Responses in the background: what is told of their ends, of whichever kind."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from chat_api import errors
from chat_api.services.clients import Client
from chat_api.settings import Settings
from chat_api.wiring import Services, build_services
from tests.fakes import FakeUpstream, WatchedUpstream, chunk, chunks
from tests.integration.wire import wait_for

ME = Client(owner="me")
LAST = ("response.completed", "response.failed", "response.incomplete")


def told(services: Services, **request: Any) -> list[dict[str, Any]]:
    """All events of a streamed response, numbered without a gap and ended once."""
    stream = services.responses.stream({"input": "Hi", "stream": True, **request}, ME)
    events: list[dict[str, Any]] = []
    try:
        for batch in stream:
            events += batch
    except errors.ChatApiError as failure:
        events += stream.fail(failure)
    stream.close()
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    assert [e["type"] in LAST for e in events].count(True) == 1
    assert events[-1]["type"] in LAST
    return events


@pytest.mark.parametrize("background", [True, False])
def test_who_lost_its_session_has_failed_and_was_never_completed(
    settings: Settings, background: bool
) -> None:
    upstream = WatchedUpstream(lambda: services.sessions.delete(session_id, ME))
    services = build_services(settings, upstream)
    session_id = services.sessions.create({}, ME)["session_id"]
    upstream.enqueue(chunks("Hi"))
    events = told(services, background=background, conversation=session_id)
    last = events[-1]
    assert last["type"] == "response.failed"
    assert last["response"]["error"]["message"] == "Session not found"
    assert last["response"]["completed_at"] is None
    assert events[-2]["type"] == "response.output_item.done"
    assert services.responses.retrieve(last["response"]["id"], ME) == last["response"]
    services.database.close()


def test_a_stream_that_cannot_be_stored_has_no_gap(upstream: FakeUpstream, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    services = build_services(Settings(data_dir=str(tmp_path / "file" / "data")), upstream)
    upstream.enqueue(chunks("Hi"))
    events = told(services)
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"]["code"] == "server_error"


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (errors.UpstreamRefused("No image.", 400), "invalid_prompt"),
        (errors.UpstreamRefused("Too long.", 413), "invalid_prompt"),
        (errors.UpstreamRefused("No such model.", 404), "server_error"),
        (errors.UpstreamRateLimited("Too many.", 429), "rate_limit_exceeded"),
        (errors.UpstreamFailed("The upstream failed."), "server_error"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failed_response_says_whose_fault_it_was(
    services: Services, upstream: FakeUpstream, refusal: Exception, code: str
) -> None:
    upstream.enqueue(*[[refusal]] * 3)
    last = told(services, background=True)[-1]
    assert last["response"]["error"] == {"code": code, "message": str(refusal)}


@pytest.mark.parametrize("statement", ["INSERT INTO response_events", "UPDATE responses"])
def test_a_store_that_is_away_for_a_moment_costs_nothing(
    services: Services, upstream: FakeUpstream, statement: str
) -> None:
    failures: list[str] = []

    def fail_twice(connection: object, cursor: object, asked: str, *more: object) -> None:
        if asked.startswith(statement) and upstream.streams and len(failures) < 2:
            failures.append(asked)
            raise sqlite3.OperationalError("disk I/O error")

    upstream.enqueue([chunk({"content": "Hel"}), 0.3, chunk({"content": "lo!"}), chunk({}, "stop")])
    engine = services.database.engine
    event.listen(engine, "before_cursor_execute", fail_twice)
    created = services.responses.create({"input": "Hi", "background": True}, ME, is_kept=True)
    response_id = created["id"]
    wait_for(lambda: services.responses.retrieve(response_id, ME)["status"] == "completed")
    event.remove(engine, "before_cursor_execute", fail_twice)
    assert len(failures) == 2
    query = {"include_obfuscation": True}
    events = [e for batch in services.responses.replay(response_id, query, ME) for e in batch]
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    assert "".join(e["delta"] for e in events if "delta" in e) == "Hello!"


def test_a_model_that_nobody_has_is_refused_at_once(upstream: FakeUpstream) -> None:
    settings = Settings(stream_heartbeat_seconds=0, allowed_models=("gpt-4o*",))
    services = build_services(settings, upstream)
    request = {"input": "Hi", "model": "other", "background": True}
    with pytest.raises(errors.ModelNotFound):
        services.responses.create(request, ME, is_kept=True)
    services.database.close()


def test_the_last_event_of_a_cancelled_response_may_be_started_after(
    services: Services, upstream: FakeUpstream
) -> None:
    goes_on = threading.Event()
    upstream.enqueue([chunk({"content": "Hel"}), goes_on, chunk({}, "stop")])
    created = services.responses.create({"input": "Hi", "background": True}, ME, is_kept=True)
    services.responses.cancel(created["id"], ME)
    query = {"include_obfuscation": True}
    events = [e for batch in services.responses.replay(created["id"], query, ME) for e in batch]
    assert events[-1]["response"]["status"] == "cancelled"
    query["starting_after"] = events[-1]["sequence_number"]
    assert list(services.responses.replay(created["id"], query, ME)) == []
    query["starting_after"] += 1
    with pytest.raises(errors.InvalidRequest) as caught:
        services.responses.replay(created["id"], query, ME)
    assert caught.value.param == "starting_after"
    goes_on.set()
    wait_for(lambda: upstream.streams and services.gateway.admissions.in_flight == 0)


def test_a_replay_leaves_the_padding_out_where_that_is_asked(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("Hel", "lo!"))
    made = told(services, background=True)
    query = {"include_obfuscation": False}
    response_id = made[0]["response"]["id"]
    events = [e for batch in services.responses.replay(response_id, query, ME) for e in batch]
    assert any("obfuscation" in e for e in made)
    assert events == [{n: v for n, v in e.items() if n != "obfuscation"} for e in made]
