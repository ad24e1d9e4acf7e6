"""The server as a newcomer starts it: no key, no setting, a model that really answers."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from chat_api.upstreams import local
from tests.integration.doors import CHAT, CHAT_STREAM, DOORS, V1, V1_STREAM, Door, data_of, text_of
from tests.integration.local_model import ask, patient, wait_until_loaded
from tests.integration.processes import children, descendants, is_alive, open_files, zombies
from tests.integration.wire import get, wait_for
from tests.servers import Server, gunicorn

pytestmark = pytest.mark.skipif(
    local.find_model(None) is None, reason="requirements-local.txt is not installed"
)

QUESTION = "What is the capital of France?"
MODEL = "smollm2-135m"
LEAVING_SECONDS = 15.0


def model_processes(server: Server) -> list[int]:
    """The supervisor and the model below it."""
    workers = server.workers()
    supervisors = [pid for pid in children(server.process.pid) if pid not in workers]
    return supervisors + [model for pid in supervisors for model in children(pid)]


def supervisor_and_model(server: Server) -> list[int]:
    """Waits until both are there."""
    return wait_for(lambda: found if len(found := model_processes(server)) == 2 else None)


@contextlib.contextmanager
def newcomer(tmp_path: Path) -> Iterator[Server]:
    """A server without a setting, its model loaded."""
    with gunicorn(tmp_path, WEB_CONCURRENCY="2") as server:
        wait_until_loaded(server)
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with newcomer(tmp_path_factory.mktemp("local")) as server:
        yield server


@pytest.fixture(scope="module")
def sdk(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as sdk:
        yield sdk


def test_the_first_curl_gets_a_real_answer(server: Server) -> None:
    reply = ask(server, CHAT, prompt=QUESTION)
    assert reply.status == 200
    assert list(reply.json) == ["response", "model", "conversation", "usage"]
    assert "Paris" in reply.json["response"]
    assert reply.json["model"] == MODEL
    answer = {"role": "assistant", "content": reply.json["response"]}
    assert reply.json["conversation"] == [{"role": "user", "content": QUESTION}, answer]
    usage = reply.json["usage"]
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"] > 2
    assert reply.headers["x-upstream"] == "local"
    assert reply.headers["x-model-alias"] is None


def test_a_conversation_goes_on_where_it_was(server: Server) -> None:
    said = ask(server, CHAT, prompt=QUESTION).json["conversation"]
    reply = ask(server, CHAT, prompt="Thanks.", messages=said, max_tokens=8)
    assert reply.json["conversation"][:2] == said
    assert len(reply.json["conversation"]) == 4


def test_the_stream_comes_event_by_event_and_ends_with_done(server: Server) -> None:
    # A reader whom a busy machine leaves waiting finds all at once: eight tokens take 0.1 s.
    assert any(seconds_of_a_stream(server) > 0.01 for _ in range(10)), "all in one"


def seconds_of_a_stream(server: Server) -> float:
    """From its first event to its last."""
    moments = []
    frames = []
    with patient(server, CHAT_STREAM, QUESTION) as call:
        assert call.reply.status == 200
        while frame := call.frame():
            moments.append(time.monotonic())
            frames.append(frame)
    *pieces, last = data_of(frames)
    assert all(list(piece) == ["content"] for piece in pieces)
    assert "Paris" in text_of(frames)
    assert last["done"] is True and last["model"] == MODEL
    assert last["usage"]["completion_tokens"] > 0
    assert len(moments) > 3
    return moments[-1] - moments[0]


def test_the_sdk_chats_with_any_name(server: Server, sdk: openai.OpenAI) -> None:
    raw = sdk.chat.completions.with_raw_response.create(
        model="gpt-4", messages=[{"role": "user", "content": QUESTION}]
    )
    assert raw.headers["x-model-alias"] == "gpt-4"
    reply = raw.parse()
    assert reply.model == MODEL
    assert "Paris" in (reply.choices[0].message.content or "")


def test_the_sdk_streams_with_any_name(sdk: openai.OpenAI) -> None:
    with sdk.chat.completions.create(
        model="gpt-4",
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        received = list(stream)
    assert {piece.model for piece in received} == {MODEL}
    texts = [piece.choices[0].delta.content or "" for piece in received if piece.choices]
    assert "Paris" in "".join(texts) and len(texts) > 3
    assert received[-1].usage is not None and received[-1].usage.total_tokens > 0


def product(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_texts_of_one_meaning_have_vectors_that_lie_close(sdk: openai.OpenAI) -> None:
    texts = ["The cat sat down", "A kitten sat down", "Quarterly tax report"]
    reply = sdk.embeddings.create(model="text-embedding-3-small", input=texts)
    cat, kitten, tax = (item.embedding for item in reply.data)
    assert reply.model == MODEL and reply.usage.prompt_tokens == reply.usage.total_tokens > 6
    assert math.hypot(*cat) == pytest.approx(1, abs=1e-4)
    assert product(cat, kitten) > product(cat, tax)
    plain = sdk.embeddings.create(model=MODEL, input=texts[0], encoding_format="float")
    assert plain.data[0].embedding == pytest.approx(cat, abs=1e-3)


def test_it_says_who_answers(server: Server, sdk: openai.OpenAI) -> None:
    assert get(server, "/health").json["provider"] == "Local"
    listed = get(server, "/models").json
    assert listed["default"] == MODEL in listed["models"]
    assert sdk.models.retrieve(MODEL).id == MODEL


@pytest.mark.parametrize("door", DOORS, ids=[f"{door.path} {door.streamed}" for door in DOORS])
def test_a_conversation_longer_than_the_context_is_refused(server: Server, door: Door) -> None:
    reply = ask(server, door, prompt="word " * 3000)
    assert reply.status == 400
    assert "context" in door.error_text(reply.body)
    if door.openai:
        error = reply.json["error"]
        assert error["code"] == "context_length_exceeded"
        assert (error["type"], error["param"]) == ("invalid_request_error", "messages")


def test_a_caller_who_leaves_stops_the_model(server: Server) -> None:
    """It answers four at a time: were those who left still served, the fifth would wait."""
    endless = "Count from one to ten thousand, one number a line."
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            call = stack.enter_context(patient(server, V1_STREAM, endless))
            assert call.frame()
    assert "Paris" in text_of(stream_of(server, QUESTION))


def stream_of(server: Server, prompt: str) -> list[bytes]:
    with patient(server, V1_STREAM, prompt) as call:
        return call.frames()


def test_a_killed_model_is_healed(server: Server) -> None:
    supervisor, model = supervisor_and_model(server)
    os.kill(model, signal.SIGKILL)
    wait_for(lambda: not is_alive(model))
    wait_until_loaded(server)
    assert "Paris" in ask(server, V1, prompt=QUESTION).json["choices"][0]["message"]["content"]
    assert model_processes(server)[0] == supervisor


@pytest.mark.parametrize("time", ["once", "twice"])
def test_a_killed_supervisor_is_started_anew(server: Server, time: str) -> None:
    supervisor, model = supervisor_and_model(server)
    workers, files = server.workers(), open_files(server.process.pid)
    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: not is_alive(model))
    assert supervisor_and_model(server)[0] != supervisor
    wait_until_loaded(server)
    assert "Paris" in ask(server, V1, prompt=QUESTION).json["choices"][0]["message"]["content"]
    assert server.workers() == workers
    assert open_files(server.process.pid) == files
    assert not zombies(server.process.pid)


def test_a_model_that_was_started_anew_leaves_with_the_server(tmp_path: Path) -> None:
    with newcomer(tmp_path) as server:
        supervisor, model = supervisor_and_model(server)
        os.kill(supervisor, signal.SIGKILL)
        wait_for(lambda: not is_alive(model))
        supervisor_and_model(server)
        processes = descendants(server.process.pid)
        assert len(processes) == 4
        assert server.stop() == 0
        wait_for(lambda: not any(map(is_alive, processes)), LEAVING_SECONDS)
        assert server.log().count("is started anew") == 1


def test_nothing_is_left_when_the_master_is_killed(tmp_path: Path) -> None:
    with newcomer(tmp_path) as server:
        processes = descendants(server.process.pid)
        assert len(processes) == 4
        server.process.kill()
        wait_for(lambda: not any(map(is_alive, processes)), LEAVING_SECONDS)


def test_what_the_small_model_cannot_do_is_told_or_refused(server: Server) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    asked = {"tools": [tool], "tool_choice": "required", "seed": 1, "logprobs": True}
    reply = ask(server, V1, max_tokens=1, **asked)
    assert reply.status == 200
    assert set(reply.headers["x-dropped-params"].split(", ")) == {"tools", "tool_choice"}
    assert reply.json["choices"][0]["logprobs"]["content"]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    refused = ask(server, V1, messages=[{"role": "user", "content": [image]}])
    assert (refused.status, refused.json["error"]["param"]) == (400, "messages")
    refused = ask(server, V1, tools=[{"type": "custom", "custom": {"name": "f"}}])
    assert (refused.status, refused.json["error"]["param"]) == (400, "tools")
