"""Bare text over a real server: whole answers look whole, and no others do."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes import chunk, frame
from tests.integration.doors import API_CHAT, ASK, Door, door_name
from tests.integration.stage import Stage, caller_left
from tests.integration.wire import Call, ask, log_line
from tests.scripted import Exchange, ScriptedUpstream
from tests.servers import Server, gunicorn

CURL_TRANSFER_NOT_WHOLE = 18
CURL_RECEIVE_ERROR = 56


def break_off(exchange: Exchange) -> None:
    """One piece, then the end of the connection."""
    exchange.start_stream()
    exchange.chunk(frame(chunk({"content": "Hel"})))
    time.sleep(0.2)  # so that the piece leaves on its own
    exchange.connection.shutdown(socket.SHUT_RDWR)


def stop_without_a_reason(exchange: Exchange) -> None:
    """A body that ends well, an answer that does not."""
    exchange.start_stream()
    exchange.chunk(frame(chunk({"content": "Hel"})))
    exchange.send(b"0\r\n\r\n")


def error_event(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(frame(chunk({"content": "Hel"})))
    exchange.chunk(frame({"error": {"message": "secret"}}))
    exchange.send(b"0\r\n\r\n")


def fall_silent(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(frame(chunk({"content": "Hel"})))
    exchange.wait_until_caller_leaves()


def role_and_no_word(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(frame(chunk({"role": "assistant", "content": ""})))
    exchange.send(b"0\r\n\r\n")


both = pytest.mark.parametrize("door", [ASK, API_CHAT], ids=door_name)
BROKEN = [break_off, stop_without_a_reason, error_event, fall_silent, role_and_no_word]


def raw(
    server: Server,
    version: str,
    door: Door = ASK,
    *,
    at_hel: Callable[[socket.socket], object] | None = None,
) -> tuple[bytes, bool]:
    """All that a caller receives, and whether the connection ended in a reset.

    Args:
        at_hel: is called with the connection once the first piece is there.
    """
    body = json.dumps(door.body()).encode()
    head = (
        f"POST {door.path} HTTP/{version}\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as caller:
        caller.sendall(head + body)
        try:
            while not received.endswith(b"\r\n0\r\n\r\n") and (piece := caller.recv(65_536)):
                received += piece
                if at_hel and b"Hel" in received:
                    at_hel(caller)
                    at_hel = None
        except ConnectionResetError:
            return received, True
    return received, False


@pytest.fixture
def server(script: object, request: pytest.FixtureRequest) -> Server:
    """Who waits long, unless there is nothing to wait for."""
    found: Server = request.getfixturevalue("impatient" if script is fall_silent else "relay")
    return found


@both
def test_a_whole_answer_ends_as_its_protocol_says(relay: Server, stage: Stage, door: Door) -> None:
    reply = ask(relay, door)
    assert (reply.status, reply.body) == (200, b"Hello!")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-vercel-ai-data-stream"] == ("v1" if door == ASK else None)
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    received, reset = raw(relay, "1.1", door)
    assert received.endswith(b"\r\n0\r\n\r\n") and not reset
    received, reset = raw(relay, "1.0", door)
    assert received.endswith(b"\r\n\r\nHello!") and not reset


@both
@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("script", BROKEN)
def test_a_broken_answer_is_a_broken_transfer(
    server: Server, stage: Stage, script: object, door: Door
) -> None:
    stage.play(script)  # type: ignore[arg-type]
    with Call(server, door.path, door.body()) as call:
        assert call.reply.status == 200
        with pytest.raises(http.client.IncompleteRead) as caught:
            call.reply.read()
        assert caught.value.partial == (b"" if script is role_and_no_word else b"Hel")
    assert log_line(server, call)["outcome"] in ("UpstreamBroken", "UpstreamTimeout")


@both
@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("script", BROKEN)
def test_a_broken_answer_has_no_closing_chunk_and_to_http_1_0_ends_in_a_reset(
    server: Server, stage: Stage, script: object, door: Door
) -> None:
    stage.play(script)  # type: ignore[arg-type]
    with ThreadPoolExecutor() as pool:
        (received, reset), (_, reset_1_0) = pool.map(
            lambda version: raw(server, version, door), ["1.1", "1.0"]
        )
    assert not received.endswith(b"0\r\n\r\n") and not reset
    assert received.startswith(b"HTTP/1.1 200 ")
    assert reset_1_0


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("version", "code"), [("--http1.1", CURL_TRANSFER_NOT_WHOLE), ("--http1.0", CURL_RECEIVE_ERROR)]
)
def test_curl_sees_it(relay: Server, stage: Stage, version: str, code: int) -> None:
    command = ["curl", "-sN", version, f"{relay.url}/ask", "-H", "content-type: application/json"]
    command += ["-d", '{"messages":[{"role":"user","content":"Hi"}]}']
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    stage.play(break_off)
    broken = subprocess.run(command, capture_output=True, check=False)
    assert (broken.returncode, broken.stdout) == (code, b"Hel")


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_caller_who_half_closed_does_not_take_it_for_whole(
    relay: Server, stage: Stage, version: str
) -> None:
    stage.play(fall_silent)
    received, reset = raw(relay, version, at_hel=lambda caller: caller.shutdown(socket.SHUT_WR))
    assert b"Hel" in received and not received.endswith(b"0\r\n\r\n")
    assert reset == (version == "1.0")


@both
def test_the_upstream_is_left_with_the_caller_though_nothing_is_written(
    relay: Server, stage: Stage, door: Door
) -> None:
    stage.play(fall_silent)
    for took in stage.rounds():
        with Call(relay, door.path, door.body()) as call:
            assert call.reply.read(3) == b"Hel"
            gone_at = time.monotonic()
        took.append(caller_left(stage.exchange()) - gone_at)


def test_a_worker_that_is_killed_leaves_no_answer_that_looks_whole(
    tmp_path: Path, scripted: ScriptedUpstream
) -> None:
    scripted.script = fall_silent
    options = {"OPENAI_BASE_URL": scripted.url, "WEB_CONCURRENCY": "1"}
    with gunicorn(tmp_path, **options) as server:
        received, reset = raw(
            server, "1.0", at_hel=lambda _: os.kill(server.workers()[0], signal.SIGKILL)
        )
    assert received.endswith(b"Hel") and reset
