"""The list of models, which the SDK fetches."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from chat_api.errors import (
    UpstreamBroken,
    UpstreamError,
    UpstreamFailed,
    UpstreamKeyRefused,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from chat_api.upstreams.bodies import MAX_LISTING_BYTES
from chat_api.upstreams.openai import OpenAIUpstream
from tests.ports import free_port
from tests.scripted import Exchange, ScriptedUpstream

Upstreams = Callable[..., OpenAIUpstream]
MODEL = {"id": "gpt-4o-mini", "object": "model", "created": 1, "owned_by": "test"}
LIST = {"object": "list", "data": [MODEL]}


@pytest.fixture
def upstream(scripted: ScriptedUpstream, openai_at: Upstreams) -> OpenAIUpstream:
    return openai_at(scripted.url)


def test_the_models_are_those_of_the_list(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    assert upstream.models() == [MODEL]
    sent = scripted.exchanges[0]
    assert sent.request_line == "GET /v1/models HTTP/1.1"
    assert sent.headers["authorization"] == "Bearer sk-server-key-0000"


def test_fields_that_openai_does_not_know_stay(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    listed = [{"id": "a/b", "context_length": 4096}, {"id": 5}, {"id": None}]
    scripted.script = lambda exchange: exchange.reply(200, {"data": listed})
    assert upstream.models() == listed[:1]


def test_no_cookie_is_kept_from_one_list_to_the_next(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    scripted.script = lambda exchange: exchange.reply(200, LIST, "Set-Cookie: who=you\r\n")
    for _ in range(2):
        assert upstream.models() == [MODEL]
    assert ["cookie" in each.headers for each in scripted.exchanges] == [False, False]


def test_an_endless_list_is_broken(scripted: ScriptedUpstream, upstream: OpenAIUpstream) -> None:
    scripted.script = lambda exchange: exchange.reply(200, b" " * (MAX_LISTING_BYTES + 1))
    with pytest.raises(UpstreamBroken, match="too large"):
        upstream.models()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"<html>",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"data": 5}',
        b'{"data": {"id": "x"}}',
        b'{"data": ["x"]}',
        b'{"data": [{}]}',
    ],
)
def test_a_list_that_is_none_is_broken(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, body: bytes
) -> None:
    scripted.script = lambda exchange: exchange.reply(200, body)
    with pytest.raises(UpstreamBroken, match="list of models"):
        upstream.models()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UpstreamRefused),
        (401, UpstreamKeyRefused),
        (403, UpstreamKeyRefused),
        (404, UpstreamRefused),
        (408, UpstreamTimeout),
        (418, UpstreamBroken),
        (429, UpstreamRateLimited),
        (500, UpstreamFailed),
        (503, UpstreamOverloaded),
        (504, UpstreamTimeout),
    ],
)
def test_refusals_are_those_of_completions_and_not_tried_again(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, status: int, kind: type[UpstreamError]
) -> None:
    words = {"message": "No.", "type": "t", "param": "p", "code": "c"}
    headers = "Retry-After: 3\r\n"
    scripted.script = lambda exchange: exchange.reply(status, {"error": words}, headers)
    with pytest.raises(UpstreamError) as caught:
        upstream.models()
    assert type(caught.value) is kind
    assert caught.value.retry_after_seconds == 3
    if isinstance(caught.value, UpstreamRefused):
        error = caught.value
        found = (str(error), error.status, error.type, error.param, error.code)
        assert found == ("No.", status, "t", "p", "c")
    assert len(scripted.exchanges) == 1


def test_a_page_in_html_is_not_relayed(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    page = b"<html><body>nginx</body></html>"
    scripted.script = lambda exchange: exchange.reply(404, page)
    with pytest.raises(UpstreamRefused) as caught:
        upstream.models()
    assert "<html>" not in str(caught.value)


def test_keys_in_the_upstreams_words_are_masked(
    scripted: ScriptedUpstream, openai_at: Upstreams
) -> None:
    text = "Bad keys: server-secret and sk-proj-abcdefgh1234!"
    scripted.script = lambda exchange: exchange.reply(400, {"error": {"message": text}})
    with pytest.raises(UpstreamRefused) as caught:
        openai_at(scripted.url, api_key="server-secret").models()
    assert str(caught.value) == "Bad keys: *** and ***!"


def test_a_redirect_is_not_followed(scripted: ScriptedUpstream, upstream: OpenAIUpstream) -> None:
    headers = f"Location: {scripted.url}/elsewhere\r\n"
    scripted.script = lambda exchange: exchange.reply(302, b"", headers)
    with pytest.raises(UpstreamBroken, match="redirects"):
        upstream.models()
    assert len(scripted.exchanges) == 1


def close(exchange: Exchange) -> None:
    exchange.connection.shutdown(socket.SHUT_RDWR)


def break_off(exchange: Exchange) -> None:
    exchange.send(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"data"')
    close(exchange)


def no_gzip(exchange: Exchange) -> None:
    exchange.reply(200, b"nonsense", "Content-Encoding: gzip\r\n")


@pytest.mark.parametrize("script", [close, break_off, no_gzip])
def test_a_broken_connection_is_one_of_our_errors(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, script: Callable[[Exchange], Any]
) -> None:
    scripted.script = script
    with pytest.raises((UpstreamUnreachable, UpstreamBroken)):
        upstream.models()


def test_nobody_listening_is_unreachable(openai_at: Upstreams) -> None:
    with pytest.raises(UpstreamUnreachable):
        openai_at(f"http://127.0.0.1:{free_port()}/v1").models()


def test_close_leaves_no_connection_open(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    def script(exchange: Exchange) -> None:
        exchange.reply(200, {"data": [MODEL]})
        if exchange.wait_until_caller_leaves():
            was_left.set()

    was_left = threading.Event()
    scripted.script = script
    upstream.models()
    upstream.close()
    assert was_left.wait(10), "the SDK's own connection stays open"
