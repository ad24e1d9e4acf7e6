"""What spoils a streamed reply."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from chat_api.errors import (
    ChatApiError,
    UpstreamBroken,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from chat_api.upstreams.base import Call, Event
from chat_api.upstreams.openai import OpenAIUpstream
from tests.fakes import chunk, frame
from tests.scripted import Exchange, ScriptedUpstream
from tests.upstreams.helpers import Clock, HurriedCaller
from tests.upstreams.wire import FOREVER

Upstreams = Callable[..., OpenAIUpstream]
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
GOOD = frame(chunk({"content": "Hi"}, "stop"))
BAD, DONE = b"data: nonsense\n\n", b"data: [DONE]\n\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


@pytest.fixture
def upstream(scripted: ScriptedUpstream, openai_at: Upstreams) -> OpenAIUpstream:
    return openai_at(scripted.url)


@pytest.mark.parametrize("gap", [0.0, 0.03])
@pytest.mark.parametrize("behind", [b"", GOOD, GOOD.rstrip(), DONE])
def test_a_bad_event_ends_the_stream_behind_the_good_ones(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, behind: bytes, gap: float
) -> None:
    def script(exchange: Exchange) -> None:
        if not gap:
            exchange.send(HEAD + chunked(GOOD + BAD + behind) + b"0\r\n\r\n")
            return
        exchange.start_stream()
        for piece in filter(None, (GOOD, BAD, behind)):
            exchange.chunk(piece)
            time.sleep(gap)
        exchange.send(b"0\r\n\r\n")

    scripted.script = script
    events: list[Event] = []
    with contextlib.closing(upstream.stream(Call(BODY))) as stream:
        with pytest.raises(UpstreamBroken, match="not JSON"):
            while not stream.ended:
                events += stream.read(FOREVER)
        with pytest.raises(UpstreamBroken):
            stream.read(FOREVER)
    assert [event.raw for event in events] == [GOOD]


def test_a_bad_event_is_said_without_waiting_for_the_next(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(BAD)
        exchange.wait_until_caller_leaves()

    scripted.script = script
    with contextlib.closing(upstream.stream(Call(BODY))) as stream, pytest.raises(UpstreamBroken):
        stream.read(time.monotonic() + 5)
        pytest.fail("the read ended without events and without an error")


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", "compressed"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "status 204"),
        (b"nonsense\r\n\r\n", "not HTTP"),
    ],
)
def test_an_answer_that_is_no_stream_is_broken(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, head: bytes, reason: str
) -> None:
    scripted.script = lambda exchange: exchange.send(head)
    with contextlib.closing(upstream.stream(Call(BODY))) as stream:
        with pytest.raises(UpstreamBroken, match=reason):
            stream.read(FOREVER)


@pytest.mark.parametrize(
    ("data", "closes", "failure"),
    [
        (b"", True, UpstreamUnreachable),
        (b"", False, UpstreamTimeout),
        (HEAD, True, UpstreamBroken),
        (HEAD + chunked(GOOD), True, UpstreamBroken),
        (HEAD + chunked(GOOD), False, UpstreamTimeout),
    ],
)
def test_a_stream_that_breaks_off_says_so_behind_its_events(
    scripted: ScriptedUpstream,
    upstream: OpenAIUpstream,
    clock: Clock,
    data: bytes,
    closes: bool,
    failure: type[ChatApiError],
) -> None:
    def script(exchange: Exchange) -> None:
        exchange.send(data)
        if closes:
            exchange.connection.shutdown(socket.SHUT_RDWR)
        all_said.set()
        exchange.wait_until_caller_leaves()

    all_said = threading.Event()
    scripted.script = script
    asked = Call(BODY, HurriedCaller(clock, all_said))
    events: list[Event] = []
    with contextlib.closing(upstream.stream(asked)) as stream:
        with pytest.raises(failure):
            while not stream.ended:
                events += stream.read(FOREVER)
    assert [event.raw for event in events] == ([GOOD] if GOOD in data else [])
