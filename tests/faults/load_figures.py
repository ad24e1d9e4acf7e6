"""Figures of many callers at once, and of callers who leave or never read."""

from __future__ import annotations

import contextlib
import socket
import time

from tests.faults.memory import load, mixed_stand
from tests.faults.mix import KEY
from tests.faults.stand import Measured, Stand, connect, request
from tests.integration.doors import V1, V1_STREAM
from tests.integration.processes import open_files, threads
from tests.integration.stage import Script, caller_left
from tests.integration.test_callers_leaving import fall_silent, pour_out, say_nothing, talk_on
from tests.integration.wire import Call, both_workers, get, wait_for


def growth() -> dict[str, Measured]:
    """3,000 requests and 500 streams of all kinds behind a warm-up of a third as many."""
    with mixed_stand() as stand:
        load(stand, 1000, 167)
        before = stand.memory()
        load(stand, 3000, 500)
        percent = 100 * (stand.memory() - before) / before
        name = "memory growth, 3,000 requests + 500 streams"
        return {name: Measured(f"{percent:.1f} %", percent < 5, percent < 2)}


def cancelled() -> dict[str, Measured]:
    """How soon the upstream is told that the caller left: the longest of ten times."""

    def longest(script: Script, door: object = V1_STREAM, piece: bool = True) -> float:
        stand.upstream.script = script
        took = []
        for _ in range(10):
            stand.upstream.exchanges.clear()
            with Call(stand.server, door.path, door.body()) as call:  # type: ignore[attr-defined]
                if piece:
                    call.frame()
                (exchange,) = wait_for(lambda: list(stand.upstream.exchanges))
                time.sleep(0.1)
                left_at = time.monotonic()
            took.append(caller_left(exchange) - left_at)
        return 1000 * max(took)

    with Stand() as stand:
        flowing = longest(talk_on)
        silent = [longest(fall_silent), longest(say_nothing, piece=False)]
        silent.append(longest(say_nothing, V1, piece=False))
    return {
        "upstream cancelled after the client left: tokens flowing": Measured(
            f"{flowing:.0f} ms", flowing < 2000, flowing < 100
        ),
        "same: silent mid-stream / before first token / plain call": Measured(
            " / ".join(f"{value:.0f}" for value in silent) + " ms",
            max(silent) < 1000,
            max(silent) < 50,
        ),
    }


def left_behind() -> dict[str, Measured]:
    """200 callers who leave in the middle of a stream, behind as many others."""
    with Stand() as stand:
        stand.upstream.script = fall_silent
        workers = both_workers(stand.server)

        def leave(number: int) -> None:
            with contextlib.ExitStack() as stack:
                calls = [
                    Call(stand.server, V1_STREAM.path, V1_STREAM.body()) for _ in range(number)
                ]
                for call in calls:
                    stack.enter_context(call).frame()

        for _ in range(4):
            leave(50)
        wait_for(lambda: all(each.caller_left_at for each in stand.upstream.exchanges))
        files, running = open_files(*workers), threads(*workers)
        for _ in range(4):
            leave(50)
        wait_for(lambda: all(each.caller_left_at for each in stand.upstream.exchanges))
        time.sleep(1)
        open_now = sum(not each.caller_left_at for each in stand.upstream.exchanges)
        files, running = open_files(*workers) - files, threads(*workers) - running
        text = f"{open_now}, {max(0, files)}, {max(0, running)}"
        good = not open_now and files <= 30 and running <= 20
        proud = not open_now and files <= 0 and running <= 0
        name = "200 disconnects: upstream streams, fds, threads left"
        return {name: Measured(text, good, proud)}


def never_reading() -> dict[str, Measured]:
    """20 callers who never read, and an upstream that pours out."""
    with mixed_stand() as stand, contextlib.ExitStack() as stack:
        load(stand, 500, 100)
        stand.upstream.script = pour_out
        before = stand.memory()
        for _ in range(20):
            caller = stack.enter_context(connect(stand.server))
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            caller.sendall(request(V1_STREAM, None, f"x-api-key: {KEY}"))
        time.sleep(5)
        assert get(stand.server, "/health").status == 200
        grown = (stand.memory() - before) / 2**20
        name = "20 clients that never read, fast upstream: memory"
        return {name: Measured(f"{grown:+.1f} MB", grown < 100, grown < 5)}


FIGURES = (growth, cancelled, left_behind, never_reading)
