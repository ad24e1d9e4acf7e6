"""What an upstream's refusals become, whole and streamed alike."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

import pytest

from chat_api.errors import (
    CallerGone,
    UpstreamBroken,
    UpstreamError,
    UpstreamFailed,
    UpstreamKeyRefused,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
)
from chat_api.upstreams.base import Call
from chat_api.upstreams.bodies import MAX_ERROR_BYTES
from chat_api.upstreams.openai import OpenAIUpstream
from tests.scripted import Exchange, ScriptedUpstream
from tests.upstreams.helpers import Clock, HurriedCaller, Visitor, after, soon
from tests.upstreams.wire import FOREVER

Upstreams = Callable[..., OpenAIUpstream]
Way = Callable[[OpenAIUpstream, Call], UpstreamError]
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}
WORDS = {"message": "No such thing.", "type": "some_error", "param": "model", "code": "some_code"}


def whole(upstream: OpenAIUpstream, call: Call) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        upstream.complete(call)
    return caught.value


def streamed(upstream: OpenAIUpstream, call: Call) -> UpstreamError:
    with contextlib.closing(upstream.stream(call)) as stream:
        with pytest.raises(UpstreamError) as caught:
            stream.read(FOREVER)
    return caught.value


@pytest.fixture(params=[whole, streamed])
def way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way


@pytest.fixture
def upstream(scripted: ScriptedUpstream, openai_at: Upstreams) -> OpenAIUpstream:
    return openai_at(scripted.url)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UpstreamRefused),
        (404, UpstreamRefused),
        (409, UpstreamRefused),
        (413, UpstreamRefused),
        (422, UpstreamRefused),
        (429, UpstreamRateLimited),
        (401, UpstreamKeyRefused),
        (403, UpstreamKeyRefused),
        (408, UpstreamTimeout),
        (504, UpstreamTimeout),
        (503, UpstreamOverloaded),
        (529, UpstreamOverloaded),
        (500, UpstreamFailed),
        (502, UpstreamFailed),
        (599, UpstreamFailed),
        (201, UpstreamBroken),
        (307, UpstreamBroken),
        (418, UpstreamBroken),
    ],
)
def test_each_status_is_one_of_our_errors(
    scripted: ScriptedUpstream,
    upstream: OpenAIUpstream,
    way: Way,
    status: int,
    kind: type[UpstreamError],
) -> None:
    scripted.script = lambda exchange: exchange.reply(status, {"error": WORDS})
    for _ in range(2):
        error = way(upstream, Call(BODY))
        assert type(error) is kind
        assert ("No such thing." in str(error)) is isinstance(error, UpstreamRefused)
        if isinstance(error, UpstreamRefused):
            found = (error.status, error.type, error.param, error.code)
            assert found == (status, "some_error", "model", "some_code")
    assert scripted.connections == 1, "a refusal that was read whole spoils no connection"


@pytest.mark.parametrize("caller_key", [None, "sk-caller-key-000"])
def test_it_is_said_whose_key_was_refused(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, way: Way, caller_key: str | None
) -> None:
    scripted.script = lambda exchange: exchange.reply(401, {"error": WORDS})
    error = way(upstream, Call(BODY, caller_key=caller_key))
    assert isinstance(error, UpstreamKeyRefused)
    assert (error.status, error.callers_own) == (401, caller_key is not None)


def test_the_upstreams_wish_to_wait_is_kept(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, way: Way
) -> None:
    scripted.script = lambda exchange: exchange.reply(429, {"error": WORDS}, "Retry-After: 7\r\n")
    assert way(upstream, Call(BODY)).retry_after_seconds == 7


def test_keys_in_the_upstreams_words_are_masked(
    scripted: ScriptedUpstream, openai_at: Upstreams, way: Way
) -> None:
    text = "Bad keys: server-secret, caller-secret, sk-proj-abcdefgh1234****wxyz!"
    scripted.script = lambda exchange: exchange.reply(400, {"error": {"message": text}})
    upstream = openai_at(scripted.url, api_key="server-secret")
    error = way(upstream, Call(BODY, caller_key="caller-secret"))
    assert str(error) == "Bad keys: ***, ***, ***!"


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad request</html>", b"\xff", b"[]", b"null", b'"text"', b"5"]
)
def test_a_refusal_without_words_has_ours(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, way: Way, body: bytes
) -> None:
    scripted.script = lambda exchange: exchange.reply(400, body)
    error = way(upstream, Call(BODY))
    assert isinstance(error, UpstreamRefused)
    assert (str(error), error.code) == ("The upstream refused the request (400).", None)


def no_end(exchange: Exchange) -> None:
    exchange.send(b'HTTP/1.1 400 X\r\nContent-Length: 99\r\n\r\n{"error": {')
    exchange.connection.shutdown(socket.SHUT_RDWR)


def too_much(exchange: Exchange) -> None:
    exchange.reply(400, {"error": {"message": "x" * MAX_ERROR_BYTES}})


def compressed(exchange: Exchange) -> None:
    exchange.reply(400, b"\x1f\x8b", "Content-Encoding: gzip\r\n")


def silence(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 400 X\r\nContent-Length: 99\r\n\r\n")
    exchange.wait_until_caller_leaves()


@pytest.mark.parametrize("script", [no_end, too_much, compressed])
def test_a_refusal_that_cannot_be_read_is_still_one(
    scripted: ScriptedUpstream,
    upstream: OpenAIUpstream,
    way: Way,
    script: Callable[[Exchange], None],
) -> None:
    scripted.script = script
    assert str(way(upstream, Call(BODY))) == "The upstream refused the request (400)."


def test_the_words_of_a_refusal_are_not_waited_for_as_long_as_an_answer(
    scripted: ScriptedUpstream, openai_at: Upstreams, way: Way, clock: Clock
) -> None:
    def script(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 400 X\r\nContent-Length: 99\r\n\r\n")
        all_said.set()
        exchange.wait_until_caller_leaves()

    all_said = threading.Event()
    scripted.script = script
    caller = HurriedCaller(clock, all_said)
    error = way(openai_at(scripted.url, timeout_seconds=300), Call(BODY, caller))
    assert isinstance(error, UpstreamRefused)
    assert str(error) == "The upstream refused the request (400)."
    assert len(caller.waits) == 1 and 0 < caller.waits[0] <= 5


def test_a_caller_who_leaves_while_a_refusal_comes_is_gone(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, visitor: Visitor
) -> None:
    scripted.script = silence
    with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
        upstream.complete(Call(BODY, visitor.caller))
