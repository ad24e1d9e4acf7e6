"""Rate limits on the real server: two workers, one count."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from chat_api.stores.engines import FILE_NAME
from tests.integration.counting import at_once, counted
from tests.integration.doors import ASK, CHAT, CHAT_STREAM, DOORS, RESPONSES, V1, V1_STREAM, Door
from tests.integration.wire import (
    PATIENCE_SECONDS,
    Call,
    ask,
    both_workers,
    get,
    send,
    wait_for,
)
from tests.ports import free_port
from tests.redis_server import RedisServer
from tests.servers import Server, gunicorn

LIMIT = 30
CALLS = 60
OTHER = {"X-Forwarded-For": "198.51.100.7"}


@contextlib.contextmanager
def limited(folder: Path, limit: int = LIMIT, **settings: str) -> Iterator[Server]:
    """Two workers that have just been started."""
    settings = {"UPSTREAM": "mock", "WEB_CONCURRENCY": "2", **settings}
    with gunicorn(folder, RATE_LIMIT_PER_MINUTE=str(limit), **settings) as server:
        both_workers(server)
        yield server


@pytest.mark.parametrize("backend", ["sqlite", "postgresql", "redis"])
def test_of_sixty_calls_at_once_exactly_thirty_are_answered(
    request: pytest.FixtureRequest, tmp_path: Path, backend: str
) -> None:
    settings = {}
    if backend == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("postgresql_url")
    if backend == "redis":
        settings["REDIS_URL"] = request.getfixturevalue("redis_server").url
    with limited(tmp_path, **settings) as server:
        replies = counted(server, CALLS)
        assert Counter(reply.status for reply in replies) == {200: LIMIT, 429: CALLS - LIMIT}
        left = [int(r.headers["X-RateLimit-Remaining"]) for r in replies if r.status == 200]
        assert sorted(left) == list(range(LIMIT)), "two were told the same"
        checks = get(server, "/health/ready").json["checks"]
        assert checks["limiter"] == {"status": "ok", "detail": backend}
        assert '"crash"' not in server.log()


def test_a_trusted_proxy_tells_callers_apart(tmp_path: Path) -> None:
    with limited(tmp_path, 2, TRUSTED_PROXIES="1") as server:
        assert [reply.status for reply in at_once(server, CALLS)] == [200] * CALLS
        spoofed = [{"X-Forwarded-For": f"192.0.2.{n}, 198.51.100.7"} for n in range(4)]
        replies = [send(server, CHAT.path, CHAT.body(), headers=headers) for headers in spoofed]
        assert [reply.status for reply in replies] == [200, 200, 429, 429]


def test_who_comes_through_a_unix_socket_is_one_caller_or_whom_the_proxy_names(
    tmp_path: Path,
) -> None:
    for proxies, expected in (("0", [200, 200, 429, 429]), ("1", [200] * 4)):
        folder = tmp_path / proxies
        folder.mkdir()
        path = folder / "socket"
        settings = {"UPSTREAM": "mock", "RATE_LIMIT_PER_MINUTE": "2", "TRUSTED_PROXIES": proxies}
        binds = [f"--bind=127.0.0.1:{(port := free_port())}", f"--bind=unix:{path}"]
        with gunicorn(folder, *binds, PORT=str(port), **settings):
            statuses = [post_by_socket(path, f"203.0.113.{number}") for number in range(4)]
        assert statuses == expected


def post_by_socket(path: Path, forwarded_for: str) -> int:
    """The status of a call through a Unix socket."""
    body = b'{"message": "Hi"}'
    head = (
        "POST /chat HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nX-Forwarded-For: {forwarded_for}\r\n\r\n"
    )
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(PATIENCE_SECONDS)
        caller.connect(str(path))
        caller.sendall(head.encode() + body)
        reply = b"".join(iter(lambda: caller.recv(65_536), b""))
    return int(reply.split(b" ", 2)[1])


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose one caller has made its one call, and a second that was refused."""
    with limited(tmp_path_factory.mktemp("full"), 1) as server:
        assert ask(server, RESPONSES).status == 200
        wait_for(lambda: ask(server, RESPONSES).status == 429)
        yield server


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_429_has_its_familys_shape_and_says_when(full: Server, door: Door) -> None:
    reply = ask(full, door)
    assert reply.status == 429
    assert reply.headers["Content-Type"] == "application/json"
    assert "limit of 1 per minute" in door.error_text(reply.body)
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    retry_after = int(reply.headers["Retry-After"])
    assert 1 <= retry_after <= 60
    if door in (V1, V1_STREAM, RESPONSES):
        error = reply.json["error"]
        assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
        names = ("limit", "remaining", "reset")
        told = [reply.headers[f"x-ratelimit-{name}-requests"] for name in names]
        assert told[:2] == ["1", "0"] and told[2] in (f"{retry_after}s", "1m0s")
        assert "X-RateLimit-Limit" not in reply.headers
    else:
        names = ("Limit", "Remaining", "Reset")
        told = [reply.headers[f"X-RateLimit-{name}"] for name in names]
        assert told == ["1", "0", str(retry_after)]


def test_the_sdk_knows_a_429_for_what_it_is(full: Server) -> None:
    with (
        openai.OpenAI(base_url=f"{full.url}/v1", api_key="any", max_retries=0) as sdk,
        pytest.raises(openai.RateLimitError) as caught,
    ):
        sdk.responses.create(input="Hi")
    assert caught.value.code == "rate_limit_exceeded"


def test_what_spends_nothing_goes_on(full: Server) -> None:
    for path in ("/models", "/v1/models", "/health", "/api/health", "/info", "/"):
        reply = get(full, path)
        assert reply.status == 200
        assert not [name for name in reply.headers if "ratelimit" in name.lower()]
    session = send(full, "/api/sessions", {})
    assert (session.status, session.headers["X-RateLimit-Remaining"]) == (201, "0")


def test_the_refused_is_refused_before_its_body_is_read(full: Server) -> None:
    with Call(full, CHAT.path, headers={"Content-Length": "1000000"}) as call:
        assert call.whole().status == 429


@pytest.mark.parametrize("door", [CHAT_STREAM, ASK, V1_STREAM], ids=str)
def test_a_stream_says_how_much_is_left(tmp_path: Path, door: Door) -> None:
    with limited(tmp_path, 5) as server:
        reply = ask(server, door)
        name = "x-ratelimit-remaining-requests" if door.openai else "X-RateLimit-Remaining"
        assert (reply.status, reply.headers[name]) == (200, "4")


@pytest.mark.parametrize("backend", ["sqlite", "redis"])
def test_a_flood_from_one_caller_opens_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, backend: str
) -> None:
    settings = {}
    if backend == "redis":
        settings["REDIS_URL"] = request.getfixturevalue("redis_server").url
    with limited(tmp_path, 10, **settings) as server:
        replies = counted(server, 600)
        assert Counter(reply.status for reply in replies) == {200: 10, 429: 590}
        assert all(1 <= int(r.headers["X-RateLimit-Reset"]) <= 60 for r in replies)


def test_redis_goes_and_comes_back(tmp_path: Path, redis_server: RedisServer) -> None:
    with limited(tmp_path, 3, REDIS_URL=redis_server.url, TRUSTED_PROXIES="1") as server:
        wait_for(lambda: ask(server, CHAT).status == 429)
        redis_server.kill()
        replies = at_once(server, CALLS)
        assert {reply.status for reply in replies} == {200}
        assert not any("X-RateLimit-Limit" in reply.headers for reply in replies)
        wait_for(lambda: get(server, "/health/ready").status == 200)
        lines = [line for line in server.log().splitlines() if '"event":"limiter"' in line]
        assert 1 <= len(lines) < CALLS / 4, "more than one every few seconds"
        redis_server.start()  # empty
        wait_for(lambda: send(server, CHAT.path, CHAT.body(), headers=OTHER).status == 429)
        assert '"crash"' not in server.log() and "Traceback" not in server.log()


def test_while_the_file_is_locked_calls_pass_uncounted(tmp_path: Path) -> None:
    with limited(tmp_path, 1, TRUSTED_PROXIES="1") as server:
        wait_for(lambda: ask(server, CHAT).status == 429)
        other = sqlite3.connect(tmp_path / "data" / FILE_NAME, isolation_level=None)
        with contextlib.closing(other):
            other.execute("BEGIN IMMEDIATE")
            assert {reply.status for reply in at_once(server, CALLS)} == {200}
        wait_for(lambda: send(server, CHAT.path, CHAT.body(), headers=OTHER).status == 429)
        assert '"crash"' not in server.log()
