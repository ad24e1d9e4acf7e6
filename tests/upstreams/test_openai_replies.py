"""Whole replies, and what is none."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable

import orjson
import pytest

from chat_api.errors import CallerGone, UpstreamBroken, UpstreamTimeout
from chat_api.upstreams.base import Call
from chat_api.upstreams.bodies import MAX_REPLY_BYTES
from chat_api.upstreams.openai import OpenAIUpstream
from tests.fakes import completion
from tests.scripted import Exchange, ScriptedUpstream
from tests.upstreams.helpers import Visitor, after, soon

Upstreams = Callable[..., OpenAIUpstream]
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Grüße 🙂"}], "x": 1}


@pytest.fixture
def upstream(scripted: ScriptedUpstream, openai_at: Upstreams) -> OpenAIUpstream:
    return openai_at(scripted.url, retry_pause_seconds=0.1)


def test_a_whole_reply_keeps_its_bytes(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    raw = b' {"choices" : [{"message":{"content":"Gr\\u00fc\xc3\x9fe"}, "new": 1.50}]}\n'
    scripted.script = lambda exchange: exchange.reply(200, raw)
    reply = upstream.complete(Call(BODY))
    assert reply.raw == raw
    assert reply.data == orjson.loads(raw)


def test_connections_are_kept_between_replies(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    for _ in range(3):
        assert upstream.complete(Call(BODY)).data == completion()
    assert scripted.connections == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"<html>It works</html>",
        b'{"choices": [{"message": {"content": "\xff"}}]}',
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"choices": null}',
        b'{"choices": []}',
        b'{"choices": {}}',
        b'{"choices": "text"}',
        b'{"choices": [null]}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": "text"}]}',
        b'{"error": {"message": "sent with status 200"}}',
    ],
)
def test_what_is_no_completion_is_broken(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, body: bytes
) -> None:
    scripted.script = lambda exchange: exchange.reply(200, body)
    with pytest.raises(UpstreamBroken, match="no chat completion"):
        upstream.complete(Call(BODY))


def test_a_compressed_reply_is_broken(scripted: ScriptedUpstream, upstream: OpenAIUpstream) -> None:
    packed = gzip.compress(orjson.dumps(completion()))
    scripted.script = lambda exchange: exchange.reply(200, packed, "Content-Encoding: gzip\r\n")
    with pytest.raises(UpstreamBroken, match="compressed"):
        upstream.complete(Call(BODY))


def test_an_encoding_that_is_none_passes(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    headers = "Content-Encoding: identity\r\n"
    scripted.script = lambda exchange: exchange.reply(200, completion(), headers)
    assert upstream.complete(Call(BODY)).data == completion()


def test_a_reply_that_breaks_off_is_broken(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    def script(exchange: Exchange) -> None:
        exchange.send(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"choices"')
        exchange.connection.shutdown(socket.SHUT_RDWR)

    scripted.script = script
    with pytest.raises(UpstreamBroken, match="broke off"):
        upstream.complete(Call(BODY))


def test_a_reply_has_a_limit(scripted: ScriptedUpstream, upstream: OpenAIUpstream) -> None:
    def script(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
        piece = b"x" * 1_048_576
        for _ in range(MAX_REPLY_BYTES // len(piece) + 1):
            exchange.send(piece)
        exchange.wait_until_caller_leaves()

    scripted.script = script
    with pytest.raises(UpstreamBroken, match="too large"):
        upstream.complete(Call(BODY))


def test_silence_is_a_time_out(scripted: ScriptedUpstream, openai_at: Upstreams) -> None:
    scripted.script = lambda exchange: exchange.wait_until_caller_leaves() and None
    with soon(), pytest.raises(UpstreamTimeout):
        openai_at(scripted.url, timeout_seconds=0.15).complete(Call(BODY))


def test_a_caller_who_leaves_cancels_the_request(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, visitor: Visitor
) -> None:
    scripted.script = lambda exchange: exchange.wait_until_caller_leaves() and None
    with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
        upstream.complete(Call(BODY, visitor.caller))
