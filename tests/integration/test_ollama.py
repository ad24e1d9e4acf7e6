"""The real server before an Ollama: the SDK's calls, and failures as callers see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.integration.doors import CHAT, DOORS, V1, V1_STREAM, data_of, text_of
from tests.integration.wire import ask, get
from tests.ollama_wire import (
    MODEL,
    USAGE,
    WEATHER_TOOL,
    encode,
    last,
    line,
    play,
    root,
    speak,
)
from tests.scripted import ScriptedUpstream
from tests.servers import Server, gunicorn

MESSAGES: Any = [{"role": "user", "content": "Hi"}]
CITIES = [{"city": "Tokyo"}, {"city": "Kyōto"}]
NOT_PULLED = "The model `llama9` is not on this Ollama. `ollama pull llama9` brings it."


@pytest.fixture(scope="module")
def ollama() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture(autouse=True)
def spoken(ollama: ScriptedUpstream) -> None:
    """A test that changes the script need not put it back."""
    ollama.script = speak


@pytest.fixture(scope="module")
def server(ollama: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with gunicorn(
        tmp_path_factory.mktemp("ollama"),
        OLLAMA_URL=f"{root(ollama)}/api/chat",
        OPENAI_MODEL=MODEL,
        WEB_CONCURRENCY="1",
    ) as server:
        yield server


@pytest.fixture
def sdk(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as sdk:
        yield sdk


def test_it_says_who_answers(server: Server) -> None:
    assert get(server, "/health").json["provider"] == "Ollama"
    assert f"{MODEL} answers (upstream Ollama)" in server.log()
    models = get(server, "/models").json
    assert models["default"] == MODEL and models["aliases"]["gpt-4o"] == MODEL


def test_every_door_opens(server: Server) -> None:
    for door in DOORS:
        reply = ask(server, door)
        assert reply.status == 200 and reply.headers["x-upstream"] == "ollama"
        assert b"error" not in reply.body
    assert ask(server, CHAT).json["usage"] == USAGE


def test_the_sdk_chats(sdk: openai.OpenAI, ollama: ScriptedUpstream) -> None:
    reply = sdk.chat.completions.with_raw_response.create(
        model="gpt-4o",
        messages=MESSAGES,
        max_completion_tokens=9,
        extra_body={"num_ctx": 8192, "keep_alive": "10m"},
    )
    assert reply.headers["x-model-alias"] == "gpt-4o"
    completion = reply.parse()
    assert (completion.model, completion.choices[0].message.content) == (MODEL, "Hello!")
    assert completion.usage is not None and completion.usage.total_tokens == 308
    asked = ollama.exchanges[-1].json
    assert asked["model"] == MODEL and asked["keep_alive"] == "10m"
    assert asked["options"] == {"num_ctx": 8192, "num_predict": 9}


@pytest.mark.parametrize("usage", [True, False])
def test_the_sdk_streams(sdk: openai.OpenAI, usage: bool) -> None:
    options: Any = {"stream_options": {"include_usage": True}} if usage else {}
    with sdk.chat.completions.create(
        model=MODEL, messages=MESSAGES, stream=True, **options
    ) as stream:
        chunks = list(stream)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == "Hello!"
    assert choices[0].delta.role == "assistant" and choices[-1].finish_reason == "stop"
    counted = [chunk.usage.total_tokens for chunk in chunks if chunk.usage]
    assert counted == ([308] if usage else [])


def test_the_sdk_calls_tools(sdk: openai.OpenAI, ollama: ScriptedUpstream) -> None:
    tools: Any = [WEATHER_TOOL]
    (choice,) = sdk.chat.completions.create(model=MODEL, messages=MESSAGES, tools=tools).choices
    assert choice.finish_reason == "tool_calls" and choice.message.tool_calls
    (call,) = choice.message.tool_calls
    assert call.type == "function" and json.loads(call.function.arguments) == CITIES[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "22"}
    sdk.chat.completions.create(model=MODEL, messages=[*MESSAGES, choice.message, result])
    _, said, told = ollama.exchanges[-1].json["messages"]
    assert said["tool_calls"][0]["function"]["arguments"] == CITIES[0]
    assert (told["tool_name"], told["tool_call_id"]) == ("get_weather", call.id)


def test_the_sdk_puts_streamed_tool_calls_together(sdk: openai.OpenAI) -> None:
    tools: Any = [WEATHER_TOOL]
    with sdk.chat.completions.stream(model=MODEL, messages=MESSAGES, tools=tools) as stream:
        (choice,) = stream.get_final_completion().choices
    calls = choice.message.tool_calls or []
    assert choice.finish_reason == "tool_calls"
    assert [json.loads(call.function.arguments) for call in calls] == CITIES
    assert len({call.id for call in calls}) == 2
    assert all(call.id.startswith("call_") for call in calls)


def test_the_sdk_lists_models(sdk: openai.OpenAI) -> None:
    assert "llama3.2:latest" in [model.id for model in sdk.models.list()]
    assert sdk.models.retrieve(MODEL).id == MODEL


@pytest.mark.parametrize("door", [V1, V1_STREAM], ids=["whole", "streamed"])
def test_a_model_that_is_not_pulled(server: Server, door: Any) -> None:
    reply = ask(server, door, model="llama9")
    error = {"message": NOT_PULLED, "type": "invalid_request_error", "param": None}
    assert reply.status == 404
    assert reply.json == {"error": {**error, "code": "model_not_found"}}


def test_a_remote_image_is_not_fetched(server: Server, ollama: ScriptedUpstream) -> None:
    before = len(ollama.exchanges)
    image = {"type": "image_url", "image_url": {"url": f"{root(ollama)}/cat.png"}}
    reply = ask(server, V1, messages=[{"role": "user", "content": [image]}])
    assert reply.status == 400
    assert reply.json["error"]["param"] == "messages[0].content[0].image_url.url"
    assert len(ollama.exchanges) == before


@pytest.mark.parametrize("failure", [b"", encode({"error": "the runner stopped"})])
def test_a_stream_that_fails_midway_has_no_done(
    server: Server, ollama: ScriptedUpstream, failure: bytes
) -> None:
    pieces = [encode(line("Hel")), failure] if failure else [encode(line("Hel"))]
    ollama.script = play(*pieces)
    frames = [frame + b"\n\n" for frame in ask(server, V1_STREAM).body.split(b"\n\n")[:-1]]
    assert text_of(frames) == "Hel"
    *_, error = data_of(frames)
    assert error["error"]["code"] == "upstream_broken" and "runner" not in str(error)


def test_thinking_comes_as_reasoning_content(server: Server, ollama: ScriptedUpstream) -> None:
    ollama.script = play(encode(line(thinking="2+2")), encode(line("4")), encode(last()))
    *chunks, done = data_of(ask(server, V1_STREAM, reasoning_effort="none").body.splitlines(True))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[1:3] == [{"reasoning_content": "2+2"}, {"content": "4"}] and done == "[DONE]"
    assert ollama.exchanges[-1].json["think"] is False
