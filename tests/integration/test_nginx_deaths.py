"""Two instances behind nginx that share PostgreSQL and Redis: one count, and deaths."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.appenders import CALLERS, Appenders
from tests.integration.counting import counted
from tests.integration.doors import ASK, CHAT, CHAT_STREAM, DOORS, V1, door_name
from tests.integration.nginx import Pair, behind_nginx
from tests.integration.stage import prompt_of
from tests.integration.wire import PATIENCE_SECONDS, Call, ask, get, send, wait_for
from tests.redis_server import RedisServer
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server

LIMIT = 30
CALLS = 60


@pytest.fixture
def shared(postgresql_url: str, redis_server: RedisServer) -> dict[str, str]:
    return {"DATABASE_URL": postgresql_url, "REDIS_URL": redis_server.url}


def test_sixty_calls_that_name_sixty_callers_are_one_caller_with_thirty_answers(
    shared: dict[str, str], tmp_path: Path
) -> None:
    settings = {**shared, "UPSTREAM": "mock", "RATE_LIMIT_PER_MINUTE": str(LIMIT)}
    with behind_nginx(tmp_path, **settings) as pair:
        replies = counted(pair.nginx, CALLS, pair.one, pair.two)
        assert Counter(reply.status for reply in replies) == {200: LIMIT, 429: CALLS - LIMIT}
        left = [int(r.headers["X-RateLimit-Remaining"]) for r in replies if r.status == 200]
        assert sorted(left) == list(range(LIMIT)), "two were told the same"
        ids = [reply.headers["X-Request-ID"] or "" for reply in replies]
        asked = {port for call_id in ids for port in pair.nginx.asked(call_id)}
        assert asked == {pair.one.port, pair.two.port}
        another = send(pair.nginx, CHAT.path, CHAT.body(), source="127.0.0.4")
        assert another.status == 200, "another caller has calls of its own"


def kill(server: Server) -> None:
    """`kill -9` of the whole instance; it is gone when this returns."""
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait(5)

    def refuses() -> bool:
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", server.port)) != 0

    wait_for(refuses)


def test_kill_9_of_one_loses_no_acknowledged_message_and_fails_no_later_call(
    shared: dict[str, str], tmp_path: Path
) -> None:
    with behind_nginx(tmp_path, **shared, UPSTREAM="mock") as pair:
        with Appenders(pair.nginx) as appenders:
            wait_for(lambda: appenders.count >= 60)
            kill(pair.one)
            # nginx has read by now that its idle connections to the dead one are closed.
            assert [get(pair.nginx, "/health").status for _ in range(4)] == [200] * 4
            appenders.one_is_dead.set()
            killed_at = appenders.count
            wait_for(lambda: appenders.count >= killed_at + 60)
        # A GET that had no answer was sent to the other one. Of one whose head had passed already
        # nobody can take that back; it is at most the one that was under way.
        assert set(appenders.read) == {200}
        assert appenders.cut[False] <= 1 and appenders.cut[True] == 0
        assert appenders.failed[True] == 0
        # Each connection to the dead one fails one call at most; there is one for each caller.
        assert appenders.failed[False] <= CALLERS + 1
        for session_id, texts in appenders.acknowledged.items():
            messages = get(pair.nginx, f"/api/sessions/{session_id}").json["messages"]
            stored = [message["content"] for message in messages[::2]]
            assert set(texts) <= set(stored)
            # What was under way may have been stored and not answered, but never twice.
            assert len(stored) == len(set(stored))


@pytest.fixture
def held(scripted: ScriptedUpstream) -> Iterator[threading.Event]:
    """While it is not set the upstream keeps those waiting who ask it to `hold`."""
    released = threading.Event()

    def script(exchange: Exchange) -> None:
        if prompt_of(exchange) == "hold":
            released.wait(PATIENCE_SECONDS)
        with contextlib.suppress(OSError):
            answer_plainly(exchange)

    scripted.script = script
    yield released
    released.set()


def asked_to_hold(upstream: ScriptedUpstream) -> int:
    return sum(prompt_of(exchange) == "hold" for exchange in upstream.exchanges)


def test_a_post_that_was_seen_by_one_who_dies_is_not_sent_again(
    shared: dict[str, str], tmp_path: Path, scripted: ScriptedUpstream, held: threading.Event
) -> None:
    with behind_nginx(tmp_path, **shared, OPENAI_BASE_URL=scripted.url) as pair:
        # `least_conn`: one for each.
        with (
            Call(pair.nginx, V1.path, V1.body("hold")) as first,
            Call(pair.nginx, V1.path, V1.body("hold")) as second,
        ):
            wait_for(lambda: asked_to_hold(scripted) == 2)
            kill(pair.one)
            wait_for(lambda: pair.nginx.log().count(f"{pair.one.port}\n") == 1)
            held.set()
            replies = [first.whole(), second.whole()]
        assert sorted(reply.status for reply in replies) == [200, 502]
        assert asked_to_hold(scripted) == 2
        assert_both_dead_is_told_in_each_shape(pair)


def assert_both_dead_is_told_in_each_shape(pair: Pair) -> None:
    assert {ask(pair.nginx, door).status for door in (CHAT, CHAT_STREAM, ASK, V1)} == {200}
    kill(pair.two)
    for door in DOORS:
        reply = ask(pair.nginx, door)
        assert (reply.status, reply.headers["Content-Type"]) == (502, "application/json")
        assert "502" in door.error_text(reply.body), door_name(door)
        assert reply.headers["X-Request-ID"]
