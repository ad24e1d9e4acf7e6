"""Figures of thousands of callers: they and their upstream are programs in C (`benchmarks.native`),
so that it is the server that is measured."""

from __future__ import annotations

import contextlib
import resource
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.callers import Seen, call, http_request, percentile
from benchmarks.native import compile_programs, upstream
from benchmarks.processes import CannotRun, memory_bytes
from benchmarks.replies import marks, request_body, write_replies
from benchmarks.targets import KEY, Target, server
from tests.faults.stand import Measured, Stand, health, request
from tests.integration.doors import CHAT
from tests.leaks import Secrets, leaks

MOST_HELD = 4_000
DESCRIPTORS = 2 * MOST_HELD + 2_000
"""A worker may have all of them, each with one towards the upstream."""
HELD_SECONDS = 16
BEGIN_A_SECOND = 600


class Crowd:
    """A server with two workers, and the means to call it."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target = target
        self._folder = folder
        self.idle = self.memory()
        """Before it was asked for anything."""

    def call(self, *, paced: int = 0, stream: bool = False, **options: Any) -> Seen:
        """Let callers call (`benchmarks.callers`): for whole answers, for streams that come at
        once, or for so many events that come one by one."""
        expected = marks(True, paced) if paced else marks(stream)
        wanted = http_request(self.target, request_body(stream=stream, paced=bool(paced)))
        return call(self.target, wanted, expected, self._folder, **options)

    def warm_up(self) -> None:
        """Have it make all that is made once."""
        for stream in (False, True):
            self.call(stream=stream, callers=32, stop=1.5)

    def memory(self) -> int:
        """Bytes that its processes hold (PSS)."""
        return memory_bytes(self.target.session)


@contextlib.contextmanager
def crowd(pause_ms: int, events: int) -> Iterator[Crowd]:
    """A server before an upstream that pauses before each of the events of its paced answers.

    Raises:
        CannotRun: there is no C compiler.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compile_programs(folder)
        write_replies(folder, events)
        with (
            upstream(folder, folder, pause_ms) as (port, _),
            server("ours", port, folder, workers=2, MAX_STREAMS=str(MOST_HELD)) as target,
        ):
            time.sleep(1)  # both workers are up, and their stores open
            found = Crowd(target, folder)
            found.warm_up()
            yield found
        secrets = Secrets({"OPENAI_API_KEY": KEY})
        Stand.secrets += len(leaks(secrets, folder / "ours.log", folder, {}))


def paced_streams() -> dict[str, Measured]:
    """300 streams at four pieces a second. The upstream pauses before the first one, too."""
    count, pause_ms, events = 300, 250, 24
    with crowd(pause_ms, events) as stand:
        before = stand.memory()
        grown: list[float] = []

        def weigh() -> None:
            time.sleep(3)
            grown.append((stand.memory() - before) / count)

        with health(stand.target.port) as took:
            seen = stand.call(paced=events, callers=count, ramp=1, each=1, meanwhile=weigh)
        first_ms = 1000 * percentile(seen.firsts, 0.99) - pause_ms if seen.firsts else 99_999.0
        health_ms, each, idle = 1000 * percentile(took, 0.99), grown[0], stand.idle
        whole = not seen.failures
        return {
            "300 streams at 4 tokens/s: first token p99 / `/health` p99": Measured(
                f"{first_ms:.0f} / {health_ms:.0f} ms, {len(seen.wholes)} whole",
                whole and first_ms < 500 and health_ms < 250,
                whole and first_ms < 100 and health_ms < 20,
            ),
            "memory per stream (300 at once) / whole tree when idle (PSS)": Measured(
                f"{each / 1024:.0f} KB / {idle / 2**20:.0f} MB",
                each < 100 * 1024 and idle < 200 * 2**20,
                each < 30 * 1024 and idle < 130 * 2**20,
            ),
        }


def held_streams() -> dict[str, Measured]:
    """The greatest number of slow streams that all came whole while `/health` was well."""
    name = "concurrent paced streams (1 token/s) held with /health p99 < 250 ms"
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit < DESCRIPTORS:
        raise CannotRun(f"a process may open {limit:,} files here, and {DESCRIPTORS:,} it takes")
    held, told = 0, []
    with crowd(1000, HELD_SECONDS) as stand:
        for count in (MOST_HELD // 2, MOST_HELD):
            ramp = count / BEGIN_A_SECOND
            with ThreadPoolExecutor(1) as beside:
                probes = beside.submit(_probe, stand.target.port, ramp, HELD_SECONDS - ramp - 1)
                seen = stand.call(paced=HELD_SECONDS, callers=count, ramp=ramp, each=1)
                slowest = 1000 * percentile(probes.result(), 0.99)
            told.append(f"{len(seen.wholes):,} whole, {slowest:.0f} ms")
            if seen.failures or slowest >= 250:
                break
            held = count
    return {name: Measured("; ".join(told), held >= MOST_HELD // 2, held == MOST_HELD)}


def plain_requests() -> dict[str, Measured]:
    """32 callers who ask again as soon as they have their answer."""
    with crowd(250, 2) as stand:
        seen = stand.call(callers=32, stop=5)
    rate = len(seen.wholes) / seen.seconds
    good = not seen.failures
    name = "plain requests/s (client on the same 2 cores)"
    return {name: Measured(f"{rate:,.0f}", good and rate > 400, good and rate > 600)}


def crawling() -> dict[str, Measured]:
    """A caller beside 200 whose head, or whose body, does not come."""
    found = []
    with crowd(250, 2) as stand:
        for begun in (b"POST /chat HTTP/1.1\r\nX-A", request(CHAT, length=5000)[:-5]):
            with contextlib.ExitStack() as stack:
                for _ in range(200):
                    address = "127.0.0.1", stand.target.port
                    stack.enter_context(socket.create_connection(address, 20)).sendall(begun)
                seen = stand.call(each=500)
                slowest = 1000 * percentile(seen.wholes, 0.99) if seen.wholes else float("inf")
                found.append(float("inf") if seen.failures else slowest)
    text = " / ".join(f"{value:.0f}" for value in found) + " ms"
    name = "200 slowloris connections: others' p99 (headers / bodies)"
    return {name: Measured(text, max(found) < 1000, max(found) < 20)}


def _probe(port: int, pause: float, seconds: float) -> list[float]:
    """What `/health` took for so long, behind that pause."""
    time.sleep(pause)
    with health(port) as took:
        time.sleep(seconds)
    return took


FIGURES = (paced_streams, held_streams, plain_requests, crawling)
