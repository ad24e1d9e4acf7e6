"""Figures of processes that die or restart, and of what must not be lost by it."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.callers import percentile
from tests.faults.stand import Measured, Stand, health
from tests.integration.appenders import Appenders
from tests.integration.doors import API_CHAT
from tests.integration.test_processes import ENDS, Held, begin, begin_at_each, rest_of
from tests.integration.test_sessions import begin as begin_session
from tests.integration.test_sessions import said
from tests.integration.wire import Call, both_workers, get, send, wait_for
from tests.ports import free_port
from tests.servers import gunicorn

SLOW_SECONDS = 2
"""An answer of `/health` that took so long is as bad as none."""


@contextlib.contextmanager
def holding() -> Iterator[tuple[Stand, Held, contextlib.ExitStack]]:
    """A server whose streams stay in their middle until they are released."""
    with Stand(GRACEFUL_TIMEOUT="25") as stand, contextlib.ExitStack() as stack:
        held = stand.upstream.script = Held()
        try:
            yield stand, held, stack
        finally:
            held.released.set()


@contextlib.contextmanager
def held_streams(number: int) -> Iterator[tuple[Stand, Held, list[Call]]]:
    """As `holding`, with so many streams, each in its middle."""
    with holding() as (stand, held, stack):
        yield stand, held, begin(stand.server, stack, number)


def is_whole(call: Call) -> bool:
    rest = rest_of(call)
    call.leave()
    return rest is not None and any(end in rest for end in ENDS)


def worker_killed() -> dict[str, Measured]:
    """A worker dies with 50 streams; as many are at the other one and go on."""
    with holding() as (stand, held, stack):
        (doomed, _), (_, calls) = begin_at_each(stand.server, stack, 50)
        with health(stand.server.port) as took:
            time.sleep(0.3)
            os.kill(doomed, signal.SIGKILL)
            wait_for(lambda: len(set(stand.server.workers()) - {doomed}) == 2)
            time.sleep(1)
            held.released.set()
            whole = sum(map(is_whole, calls))
    failed, slowest = took.count(float("inf")), max(took)
    text = f"{failed} failed probes of {len(took)}, {1000 * slowest:.0f} ms at most; "
    text += f"{whole} of the other worker's 50 streams went on"
    good = slowest < SLOW_SECONDS and whole == 50
    name = "kill -9 of a worker with 50 streams: /health failed or slow for"
    return {name: Measured(text, good, good)}


def tree_killed() -> dict[str, Measured]:
    """All processes die while sessions are written to, and the server is started anew."""
    port = str(free_port())
    settings = {"UPSTREAM": "mock", "WEB_CONCURRENCY": "2", "PORT": port}
    settings["RATE_LIMIT_PER_MINUTE"] = "0"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with gunicorn(folder, **settings) as server:
            sessions = [begin_session(server) for _ in range(20)]
            with Appenders(server) as appenders:
                time.sleep(2)
                os.killpg(server.process.pid, signal.SIGKILL)
                died_at = time.monotonic()
        with gunicorn(folder, **settings) as server:
            found = sum(get(server, f"/api/sessions/{it}").status == 200 for it in sessions)
            back = time.monotonic() - died_at
            lost = sum(
                len(set(texts) - set(said(server, session_id)))
                for session_id, texts in appenders.acknowledged.items()
            )
    return {
        "kill -9 of the whole tree: back with 20/20 sessions": Measured(
            f"{back:.1f} s, {found}/20", found == 20 and back < 5, found == 20 and back < 1.5
        ),
        "acknowledged messages lost by that": Measured(
            f"{lost} of {appenders.count}", lost == 0, lost == 0
        ),
    }


def told_to_end() -> dict[str, Measured]:
    """SIGTERM among 20 streams."""
    with held_streams(20) as (stand, held, calls):
        stand.server.process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        held.released.set()
        whole = sum(map(is_whole, calls))
        code = stand.server.process.wait(40)
    good = (whole, code) == (20, 0)
    return {"SIGTERM with 20 streams": Measured(f"{whole}/20, exit {code}", good, good)}


def told_to_reload() -> dict[str, Measured]:
    """SIGHUP among 20 streams."""
    with held_streams(20) as (stand, held, calls), health(stand.server.port) as took:
        old = set(both_workers(stand.server))
        stand.server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(set(stand.server.workers()) - old) == 2)
        held.released.set()
        whole = sum(map(is_whole, calls))
        wait_for(lambda: not old & set(stand.server.workers()))
        failed = took.count(float("inf"))
    text = f"{failed} of {len(took)}; {whole}/20 streams whole"
    good = failed == 0 and whole == 20
    return {"SIGHUP with 20 streams: failed probes": Measured(text, good, good)}


def appends() -> dict[str, Measured]:
    """100 appends to one session at once."""
    with Stand(UPSTREAM="mock") as stand, ThreadPoolExecutor(100) as pool:
        session_id = begin_session(stand.server)
        bodies = [{"session_id": session_id, "message": f"m{number}"} for number in range(100)]
        with health(stand.server.port) as took:
            replies = list(pool.map(lambda body: send(stand.server, "/chat", body), bodies))
        kept = len(set(said(stand.server, session_id)) & {body["message"] for body in bodies})
        slowest = 1000 * percentile(took, 0.99)
        good = kept == 100 and all(reply.status == 200 for reply in replies)
    name = "100 concurrent appends to one session: kept / /health p99"
    text = f"{kept} / {slowest:.0f} ms"
    return {name: Measured(text, good and slowest < 100, good and slowest < 50)}


def limited() -> dict[str, Measured]:
    """60 callers who each claim another address, and a limit of 30."""
    with Stand(RATE_LIMIT_PER_MINUTE="30") as stand, ThreadPoolExecutor(60) as pool:

        def call(number: int) -> int:
            headers = {"X-Forwarded-For": f"192.0.2.{number}", "X-Real-IP": f"192.0.2.{number}"}
            return send(stand.server, API_CHAT.path, API_CHAT.body(), headers=headers).status

        answered = list(pool.map(call, range(60))).count(200)
    name = "limit of 30: answers given to 60 spoofed callers (2 workers)"
    return {name: Measured(str(answered), answered == 30, answered == 30)}


COUNTED = (tree_killed, told_to_end, limited)
"""Those that find what is counted, however slow the machine is."""
FIGURES = (worker_killed, tree_killed, told_to_end, told_to_reload, appends, limited)
