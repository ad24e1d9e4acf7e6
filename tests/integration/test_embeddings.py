"""Embeddings over a real server, by the real SDK."""

from __future__ import annotations

import base64
import struct
from typing import Any

import openai
import pytest

from tests.fakes import vectors
from tests.integration.stage import Stage, refuse
from tests.integration.wire import send, wait_for
from tests.scripted import Exchange, ScriptedUpstream
from tests.servers import Server

URL = "/v1/embeddings"
NUMBERS = [0.5, -0.25, 1.0]
TEXT = base64.b64encode(struct.pack("<3f", *NUMBERS)).decode()


@pytest.fixture
def sdk(relay: Server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{relay.url}/v1", api_key="any", max_retries=0)


@pytest.mark.parametrize("found", [NUMBERS, TEXT], ids=["numbers", "base64"])
def test_the_sdk_reads_vectors_however_the_upstream_writes_them(
    sdk: openai.OpenAI, stage: Stage, relay_upstream: ScriptedUpstream, found: Any
) -> None:
    relay_upstream.script = lambda exchange: exchange.reply(200, vectors(found, found))
    reply = sdk.embeddings.create(model="vectors-1", input=["a", "b"])
    assert [item.embedding for item in reply.data] == [NUMBERS, NUMBERS]
    assert reply.usage.total_tokens == 5
    assert stage.exchanges[0].json["encoding_format"] == "base64"


def test_the_upstreams_headers_come_along(
    sdk: openai.OpenAI, relay_upstream: ScriptedUpstream, stage: Stage
) -> None:
    headers = "openai-processing-ms: 17\r\nx-ratelimit-limit-tokens: 9\r\nserver: x\r\n"
    relay_upstream.script = lambda exchange: exchange.reply(200, vectors(NUMBERS), headers)
    told = sdk.embeddings.with_raw_response.create(model="vectors-1", input="a").headers
    assert (told["openai-processing-ms"], told["x-ratelimit-limit-tokens"]) == ("17", "9")
    assert told["server"] != "x"


def test_the_log_tells_of_the_call_and_not_of_the_text(
    relay: Server, relay_upstream: ScriptedUpstream, stage: Stage
) -> None:
    relay_upstream.script = lambda exchange: exchange.reply(200, vectors(NUMBERS))
    body = {"model": "vectors-1", "input": "canary in a text"}
    assert send(relay, URL, body, headers={"X-Request-ID": "an-embedding"}).status == 200
    lines = wait_for(lambda: [it for it in relay.log().splitlines() if "an-embedding" in it])
    (line,) = lines
    assert '"upstream":"openai"' in line and '"prompt_tokens":5' in line
    assert "canary in a text" not in relay.log()


def test_a_failure_is_tried_again_and_a_refusal_is_not(
    relay: Server, relay_upstream: ScriptedUpstream, stage: Stage
) -> None:
    def script(exchange: Exchange) -> None:
        answer = refuse(503) if len(stage.exchanges) == 1 else refuse(404, b"Not Found")
        answer(exchange)

    relay_upstream.script = script
    reply = send(relay, URL, {"model": "vectors-1", "input": "Hi"})
    assert reply.status == 400 and len(stage.exchanges) == 2
    assert reply.json["error"]["message"].startswith("The upstream `openai` has no embeddings")
