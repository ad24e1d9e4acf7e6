"""Two instances behind nginx, set up as deploy/nginx says: nothing is lost on the way."""

from __future__ import annotations

import http.client
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import chunk, frame
from tests.integration.doors import (
    API_CHAT,
    ASK,
    CHAT,
    CHAT_STREAM,
    STREAMED,
    V1,
    V1_STREAM,
    Door,
    data_of,
    door_name,
)
from tests.integration.lags import PIECES, lags
from tests.integration.nginx import Pair, behind_nginx, set_up
from tests.integration.wire import PATIENCE_SECONDS, Call, assert_refused, get, send
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly


@pytest.fixture(scope="module")
def pair(
    upstream: ScriptedUpstream, postgresql_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    settings = {"OPENAI_BASE_URL": upstream.url, "DATABASE_URL": postgresql_url}
    with behind_nginx(tmp_path_factory.mktemp("pair"), **settings) as pair:
        yield pair


@pytest.fixture(autouse=True)
def plainly(upstream: ScriptedUpstream) -> Iterator[None]:
    yield
    upstream.script = answer_plainly


def break_off(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(frame(chunk({"content": "Hel"})))
    exchange.send(b"0\r\n\r\n")  # without a `finish_reason`


def test_a_session_begun_on_one_goes_on_through_the_other(pair: Pair) -> None:
    session_id = send(pair.nginx, "/api/sessions", {}).json["session_id"]
    answered = set()
    for number in range(4):
        body = {"session_id": session_id, "message": f"m{number}"}
        with Call(pair.nginx, "/chat", body) as call:
            assert call.whole().status == 200
        answered |= set(pair.nginx.asked(call.id))
    assert answered == {pair.one.port, pair.two.port}
    for server in pair:
        messages = get(server, f"/api/sessions/{session_id}").json["messages"]
        assert [message["content"] for message in messages[::2]] == ["m0", "m1", "m2", "m3"]


@pytest.mark.parametrize("door", [CHAT_STREAM, V1_STREAM, ASK], ids=door_name)
def test_each_piece_arrives_before_the_next_is_sent(
    pair: Pair, upstream: ScriptedUpstream, door: Door
) -> None:
    # `lags` fails where one is kept back; how long they take is for people to judge.
    direct, through = (sorted(lags(each, upstream, door)) for each in (pair.one, pair.nginx))
    middle = PIECES // 2
    sys.stdout.write(  # shown by `make test-deploy`
        f"{door.path}: a piece takes {1000 * direct[middle]:.2f} ms (at most "
        f"{1000 * direct[-1]:.2f}), through nginx {1000 * through[middle]:.2f} "
        f"(at most {1000 * through[-1]:.2f})\n"
    )


@pytest.mark.parametrize("door", [ASK, API_CHAT], ids=door_name)
def test_bare_text_that_breaks_off_is_a_broken_transfer(
    pair: Pair, upstream: ScriptedUpstream, door: Door
) -> None:
    upstream.script = break_off
    with Call(pair.nginx, door.path, door.body()) as call:
        assert call.reply.status == 200
        with pytest.raises(http.client.IncompleteRead) as caught:
            call.reply.read()
    assert caught.value.partial == b"Hel"


@pytest.mark.parametrize("door", STREAMED, ids=door_name)
def test_an_error_event_passes(pair: Pair, upstream: ScriptedUpstream, door: Door) -> None:
    upstream.script = break_off
    with Call(pair.nginx, door.path, door.body()) as call:
        *_, last = data_of(call.frames())
    assert "error" in last
    assert call.reply.headers["Content-Type"] == "text/event-stream; charset=utf-8"


def test_answers_that_break_off_do_not_put_a_server_out_of_service(
    pair: Pair, upstream: ScriptedUpstream
) -> None:
    upstream.script = break_off
    for _ in range(8):
        with Call(pair.nginx, ASK.path, ASK.body()) as call:
            with pytest.raises(http.client.IncompleteRead):
                call.reply.read()
    upstream.script = answer_plainly
    answered = set()
    for _ in range(4):
        with Call(pair.nginx, CHAT.path, CHAT.body()) as call:
            assert call.whole().status == 200
        answered |= set(pair.nginx.asked(call.id))
    assert answered == {pair.one.port, pair.two.port}


@pytest.mark.parametrize("door", [ASK, V1], ids=door_name)
def test_a_caller_who_leaves_nginx_leaves_the_upstream(
    pair: Pair, upstream: ScriptedUpstream, door: Door
) -> None:
    asked = threading.Event()
    left: queue.Queue[bool] = queue.Queue()

    def script(exchange: Exchange) -> None:
        if door is ASK:
            exchange.start_stream()
            exchange.chunk(frame(chunk({"content": "Hel"})))
        asked.set()
        left.put(exchange.wait_until_caller_leaves())

    upstream.script = script
    with Call(pair.nginx, door.path, door.body()) as call:
        if door is ASK:
            assert call.reply.read(3) == b"Hel"
        assert asked.wait(PATIENCE_SECONDS)
    assert left.get(timeout=PATIENCE_SECONDS)


def test_a_body_of_megabytes_passes_and_one_too_large_is_refused_in_json(pair: Pair) -> None:
    assert send(pair.nginx, V1.path, V1.body("x" * 4_000_000)).status == 200
    with Call(pair.nginx, V1.path, headers={"Content-Length": "20971521"}) as call:
        reply = call.whole()
    assert assert_refused(V1, reply, 413) == "The request body is too large."


def test_paths_and_names_reach_the_server_as_they_are(pair: Pair) -> None:
    assert get(pair.nginx, "//health").status == 404
    assert get(pair.nginx, "/v1/models/a%2Fb").status == 404
    with Call(pair.nginx, "/health", method="GET") as call:
        assert call.whole().headers["X-Request-ID"] == call.id


def test_the_upstream_of_one_server_is_taken_by_nginx_too(tmp_path: Path) -> None:
    command = set_up(tmp_path / "nginx", "upstream.conf")
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    assert "warn" not in tried.stderr


def test_a_stream_is_not_compressed(pair: Pair) -> None:
    headers = {"Accept-Encoding": "gzip"}
    reply = send(pair.nginx, ASK.path, ASK.body(), headers=headers)
    assert (reply.body, reply.headers["Content-Encoding"]) == (b"Hello!", None)
