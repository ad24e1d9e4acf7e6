"""`/api/chat` over a real server: sessions that are made, gone on with, and never half written."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from chat_api.stores.engines import FILE_NAME
from tests.fakes import chunk, frame
from tests.integration.doors import data_of, frames_of, text_of
from tests.integration.stage import Stage, caller_left, refuse
from tests.integration.wire import Call, Reply, get, log_line, send, wait_for
from tests.scripted import Exchange
from tests.servers import Server, gunicorn

PATH = "/api/chat"
EVENTS = {"Accept": "text/event-stream"}


def say(server: Server, text: str = "Hi", **body: Any) -> Reply:
    return send(server, PATH, {"user_message": text, **body})


def session(server: Server, session_id: str | None) -> Any:
    return get(server, f"/api/sessions/{session_id}").json


def texts(server: Server, session_id: str | None) -> list[str]:
    return [message["content"] for message in session(server, session_id)["messages"]]


def active(server: Server) -> int:
    with contextlib.closing(sqlite3.connect(server.folder / "data" / FILE_NAME)) as file:
        count: int = file.execute("SELECT count(*) FROM sessions").fetchone()[0]
    return count


def halve(exchange: Exchange) -> None:
    """One piece, then the end of the connection."""
    exchange.start_stream()
    exchange.chunk(frame(chunk({"content": "Hel"})))
    time.sleep(0.2)  # so that the piece leaves on its own
    exchange.connection.shutdown(socket.SHUT_RDWR)


def fall_silent(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(frame(chunk({"content": "Hel"})))
    exchange.wait_until_caller_leaves()


def test_a_conversation_goes_on_at_every_door_in_any_worker(relay: Server, stage: Stage) -> None:
    reply = say(relay, "one", developer_message="Be brief.")
    assert (reply.status, reply.body) == (200, b"Hello!")
    session_id = reply.headers["X-Session-ID"]
    assert say(relay, "two", session_id=session_id).headers["X-Session-ID"] == session_id
    body = {"message": "three", "session_id": session_id}
    assert send(relay, "/chat", body).status == send(relay, "/chat/stream", body).status == 200
    assert texts(relay, session_id)[::2] == ["one", "two", "three", "three"]
    sent = [exchange.json["messages"] for exchange in stage.exchanges]
    assert [len(messages) for messages in sent] == [2, 4, 6, 8]
    assert all(message[0]["content"] == "Be brief." for message in sent)


def test_events_name_the_session_too(relay: Server, stage: Stage) -> None:
    reply = send(relay, PATH, {"user_message": "Hi"}, headers=EVENTS)
    assert reply.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    frames = frames_of(reply.body)
    assert text_of(frames) == "Hello!" and data_of(frames)[-1]["done"] is True
    assert texts(relay, reply.headers["X-Session-ID"]) == ["Hi", "Hello!"]


def test_a_developer_message_is_replaced_while_the_answer_is_on_its_way(
    relay: Server, stage: Stage
) -> None:
    session_id = say(relay, developer_message="Be brief.").headers["X-Session-ID"]
    stage.play(fall_silent)
    body = {"user_message": "Hi", "session_id": session_id, "developer_message": "Be long."}
    with Call(relay, PATH, body) as call:
        assert call.reply.status == 200
        assert session(relay, session_id)["developer_message"] == "Be long."
    assert stage.exchanges[1].json["messages"][0]["content"] == "Be long."


@pytest.mark.usefixtures("unharmed")
def test_of_a_broken_answer_nothing_is_stored(relay: Server, stage: Stage) -> None:
    session_id = say(relay).headers["X-Session-ID"]
    stage.play(halve)
    with Call(relay, PATH, {"user_message": "More", "session_id": session_id}) as call:
        with pytest.raises(http.client.IncompleteRead):
            call.reply.read()
    assert log_line(relay, call)["outcome"] == "UpstreamBroken"
    assert texts(relay, session_id) == ["Hi", "Hello!"]


@pytest.mark.usefixtures("unharmed")
def test_a_session_deleted_midway_breaks_the_transfer(relay: Server, stage: Stage) -> None:
    go_on = threading.Event()

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(frame(chunk({"content": "Hel"})))
        assert go_on.wait(10)
        exchange.chunk(frame(chunk({"content": "lo"}, "stop")) + b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")

    stage.play(script)
    with Call(relay, PATH, {"user_message": "Hi"}) as call:
        path = f"/api/sessions/{call.reply.headers['X-Session-ID']}"
        assert send(relay, path, method="DELETE").status == 200
        go_on.set()
        with pytest.raises(http.client.IncompleteRead) as caught:
            call.reply.read()
        assert caught.value.partial == b"Hello"
    assert log_line(relay, call)["outcome"] == "SessionNotFound"
    assert get(relay, path).status == 404


def test_who_leaves_finds_the_session_without_the_exchange(relay: Server, stage: Stage) -> None:
    stage.play(fall_silent)
    for took in stage.rounds():
        with Call(relay, PATH, {"user_message": "Hi"}) as call:
            session_id = call.reply.headers["X-Session-ID"]
            assert call.reply.read(3) == b"Hel"
            left_at = time.monotonic()
        took.append(caller_left(stage.exchange()) - left_at)
        assert log_line(relay, call)["outcome"] == "CallerGone"
        assert texts(relay, session_id) == []


def test_a_refused_call_leaves_no_session_behind(relay: Server, stage: Stage) -> None:
    before = active(relay)
    stage.play(refuse(400))
    assert say(relay).status == 400
    for odd in ("x", "A" * 24, "A" * 10_000, "' OR '1'='1", "../../etc/passwd", "\x00", "🐚"):
        reply = say(relay, session_id=odd)
        assert (reply.status, reply.json) == (404, {"detail": "Session not found"})
    for wrong in ({"user_message": 5}, {"api_key": []}, {"session_id": {}}, {"model": "x" * 300}):
        assert say(relay, **wrong).status == 400
    assert send(relay, PATH, {"user_message": "x" * 5_000_000}).status == 400
    assert active(relay) == before


def test_kill_9_of_everything_loses_no_exchange_whose_end_was_seen(tmp_path: Path) -> None:
    settings = {"UPSTREAM": "mock", "WEB_CONCURRENCY": "2"}
    acknowledged: dict[str, list[str]] = {}

    def talk(server: Server, session_id: str) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):  # the death of the server
            while True:
                text = f"m{len(acknowledged[session_id])}"
                if say(server, text, session_id=session_id).body == f"You said: {text}".encode():
                    acknowledged[session_id].append(text)

    with gunicorn(tmp_path, **settings) as server:
        for _ in range(4):
            acknowledged[say(server, "m0").headers["X-Session-ID"] or ""] = ["m0"]
        threads = [threading.Thread(target=talk, args=(server, key)) for key in acknowledged]
        for thread in threads:
            thread.start()
        wait_for(lambda: sum(map(len, acknowledged.values())) >= 60)
        os.killpg(server.process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()

    with gunicorn(tmp_path, **settings) as server:
        for session_id, said in acknowledged.items():
            stored = texts(server, session_id)
            assert stored[::2][: len(said)] == said and len(stored) <= 2 * len(said) + 2
            assert stored[1::2] == [f"You said: {text}" for text in stored[::2]]


def test_without_a_place_for_the_store_the_upstream_is_let_go(tmp_path: Path, stage: Stage) -> None:
    stage.play(fall_silent)
    options = {"OPENAI_BASE_URL": stage.url, "DATA_DIR": "/dev/null/data", "WEB_CONCURRENCY": "1"}
    with gunicorn(tmp_path, **options) as server:
        reply = say(server)
        assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
        assert reply.headers["X-Session-ID"] is None and "store" in reply.json["detail"]
        assert caller_left(stage.exchange())
