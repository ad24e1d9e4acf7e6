"""The figures of a real server: those of all its workers, at whichever of them one asks."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import chunk, frame
from tests.figures import Figures
from tests.integration.doors import CHAT, V1, V1_STREAM, text_of
from tests.integration.wire import Call, ask, both_workers, get, send, wait_for
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server, gunicorn

CALLS, OUTCOMES = "http_requests_total", "chat_outcomes_total"


@pytest.fixture(scope="module")
def server(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    options = {"OPENAI_BASE_URL": upstream.url, "WEB_CONCURRENCY": "2"}
    with gunicorn(tmp_path_factory.mktemp("metrics"), **options) as server:
        yield server


@pytest.fixture
def held(upstream: ScriptedUpstream) -> Iterator[threading.Event]:
    """Streams say a piece, and the rest when this is set."""
    released = threading.Event()

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(frame(chunk({"role": "assistant", "content": "Hel"})))
        released.wait(30)
        with contextlib.suppress(OSError):
            exchange.chunk(frame(chunk({"content": "lo!"}, "stop")) + b"data: [DONE]\n\n")
            exchange.send(b"0\r\n\r\n")

    upstream.script = script
    yield released
    released.set()
    upstream.script = answer_plainly


def scrape(server: Server) -> Figures:
    reply = get(server, "/metrics")
    assert reply.status == 200
    return Figures(reply.body.decode())


@contextlib.contextmanager
def alone(server: Server, worker: int) -> Iterator[None]:
    """The other worker does not answer meanwhile."""
    (other,) = set(both_workers(server)) - {worker}
    os.kill(other, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(other, signal.SIGCONT)


def at_each_worker(server: Server) -> list[Figures]:
    found = []
    for worker in both_workers(server):
        with alone(server, worker):
            found.append(scrape(server))
    return found


def workers_shown(server: Server) -> int:
    return len(scrape(server).values("process_resident_memory_bytes", "worker"))


def assert_nothing_fell(before: Figures, after: Figures) -> None:
    now = after.counters()
    assert {key for key, value in before.counters().items() if now.get(key, -1) < value} == set()


def test_calls_to_both_workers_are_added_up_at_each(server: Server) -> None:
    before = scrape(server)
    for worker in both_workers(server):
        with alone(server, worker):
            for _ in range(20):
                assert ask(server, CHAT).status == 200

    def counted(name: str, found: Figures, **labels: str) -> float:
        return found.total(name, **labels) - before.total(name, **labels)

    wait_for(lambda: counted(CALLS, scrape(server), route="/chat") == 40)
    for found in at_each_worker(server):
        assert counted(CALLS, found, method="POST", route="/chat", status="200") == 40
        assert counted("http_request_duration_seconds_count", found, route="/chat") == 40
        assert counted(OUTCOMES, found, upstream="openai", outcome="ok") == 40
        assert counted("upstream_attempts_total", found, upstream="openai") == 40
        assert counted("chat_tokens_total", found, kind="prompt") == 9 * 40
        assert counted("chat_tokens_total", found, kind="completion") == 2 * 40
    assert workers_shown(server) == 2


def test_a_stream_is_counted_by_how_it_ended(
    server: Server, upstream: ScriptedUpstream, held: threading.Event
) -> None:
    before = scrape(server)

    def ended(outcome: str) -> float:
        found = scrape(server)
        return found.total(OUTCOMES, outcome=outcome) - before.total(OUTCOMES, outcome=outcome)

    with Call(server, V1_STREAM.path, V1_STREAM.body()) as call:
        assert text_of([call.frame()]) == "Hel"
    wait_for(lambda: ended("CallerGone") == 1)
    held.set()
    with Call(server, V1_STREAM.path, V1_STREAM.body()) as call:
        assert text_of(call.frames()) == "Hello!"
    wait_for(lambda: ended("ok") == 1)

    def broken(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(frame(chunk({"content": "Hel"})))
        exchange.send(b"0\r\n\r\n")

    upstream.script = broken
    assert b'"error"' in send(server, V1_STREAM.path, V1_STREAM.body()).body
    wait_for(lambda: ended("UpstreamBroken") == 1)
    found = scrape(server)
    assert found.total(OUTCOMES) - before.total(OUTCOMES) == 3
    name = "chat_first_piece_seconds_count"
    assert found.total(name) - before.total(name) == 3


def test_what_a_killed_worker_counted_stays_and_what_it_was_doing_ends(
    server: Server, held: threading.Event
) -> None:
    doomed, other = both_workers(server)
    # What a worker last said of itself stays as long as it is stopped.
    wait_for(lambda: scrape(server).total("chat_completions_in_flight") == 0)
    with contextlib.ExitStack() as stack:
        with alone(server, doomed):
            for _ in range(5):
                call = stack.enter_context(Call(server, V1_STREAM.path, V1_STREAM.body()))
                assert text_of([call.frame()]) == "Hel"
            wait_for(lambda: scrape(server).total("chat_completions_in_flight") == 5)
        with alone(server, other):
            before = scrape(server)
            assert before.total("chat_completions_in_flight") == 5, "seen from the other worker"
        os.kill(doomed, signal.SIGKILL)
        wait_for(lambda: doomed not in (now := both_workers(server)) and now)
    wait_for(lambda: scrape(server).total("chat_completions_in_flight") == 0)
    held.set()
    for found in at_each_worker(server):
        assert_nothing_fell(before, found)
    (successor,) = set(both_workers(server)) - {other}
    with alone(server, successor):
        assert ask(server, V1, stream=True).status == 200
    calls = before.total(OUTCOMES, outcome="ok") + 1
    wait_for(lambda: scrape(server).total(OUTCOMES, outcome="ok") == calls)
    for found in at_each_worker(server):
        assert found.total(OUTCOMES, outcome="ok") == calls
    assert workers_shown(server) == 2


@pytest.mark.parametrize("time", ["first", "second", "third"])
def test_an_exchange_of_all_workers_loses_no_figure(server: Server, time: str) -> None:
    before, old = scrape(server), set(both_workers(server))
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(now := set(server.workers())) == 2 and not now & old)
    ask(server, CHAT)
    calls = before.total(CALLS, route="/chat") + 1
    wait_for(lambda: scrape(server).total(CALLS, route="/chat") == calls)
    for found in at_each_worker(server):
        assert_nothing_fell(before, found)
        assert found.total(CALLS, route="/chat") == calls
    wait_for(lambda: workers_shown(server) == 2)  # the master is told of a death a little later


def test_nothing_crashed(server: Server) -> None:
    assert "Traceback" not in server.log() and '"crash"' not in server.log()


def test_no_file_is_left_or_needed(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    """Neither a folder for temporary files nor a place for data is there."""
    options = {"OPENAI_BASE_URL": upstream.url, "DATA_DIR": "/dev/null/data"}
    folder = tmp_path / "temporary"
    folder.mkdir()
    with gunicorn(tmp_path, TMPDIR=str(folder), **options) as server:
        folder.rmdir()
        assert ask(server, CHAT).status == 200
        wait_for(lambda: scrape(server).total(CALLS, route="/chat", status="200") == 1)
