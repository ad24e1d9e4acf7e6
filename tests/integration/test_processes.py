"""Signals and deaths: what becomes of streams and of the server."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import chunk, frame
from tests.integration.doors import ASK, CHAT_STREAM, V1, V1_STREAM, text_of
from tests.integration.processes import is_alive
from tests.integration.wire import Call, both_workers, get, log_line, wait_for
from tests.scripted import Exchange, ScriptedUpstream
from tests.servers import Server, gunicorn

ENDS = (b"data: [DONE]\n\n", b'data: {"done": true')


class Held:
    """Upstream streams that say a piece, and the rest when they are let go."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.says_something = True

    def __call__(self, exchange: Exchange) -> None:
        if not self.says_something:
            exchange.wait_until_caller_leaves(30)
            return
        exchange.start_stream()
        exchange.chunk(frame(chunk({"role": "assistant", "content": "Hel"})))
        self.released.wait(30)
        with contextlib.suppress(OSError):
            exchange.chunk(frame(chunk({"content": "lo!"}, "stop")) + b"data: [DONE]\n\n")
            exchange.send(b"0\r\n\r\n")


class Prober:
    """Asks for /health on new connections all the while."""

    def __init__(self, server: Server) -> None:
        self.answers: list[object] = []
        self._server = server
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stopped.wait(0.03):
            try:
                self.answers.append(get(self._server, "/health").status)
            except OSError as error:
                self.answers.append(error)

    def __enter__(self) -> Prober:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


@pytest.fixture
def held(upstream: ScriptedUpstream) -> Iterator[Held]:
    held = upstream.script = Held()
    yield held
    held.released.set()


@pytest.fixture(scope="module")
def lasting(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that outlives what is done to it."""
    options = {"OPENAI_BASE_URL": upstream.url, "WEB_CONCURRENCY": "2"}
    with gunicorn(tmp_path_factory.mktemp("lasting"), **options) as server:
        yield server


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def begin(server: Server, stack: contextlib.ExitStack, number: int) -> list[Call]:
    """So many streams of both families, each with its first piece read."""
    doors = [(V1_STREAM, CHAT_STREAM)[turn % 2] for turn in range(number)]
    calls = [stack.enter_context(Call(server, door.path, door.body())) for door in doors]
    assert {text_of([call.frame()]) for call in calls} == {"Hel"}
    return calls


def begin_at_each(
    server: Server, stack: contextlib.ExitStack, number: int
) -> list[tuple[int, list[Call]]]:
    """Both workers, each with so many streams of its own."""
    one, other = both_workers(server)
    found = []
    for worker, sleeper in ((one, other), (other, one)):
        os.kill(sleeper, signal.SIGSTOP)  # so that it is known who serves
        found.append((worker, begin(server, stack, number)))
        os.kill(sleeper, signal.SIGCONT)
    return found


def assert_whole(calls: list[Call]) -> None:
    for call in calls:
        frames = call.frames()
        assert text_of(frames) == "lo!"
        assert frames[-1].startswith(ENDS)
        call.leave()


def test_sigterm_lets_live_streams_end_whole(
    upstream: ScriptedUpstream, held: Held, tmp_path: Path, stack: contextlib.ExitStack
) -> None:
    with gunicorn(tmp_path, OPENAI_BASE_URL=upstream.url, WEB_CONCURRENCY="2") as server:
        found = begin_at_each(server, stack, 10)
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: refuses(server))
        assert all(is_alive(worker) for worker, _ in found)
        held.released.set()
        for _, calls in found:
            assert_whole(calls)
        assert server.process.wait(15) == 0
        assert "Traceback" not in server.log()


def test_what_is_cut_off_by_the_graceful_timeout_is_told_so(
    upstream: ScriptedUpstream, held: Held, tmp_path: Path, stack: contextlib.ExitStack
) -> None:
    options = {"OPENAI_BASE_URL": upstream.url, "GRACEFUL_TIMEOUT": "1"}
    with gunicorn(tmp_path, WEB_CONCURRENCY="1", **options) as server:
        calls = begin(server, stack, 2)
        bare = stack.enter_context(Call(server, ASK.path, ASK.body()))
        assert bare.reply.read(3) == b"Hel"
        responses = stack.enter_context(
            Call(server, "/v1/responses", {"input": "Hi", "stream": True})
        )
        assert b"response.created" in responses.frame()
        held.says_something = False
        asked = len(upstream.exchanges)
        whole = stack.enter_context(Call(server, V1.path, V1.body()))
        wait_for(lambda: len(upstream.exchanges) > asked)
        started = time.monotonic()
        assert server.stop() == 0
        assert 1.0 <= time.monotonic() - started < 8.0
        for call, door in zip(calls, (V1_STREAM, CHAT_STREAM), strict=True):
            (last,) = call.frames()
            assert "was stopped" in door.error_text(last.removeprefix(b"data: "))
        assert rest_of(bare) is None, "bare text that is not whole is a broken transfer"
        assert b"event: response.failed" in responses.frames()[-1]
        assert (whole.reply.status, whole.reply.headers["Retry-After"]) == (503, "1")
        for call in (*calls, bare, responses, whole):
            assert log_line(server, call)["outcome"] == "ServerStopping"
        assert "Traceback" not in server.log()


def test_sighup_exchanges_the_workers_and_loses_nothing(
    lasting: Server, held: Held, stack: contextlib.ExitStack
) -> None:
    calls = begin(lasting, stack, 20)
    old = set(both_workers(lasting))
    with Prober(lasting) as prober:
        lasting.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(set(lasting.workers()) - old) == 2)
        new = begin(lasting, stack, 4)
        held.released.set()
        assert_whole([*calls, *new])
        wait_for(lambda: len(lasting.workers()) == 2 and not old & set(lasting.workers()))
    assert set(prober.answers) == {200}
    assert get(lasting, "/health").status == 200


def test_the_other_worker_goes_on_when_one_is_killed(
    lasting: Server, held: Held, stack: contextlib.ExitStack
) -> None:
    (doomed, lost), (other, calls) = begin_at_each(lasting, stack, 6)
    os.kill(doomed, signal.SIGKILL)
    with Prober(lasting) as prober:
        wait_for(lambda: len(set(lasting.workers()) - {doomed}) == 2)
        wait_for(lambda: len(prober.answers) > 10)
        held.released.set()
        assert_whole(calls)
    assert set(prober.answers) == {200}
    assert {rest_of(call) for call in lost} == {None}
    assert other in lasting.workers()
    assert get(lasting, "/health").status == 200


def refuses(server: Server) -> bool:
    """Whether new connections are refused; who still gets in is served, or sent away at once."""
    try:
        assert get(server, "/health").status == 200
    except ConnectionRefusedError:
        return True
    except ConnectionError:  # it was not taken from the queue any more
        return False
    return False


def rest_of(call: Call) -> bytes | None:
    """What still comes; None where the connection breaks off, as every HTTP client notices."""
    try:
        return b"".join(call.frames())
    except (OSError, http.client.HTTPException):
        return None
