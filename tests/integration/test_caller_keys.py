"""A key in the body of a request: to OpenAI, for one call, and then it was never there."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import chunk, frame
from tests.integration.stage import Script, Stage, caller_left, refuse
from tests.integration.wire import Call, Reply, get, log_line, send
from tests.ollama_wire import root, speak
from tests.ports import free_port
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server, gunicorn

CANARY = "canaryOfTheCaller"
KEY = f"sk-proj-{CANARY}".ljust(164, "_")
BEARER = f"Bearer {KEY}"


@pytest.fixture(scope="module")
def openai() -> Iterator[ScriptedUpstream]:
    """Where OPENAI_BASE_URL points to."""
    with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server runs, with its log and its store."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(openai: ScriptedUpstream, folder: Path) -> Iterator[Server]:
    """A server with two workers whose default upstream is another one."""
    with gunicorn(
        folder,
        UPSTREAM="mock",
        OPENAI_BASE_URL=openai.url,
        OPENAI_API_KEY="sk-canary-server-key",
        OPENAI_ORG_ID="org-of-the-server",
        OPENAI_PROJECT_ID="proj-of-the-server",
        OPENAI_MODEL="model-of-the-mock",
        WEB_CONCURRENCY="2",
        UPSTREAM_TIMEOUT="2",
        LOG_LEVEL="debug",
    ) as server:
        yield server


@pytest.fixture
def stage(openai: ScriptedUpstream) -> Iterator[Stage]:
    yield Stage(openai)
    openai.script = answer_plainly


def chat(server: Server, **body: Any) -> Reply:
    return send(server, "/api/chat", {"user_message": "Hi", "api_key": KEY, **body})


def judge(server: Server, key: Any = KEY) -> Reply:
    return send(server, "/api/test-key", {"api_key": key})


def break_off(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(frame(chunk({"content": "Hel"})))
    exchange.connection.shutdown(socket.SHUT_RDWR)


def test_the_key_goes_to_openai_whoever_answers_otherwise(server: Server, stage: Stage) -> None:
    reply = chat(server)
    assert (reply.status, reply.body, reply.headers["x-upstream"]) == (200, b"Hello!", "openai")
    assert chat(server, model="my-finetune").status == 200
    session_id = reply.headers["X-Session-ID"]
    without = send(server, "/api/chat", {"user_message": "More", "session_id": session_id})
    assert (without.body, without.headers["x-upstream"]) == (b"You said: More", "mock")
    chats = [exchange for exchange in stage.exchanges if exchange.raw]  # beside lists of models
    assert [exchange.headers["authorization"] for exchange in chats] == [BEARER] * 2
    assert [exchange.json["model"] for exchange in chats] == ["gpt-4o-mini", "my-finetune"]
    assert "of-the-server" not in str([exchange.headers for exchange in chats])
    assert CANARY not in str([exchange.json for exchange in chats])


def test_ollama_never_sees_it(tmp_path: Path, stage: Stage, scripted: ScriptedUpstream) -> None:
    scripted.script = speak
    options = {"UPSTREAM": "ollama", "OLLAMA_URL": root(scripted), "OPENAI_BASE_URL": stage.url}
    with gunicorn(tmp_path, WEB_CONCURRENCY="1", **options) as server:
        assert chat(server, model="llama3").body == b"Hello!"
        assert judge(server).status == 200
        used = [exchange.headers["authorization"] for exchange in stage.exchanges if exchange.raw]
        assert used == [BEARER]
        assert not any("authorization" in exchange.headers for exchange in scripted.exchanges)
        assert not any(exchange.raw for exchange in scripted.exchanges), "it was asked to chat"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (401, "Incorrect API key provided: the upstream refused it."),
        (403, "The upstream refused the key."),
    ],
)
def test_what_openai_thinks_of_the_key_is_told(
    server: Server, stage: Stage, status: int, text: str
) -> None:
    stage.play(refuse(status, {"error": {"message": f"Incorrect API key provided: {KEY}."}}))
    assert (chat(server).status, chat(server).json) == (
        status,
        {"detail": text},
    )
    message = "Authentication failed. Please check your API key."
    reply = judge(server)
    assert (reply.status, reply.json) == (401, {"valid": False, "message": message})


def test_a_key_is_tested_by_one_free_call(server: Server, stage: Stage) -> None:
    reply = judge(server)
    assert (reply.status, reply.json["valid"]) == (200, True)
    (exchange,) = stage.exchanges
    assert exchange.request_line == "GET /v1/models HTTP/1.1"
    assert exchange.headers["authorization"] == BEARER
    assert "of-the-server" not in str(exchange.headers)


FAILURES: dict[str, tuple[Script, int]] = {
    "429": (refuse(429, {"error": {"message": f"Slow, {KEY}!"}}, "Retry-After: 7\r\n"), 429),
    "500": (refuse(500), 502),
    "503": (refuse(503, headers="Retry-After: 7\r\n"), 503),
    "redirect": (refuse(307, b"", "Location: http://127.0.0.1:1/v1/models\r\n"), 502),
    "nonsense": (refuse(200, b"<html>"), 502),
    "hung up": (lambda exchange: exchange.connection.shutdown(socket.SHUT_RDWR), 502),
    "silent": (Exchange.wait_until_caller_leaves, 504),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_what_could_not_be_found_out_is_an_error(server: Server, stage: Stage, kind: str) -> None:
    script, status = FAILURES[kind]
    stage.play(script)
    reply = judge(server)
    assert (reply.status, set(reply.json)) == (status, {"detail"})
    assert reply.headers["Retry-After"] == ("7" if status in (429, 503) else None)
    assert len(stage.exchanges) <= 2, "once more only where a kept connection turned out dead"


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    with gunicorn(tmp_path, UPSTREAM="mock", OPENAI_BASE_URL=url, WEB_CONCURRENCY="1") as server:
        assert judge(server).status == chat(server).status == 502


def test_who_leaves_ends_the_test_of_a_key(server: Server, stage: Stage) -> None:
    stage.play(Exchange.wait_until_caller_leaves)
    for took in stage.rounds():
        with Call(server, "/api/test-key", {"api_key": KEY}) as call:
            exchange = stage.exchange()
            left_at = time.monotonic()
        took.append(caller_left(exchange) - left_at)
        assert log_line(server, call)["outcome"] == "CallerGone"


def test_afterwards_it_is_nowhere(server: Server, stage: Stage, folder: Path) -> None:
    """Good, refused, broken and misplaced, then looked for in every byte there is."""
    replies = [chat(server), judge(server)]
    session_id = replies[0].headers["X-Session-ID"]
    words = {"error": {"message": f"Bad key {KEY}", "code": KEY, "param": "x", "type": "y"}}
    for status in (400, 401, 404, 429, 500):
        stage.play(refuse(status, words, "x-should-retry: false\r\n"))
        replies += [chat(server, session_id=session_id), judge(server)]
    stage.play(break_off)
    with Call(server, "/api/chat", {"user_message": "Hi", "api_key": KEY}) as call:
        assert call.reply.status == 200
    log_line(server, call)
    replies += [chat(server, user_message=""), chat(server, session_id="x"), chat(server, model=5)]
    for wrong in (KEY + "x", [KEY], {KEY: KEY}):
        replies += [judge(server, wrong), chat(server, api_key=wrong)]
    pages = ("/", "/info", "/models", "/v1/models", "/health/ready", f"/api/sessions/{session_id}")
    replies += [get(server, path) for path in pages]
    for reply in replies:
        assert CANARY not in f"{reply.body!r} {reply.headers.items()}"
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert {".sqlite3", ".log"} <= {file.suffix for file in files}
    for file in files:
        assert CANARY.encode() not in file.read_bytes(), file
