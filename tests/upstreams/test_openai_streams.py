"""Streamed replies: events as they come, what spoils them, and what becomes of the connection."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from chat_api.errors import (
    CallerGone,
)
from chat_api.upstreams.base import Call, Event, EventStream, JsonObject
from chat_api.upstreams.openai import OpenAIUpstream
from tests.fakes import chunk, chunks, frame
from tests.scripted import Exchange, ScriptedUpstream
from tests.upstreams.helpers import Visitor, after, soon
from tests.upstreams.wire import FOREVER, RawServer, receive

Upstreams = Callable[..., OpenAIUpstream]
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
GOOD = frame(chunk({"content": "Hi"}, "stop"))
DONE = b"data: [DONE]\n\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def read_all(stream: EventStream) -> list[JsonObject]:
    return [event.data for event in read_events(stream)]


def read_events(stream: EventStream) -> list[Event]:
    events: list[Event] = []
    while not stream.ended:
        events += stream.read(FOREVER)
    return events


@pytest.fixture
def upstream(scripted: ScriptedUpstream, openai_at: Upstreams) -> OpenAIUpstream:
    return openai_at(scripted.url)


def test_events_come_with_their_bytes(scripted: ScriptedUpstream, upstream: OpenAIUpstream) -> None:
    with contextlib.closing(upstream.stream(Call(BODY))) as stream:
        events = read_events(stream)
        assert stream.read(FOREVER) == [], "the end stays the end"
    assert [event.data for event in events] == chunks("Hel", "lo!")
    assert [event.raw for event in events] == [frame(data) for data in chunks("Hel", "lo!")]
    assert scripted.exchanges[0].json == BODY


def test_events_come_when_they_come(scripted: ScriptedUpstream, upstream: OpenAIUpstream) -> None:
    def script(exchange: Exchange) -> None:
        asked.wait(5)
        exchange.start_stream()
        for _ in range(2):
            exchange.chunk(GOOD)
            read.wait(5)
            read.clear()

    asked, read = threading.Event(), threading.Event()
    scripted.script = script
    with contextlib.closing(upstream.stream(Call(BODY))) as stream:
        assert stream.read(time.monotonic() + 0.02) == [] and not stream.ended
        asked.set()
        assert len(stream.read(FOREVER)) == 1
        assert stream.read(time.monotonic() + 0.02) == [] and not stream.ended
        read.set()
        assert len(stream.read(FOREVER)) == 1
    read.set()


@pytest.mark.parametrize("last", [GOOD, GOOD.rstrip(), GOOD + DONE.rstrip()])
def test_a_stream_may_end_without_done(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, last: bytes
) -> None:
    def script(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + GOOD + last)
        exchange.connection.shutdown(socket.SHUT_RDWR)

    scripted.script = script
    with contextlib.closing(upstream.stream(Call(BODY))) as stream:
        assert len(read_all(stream)) == 2


@pytest.mark.parametrize("arrives", [True, False])
def test_a_connection_is_kept_when_done_came(
    raw: Callable[..., RawServer], openai_at: Upstreams, arrives: bool
) -> None:
    """The last chunk's framing may come behind [DONE]; it is taken in where it is there."""

    def serve(connection: socket.socket, number: int) -> None:
        while receive(connection):
            connection.sendall(HEAD + chunked(GOOD, DONE))
            ended.wait(5)
            if arrives:
                connection.sendall(b"0\r\n\r\n")
            sent.set()

    ended, sent = threading.Event(), threading.Event()
    server = raw(serve)
    upstream = openai_at(server.url)
    for _ in range(3):
        ended.clear()
        sent.clear()
        stream = upstream.stream(Call(BODY))
        assert len(read_all(stream)) == 1
        ended.set()
        assert sent.wait(5)
        with soon():
            stream.close()
            stream.close()
    assert server.connections == (1 if arrives else 3)


def test_close_midway_stops_the_upstream(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(GOOD)
        if exchange.wait_until_caller_leaves():
            was_left.set()

    was_left = threading.Event()
    scripted.script = script
    stream = upstream.stream(Call(BODY))
    assert len(stream.read(FOREVER)) == 1
    stream.close()
    assert was_left.wait(10)


def test_a_caller_who_leaves_midway_ends_the_read(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, visitor: Visitor
) -> None:
    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(GOOD)
        exchange.wait_until_caller_leaves()

    scripted.script = script
    with contextlib.closing(upstream.stream(Call(BODY, visitor.caller))) as stream:
        assert len(stream.read(FOREVER)) == 1
        with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
            stream.read(FOREVER)
