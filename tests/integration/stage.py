"""What a scripted upstream does in a test."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from tests.fakes import chunk, frame
from tests.integration.wire import PATIENCE_SECONDS, wait_for
from tests.scripted import Exchange, ScriptedUpstream

Script = Callable[[Exchange], object]

CANARY = "sk-canary-in-the-upstreams-words"
PROMISED_SECONDS = 1.0
"""Within these an upstream is told that nobody waits for it any more."""
INTERNAL = {"error": {"message": f"secret {CANARY} at 10.0.0.7", "type": "x", "code": "y"}}


class Stage:
    """A scripted upstream for one test: what it shall do, and what it was asked since."""

    def __init__(self, upstream: ScriptedUpstream) -> None:
        self._upstream = upstream
        self._before = len(upstream.exchanges)

    def play(self, *scripts: Script) -> None:
        """For each prompt: the first script answers the first try, and so on; the last goes on."""
        tries: dict[str, Iterator[Script]] = defaultdict(lambda: iter(scripts))
        self._upstream.script = lambda exchange: next(tries[prompt_of(exchange)], scripts[-1])(
            exchange
        )

    def play_by_prompt(self, scripts: dict[str, list[Script]]) -> None:
        """As `play`, with other scripts for each prompt."""
        tries = {prompt: iter(listed) for prompt, listed in scripts.items()}
        self._upstream.script = lambda exchange: next(tries[prompt_of(exchange)])(exchange)

    def tries(self, prompt: str) -> int:
        """How often it was asked that."""
        return sum(prompt_of(exchange) == prompt for exchange in self.exchanges)

    @property
    def url(self) -> str:
        """Where the upstream is."""
        return self._upstream.url

    @property
    def exchanges(self) -> list[Exchange]:
        return self._upstream.exchanges[self._before :]

    def rounds(self) -> Iterator[list[float]]:
        """Rounds of what must take less than `PROMISED_SECONDS`; each notes what it took. The first
        that kept to it is the last: a busy machine may hold up one, who is too slow is in all."""
        took: list[float] = []
        for _ in range(3):
            self._before = len(self._upstream.exchanges)
            yield took
            if took[-1] < PROMISED_SECONDS:
                return
        raise AssertionError(f"not once within {PROMISED_SECONDS} s: {took}")

    def exchange(self) -> Exchange:
        """The first one; waits for it."""
        return wait_for(lambda: self.exchanges and self.exchanges[0] or None)


def caller_left(exchange: Exchange) -> float:
    """When its caller left; waits for it."""
    return wait_for(lambda: exchange.caller_left_at)


def prompt_of(exchange: Exchange) -> str:
    """What the upstream was asked; "" where it was no chat."""
    return str(exchange.json["messages"][-1]["content"]) if exchange.raw else ""


def refuse(status: int, body: Any = INTERNAL, headers: str = "") -> Script:
    """A whole answer of that status."""
    return lambda exchange: exchange.reply(status, body, headers)


def write_until_left(exchange: Exchange, has_left: threading.Event) -> None:
    """A stream without an end. It is never silent: the server's patience must not end it."""
    exchange.start_stream()
    try:
        while not has_left.wait(0.1):
            exchange.chunk(frame(chunk({"content": "And then "})))
    except OSError:
        has_left.set()


def wait_without_silence(exchange: Exchange, event: threading.Event) -> None:
    """Amid a stream, for `PATIENCE_SECONDS` at most. Comments, which nobody is told of: the
    server's patience must not end what a test looks at meanwhile."""
    wait_by = time.monotonic() + PATIENCE_SECONDS
    while not event.wait(0.2) and time.monotonic() < wait_by:
        exchange.chunk(b": \n\n")


def reset(exchange: Exchange) -> None:
    """End the connection with a reset, before a byte of an answer."""
    linger = struct.pack("ii", 1, 0)
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    exchange.connection.close()
