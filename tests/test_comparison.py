"""What docs/comparison.md says of a plain server: benchmarks/servers/plain_sdk.py."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from flask import Flask
from openai import APIConnectionError

from tests.fakes import chunk, frame
from tests.integration.doors import V1, V1_STREAM
from tests.scripted import Exchange, ScriptedUpstream


@pytest.fixture
def plain(scripted: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setenv("OPENAI_BASE_URL", scripted.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    module = importlib.reload(importlib.import_module("benchmarks.servers.plain_sdk"))
    module.client = module.client.with_options(max_retries=0)
    with module.client:
        yield module.app


def begin(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(frame(chunk({"content": "Hel"})))


def test_an_answer_that_ends_without_a_reason_looks_whole(
    plain: Flask, scripted: ScriptedUpstream
) -> None:
    def end_tidily(exchange: Exchange) -> None:
        begin(exchange)
        exchange.send(b"0\r\n\r\n")

    scripted.script = end_tidily
    reply = plain.test_client().post(V1_STREAM.path, json=V1_STREAM.body(model="m"))
    assert reply.status_code == 200
    assert reply.text.endswith("data: [DONE]\n\n") and "error" not in reply.text


def test_a_connection_that_breaks_breaks_the_stream_off(
    plain: Flask, scripted: ScriptedUpstream
) -> None:
    def break_off(exchange: Exchange) -> None:
        begin(exchange)
        exchange.connection.close()

    scripted.script = break_off
    with pytest.raises(APIConnectionError):
        plain.test_client().post(V1_STREAM.path, json=V1_STREAM.body(model="m"), buffered=True)


def test_a_refusal_is_a_500_in_html(plain: Flask, scripted: ScriptedUpstream) -> None:
    scripted.script = lambda exchange: exchange.reply(429, {"error": {"message": "Slower."}})
    reply = plain.test_client().post(V1.path, json=V1.body(model="m"))
    assert (reply.status_code, reply.mimetype) == (500, "text/html")
