"""Settings as their effects show on a real server: names, bounds, `.env`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import chunk, frame
from tests.integration.doors import (
    CHAT,
    DOORS,
    RESPONSES,
    RESPONSES_STREAM,
    STREAMED,
    V1,
    V1_STREAM,
    text_of,
)
from tests.integration.stage import wait_without_silence
from tests.integration.wire import Call, ask, assert_refused, get, send, wait_for
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server, gunicorn

DOTENV = """
OPENAI_API_BASE={url}
OPENAI_API_KEY_CYB_SEC=sk-canary-from-the-file
DEFAULT_MODEL=from-the-file
ALLOWED_MODELS=from-*, gpt-4o
MODELS=live
MAX_SESSIONS=3
MAX_SESSION_MESSAGES=4
MAX_STREAMS=9
WEB_CONCURRENCY=1
"""


@pytest.fixture(autouse=True)
def plain(upstream: ScriptedUpstream) -> None:
    """A test that changes the script need not put it back."""
    upstream.script = answer_plainly


@pytest.fixture(scope="module")
def told(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that was told most by a `.env` in its working directory, by the other names."""
    folder = tmp_path_factory.mktemp("told")
    (folder / ".env").write_text(DOTENV.format(url=upstream.url))
    with gunicorn(folder, MAX_STREAMS="2") as server:
        yield server


def begin(server: Server, **body: str) -> str:
    session_id: str = send(server, "/api/sessions", body).json["session_id"]
    return session_id


def status_of(server: Server, session_id: str) -> int:
    return get(server, f"/api/sessions/{session_id}").status


def test_a_dotenv_file_and_the_other_names_are_read(
    told: Server, upstream: ScriptedUpstream
) -> None:
    assert ask(told, V1).status == 200
    asked = upstream.exchanges[-1]
    assert asked.json["model"] == "from-the-file"
    assert asked.headers["authorization"] == "Bearer sk-canary-from-the-file"
    assert len(told.workers()) == 1


def test_live_models_are_what_the_upstream_offers_and_the_default(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    with gunicorn(tmp_path, OPENAI_BASE_URL=upstream.url, MODELS="live", OPENAI_MODEL="m") as live:
        told = get(live, "/models").json
        assert (told["models"], told["default"]) == (["gpt-4o-mini", "m"], "m")


def test_a_model_that_is_not_allowed_is_not_found(told: Server, upstream: ScriptedUpstream) -> None:
    before = len(upstream.exchanges)
    for door in DOORS:
        reply = ask(told, door, model="o3")
        assert_refused(door, reply, 404)
        if door.openai:
            assert reply.json["error"]["code"] == "model_not_found"
        assert send(told, door.path, door.body(model="from-other")).status == 200
    assert len(upstream.exchanges) == before + len(DOORS)


def test_a_retired_name_is_answered_by_its_successor_and_told(
    told: Server, upstream: ScriptedUpstream
) -> None:
    for door in DOORS:
        reply = ask(told, door, model="gpt-4")
        assert (reply.status, reply.headers["x-model-alias"]) == (200, "gpt-4")
        assert upstream.exchanges[-1].json["model"] == "gpt-4o"
        assert ask(told, door, model="gpt-4o").headers["x-model-alias"] is None


def test_beyond_max_streams_there_is_a_503_at_once(
    told: Server, upstream: ScriptedUpstream
) -> None:
    released = threading.Event()

    def hold(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(frame(chunk({"content": "Hel"})))
        wait_without_silence(exchange, released)
        exchange.chunk(frame(chunk({"content": "lo!"}, "stop")) + b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")

    upstream.script = hold
    with contextlib.ExitStack() as stack:
        stack.callback(released.set)
        calls = [stack.enter_context(Call(told, each.path, each.body())) for each in STREAMED]
        assert [text_of([call.frame()]) for call in calls] == ["Hel", "Hel"]
        for door in DOORS:
            reply = ask(told, door)
            assert reply.status == 503 and int(reply.headers["Retry-After"]) >= 1
            assert door.error_text(reply.body)
        for asked in (RESPONSES, RESPONSES_STREAM):
            reply = ask(told, asked, background=True)
            assert reply.status == 503 and int(reply.headers["Retry-After"]) >= 1
        assert get(told, "/health").status == 200
        released.set()  # so all of them came while both were held
        assert [text_of(call.frames()) for call in calls] == ["lo!", "lo!"]
    upstream.script = answer_plainly
    wait_for(lambda: ask(told, V1_STREAM).status == 200)


def test_a_full_session_drops_its_oldest_exchange_and_goes_on(
    told: Server, upstream: ScriptedUpstream
) -> None:
    session_id = begin(told, developer_message="Be brief.")
    for text in ("one", "two", "three"):
        answer = send(told, CHAT.path, {"message": text, "session_id": session_id}).json
    conversation = [message["content"] for message in answer["conversation"]]
    assert conversation == ["one", "Hello!", "two", "Hello!", "three", "Hello!"]
    first, *asked = upstream.exchanges[-1].json["messages"]
    assert first == {"role": "developer", "content": "Be brief."}
    assert [message["content"] for message in asked] == conversation[:-1]
    found = get(told, f"/api/sessions/{session_id}").json
    assert (found["message_count"], len(found["messages"])) == (4, 4)
    assert [message["content"] for message in found["messages"]] == conversation[2:]


def test_above_max_sessions_the_oldest_activity_goes(told: Server) -> None:
    first, second, third = (begin(told) for _ in range(3))
    body = {"message": "Hi", "session_id": first}
    assert send(told, CHAT.path, body).status == 200  # so the second is the oldest
    fourth = begin(told)
    found = [status_of(told, each) for each in (first, second, third, fourth)]
    assert found == [200, 404, 200, 200]
    assert get(told, "/api/health").json["active_sessions"] == 3


def test_a_session_without_activity_expires(tmp_path: Path) -> None:
    with gunicorn(tmp_path, UPSTREAM="mock", SESSION_TTL_HOURS="0.0003") as server:  # a second
        session_id = begin(server)
        wait_for(lambda: status_of(server, session_id) == 404)
        reply = send(server, CHAT.path, {"message": "Hi", "session_id": session_id})
        assert (reply.status, reply.json) == (404, {"error": "Session not found"})


def test_openai_without_a_key_is_there_for_callers_who_bring_theirs(tmp_path: Path) -> None:
    with gunicorn(tmp_path, UPSTREAM="openai", WEB_CONCURRENCY="1") as server:
        assert get(server, "/health").json["provider"] == "OpenAI"
        for door in DOORS:
            reply = ask(server, door)
            assert_refused(door, reply, 401)
            assert "OPENAI_API_KEY" in door.error_text(reply.body)
