"""A stream that always has more to say, to a caller who takes it all, lets others have a turn."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import chunk, frame
from tests.integration.doors import V1, V1_STREAM, frames_of, text_of
from tests.integration.wire import Call, ask, get, wait_for
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server, gunicorn

FLOOD = "Never stop."
PIECES = frame(chunk({"content": "on and on "})) * 5_000
"""Sent in one call, over and over: far faster than anybody reads them."""
MOST_TAKEN = 300_000_000
"""Bytes of the flood while three others were answered. 32 to 45 million were seen; turns of 50 ms
instead of two made it 800 million and more. On a slow machine it is less, since turns are timed."""


def flood(exchange: Exchange) -> None:
    if exchange.json["messages"][-1]["content"] != FLOOD:
        answer_plainly(exchange)
        return
    exchange.start_stream()
    with contextlib.suppress(OSError):
        while True:
            exchange.chunk(PIECES)


@pytest.fixture
def flooded(tmp_path: Path) -> Iterator[Server]:
    """A server of one worker, so that everybody depends on the same event loop."""
    with ScriptedUpstream() as upstream:
        upstream.script = flood
        environment = {"OPENAI_BASE_URL": upstream.url, "OPENAI_API_KEY": "sk-upstream-key"}
        with gunicorn(tmp_path, WEB_CONCURRENCY="1", **environment) as server:
            yield server


def test_a_flood_leaves_others_their_turn(flooded: Server) -> None:
    taken, is_over = 0, threading.Event()

    def take() -> None:
        nonlocal taken
        with Call(flooded, V1_STREAM.path, V1_STREAM.body(FLOOD)) as call:
            while not is_over.is_set() and (piece := call.reply.read1(1_000_000)):
                taken += len(piece)

    taking = threading.Thread(target=take)
    taking.start()
    meanwhile = []
    try:
        wait_for(lambda: taken)
        for _ in range(3):
            before = taken
            assert get(flooded, "/health").status == 200
            assert ask(flooded, V1).status == 200
            assert text_of(frames_of(ask(flooded, V1_STREAM).body)) == "Hello!"
            meanwhile.append(taken - before)
    finally:
        is_over.set()
        taking.join()
    assert any(meanwhile), "it goes on itself"
    assert min(meanwhile) < MOST_TAKEN
