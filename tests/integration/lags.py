"""How long the pieces of a stream are on their way."""

from __future__ import annotations

import threading
import time

from tests.fakes import chunk, frame
from tests.integration.doors import ASK, Door
from tests.integration.wire import PATIENCE_SECONDS, Call
from tests.scripted import Exchange, ScriptedUpstream
from tests.servers import Server

PIECES = 20


def lags(server: Server, upstream: ScriptedUpstream, door: Door) -> list[float]:
    """Seconds from the upstream's sending of a piece to its arrival; the next one is not sent
    before this one is there, so that a proxy which keeps one back ends in a time-out."""
    arrived = threading.Semaphore(0)
    sent: list[float] = []

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        for number in range(PIECES):
            sent.append(time.monotonic())
            exchange.chunk(frame(chunk({"content": f"{number % 10}"})))
            assert arrived.acquire(timeout=PATIENCE_SECONDS), "a piece was kept back"
        exchange.chunk(frame(chunk({}, "stop")) + b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")

    upstream.script = script
    took = []
    with Call(server, door.path, door.body()) as call:
        for number in range(PIECES):
            piece = call.reply.read(1) if door is ASK else call.frame()
            took.append(time.monotonic() - sent[number])
            assert f"{number % 10}".encode() in piece
            arrived.release()
        call.reply.read()
    return took
