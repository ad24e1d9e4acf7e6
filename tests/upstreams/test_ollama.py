"""Ollama over a real connection: what is asked, what is answered, what it lists."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chat_api.errors import (
    CallerGone,
    UpstreamBroken,
    UpstreamError,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamUnreachable,
)
from chat_api.upstreams.ollama import OllamaUpstream, is_listening
from tests.ollama_wire import USAGE, call, encode, line, read_all, root, speak
from tests.ports import free_port
from tests.scripted import Exchange, ScriptedUpstream
from tests.upstreams.helpers import Visitor, eventually, soon

Make = Callable[..., OllamaUpstream]


def test_a_whole_reply(ollama: OllamaUpstream, scripted: ScriptedUpstream) -> None:
    completion = ollama.complete(call(max_tokens=5))
    assert json.loads(completion.raw) == completion.data
    assert completion.data["choices"][0]["message"]["content"] == "Hello!"
    assert completion.data["usage"] == USAGE
    (exchange,) = scripted.exchanges
    assert exchange.request_line == "POST /api/chat HTTP/1.1"
    assert exchange.headers["host"] == f"127.0.0.1:{scripted.port}"
    assert exchange.headers["content-type"] == "application/json"
    assert exchange.json["options"] == {"num_predict": 5} and exchange.json["stream"] is False


def test_a_url_may_have_a_path(scripted: ScriptedUpstream, ollama_at: Make) -> None:
    scripted.script = speak
    ollama = ollama_at(f"{root(scripted)}/at/home/")
    ollama.complete(call())
    ollama.models()
    assert [exchange.path for exchange in scripted.exchanges] == [
        "/at/home/api/chat",
        "/at/home/api/tags",
    ]


def test_one_connection_serves_again_and_again(
    ollama: OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    for _ in range(3):
        ollama.complete(call())
        ollama.models()
    read_all(ollama.stream(call()))
    assert scripted.connections == 1


@pytest.mark.parametrize("body", [b"", b"x", b"[]", encode({"error": "x"}), encode(line("x"))])
def test_a_whole_reply_of_nonsense(
    ollama: OllamaUpstream, scripted: ScriptedUpstream, body: bytes
) -> None:
    scripted.script = lambda exchange: exchange.reply(200, body)
    with pytest.raises(UpstreamBroken):
        ollama.complete(call())


def test_nobody_there(ollama_at: Make) -> None:
    ollama = ollama_at(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UpstreamUnreachable):
        ollama.complete(call())
    with pytest.raises(UpstreamUnreachable):
        ollama.models()


@pytest.mark.parametrize("streamed", [True, False])
def test_a_caller_who_leaves_ends_ollamas_work(
    ollama: OllamaUpstream, scripted: ScriptedUpstream, visitor: Visitor, streamed: bool
) -> None:
    def script(exchange: Exchange) -> None:
        visitor.leave()
        exchange.wait_until_caller_leaves()

    scripted.script = script
    asked = call()
    asked.caller = visitor.caller
    with soon(), pytest.raises(CallerGone):
        if streamed:
            read_all(ollama.stream(asked))
        else:
            ollama.complete(asked)
    assert eventually(lambda: scripted.exchanges[0].caller_left_at)


def test_its_models(ollama: OllamaUpstream, scripted: ScriptedUpstream) -> None:
    assert [model["id"] for model in ollama.models()] == [
        "llama3.2:latest",
        "hf.co/someone/gpt-oss:20b",
    ]
    assert scripted.exchanges[0].request_line == "GET /api/tags HTTP/1.1"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"x", UpstreamBroken),
        (200, b"{}", UpstreamBroken),
        (500, b"{}", UpstreamFailed),
        (404, b"{}", UpstreamRefused),
    ],
)
def test_a_listing_that_cannot_be_had(
    ollama: OllamaUpstream,
    scripted: ScriptedUpstream,
    status: int,
    body: bytes,
    expected: type[UpstreamError],
) -> None:
    scripted.script = lambda exchange: exchange.reply(status, body)
    with pytest.raises(expected):
        ollama.models()


def test_whether_somebody_listens_is_looked_at_once(scripted: ScriptedUpstream) -> None:
    port = free_port()
    assert is_listening(scripted.port) and not is_listening(port)
    scripted.close()
    assert is_listening(scripted.port)
    is_listening.cache_clear()
