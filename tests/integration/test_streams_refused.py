"""An upstream that fails before its first piece: the caller gets a real status."""

from __future__ import annotations

import socket
import time
from typing import NamedTuple

import pytest

from tests.fakes import chunk, frame
from tests.integration.doors import DOORS, V1_STREAM, Door, door_name
from tests.integration.stage import CANARY, INTERNAL, Script, Stage, refuse
from tests.integration.wire import Call, ask, ask_at, log_line
from tests.scripted import Exchange, ScriptedUpstream
from tests.servers import Server

AT_ONCE_SECONDS = 5.0


class Failure(NamedTuple):
    """What an upstream does, and the statuses that `/v1` and the plain routes make of it."""

    script: Script
    openai: int
    plain: int
    code: str


def say(data: bytes) -> Script:
    """These bytes, then the end."""

    def script(exchange: Exchange) -> None:
        exchange.send(data)
        exchange.connection.shutdown(socket.SHUT_RDWR)

    return script


def error_event_first(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(frame(INTERNAL))
    exchange.send(b"0\r\n\r\n")


def piece_of_another_kind(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(b"data: <html>\n\n")
    exchange.send(b"0\r\n\r\n")


HTML = b"<html><body>Welcome to nginx!</body></html>"
KINDS = {
    "401": Failure(refuse(401), 502, 500, "upstream_key_refused"),
    "403": Failure(refuse(403), 502, 500, "upstream_key_refused"),
    "408": Failure(refuse(408), 504, 500, "upstream_timeout"),
    "504": Failure(refuse(504), 504, 500, "upstream_timeout"),
    "418": Failure(refuse(418), 502, 500, "upstream_broken"),
    "501 not to be repeated": Failure(
        refuse(501, headers="x-should-retry: false\r\n"), 502, 500, "upstream_failed"
    ),
    "garbage": Failure(say(b"\x00\xff no HTTP\r\n\r\n"), 502, 500, "upstream_broken"),
    "HTML": Failure(refuse(200, HTML), 502, 500, "upstream_broken"),
    "empty 200": Failure(refuse(200, b""), 502, 500, "upstream_broken"),
    "204": Failure(say(b"HTTP/1.1 204 X\r\n\r\n"), 502, 500, "upstream_broken"),
    "half a head": Failure(say(b"HTTP/1.1 200 X\r\nContent-"), 502, 500, "upstream_broken"),
    "half a body": Failure(
        say(b"HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n{"), 502, 500, "upstream_broken"
    ),
    "JSON of another kind": Failure(refuse(200, {"result": []}), 502, 500, "upstream_broken"),
    "compressed": Failure(
        refuse(200, b"\x1f\x8b", "Content-Encoding: gzip\r\n"), 502, 500, "upstream_broken"
    ),
    "error event first": Failure(error_event_first, 502, 500, "upstream_broken"),
    "event that is no JSON first": Failure(piece_of_another_kind, 502, 500, "upstream_broken"),
}


@pytest.mark.parametrize("door", DOORS, ids=door_name)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_status_and_not_a_stream(
    relay: Server, stage: Stage, kind: str, door: Door
) -> None:
    failure = KINDS[kind]
    stage.play(failure.script)
    reply = ask(relay, door)
    assert reply.status == (failure.openai if door.keeps_statuses else failure.plain)
    assert reply.headers["Content-Type"] == "application/json"
    assert door.error_text(reply.body).endswith(".")
    assert b"canary" not in reply.body and b"10.0.0.7" not in reply.body
    if door.openai:
        assert reply.json["error"]["code"] == failure.code
    assert len(stage.exchanges) == 1, "only what may pass by itself is tried again"


@pytest.mark.parametrize("door", DOORS, ids=door_name)
@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_the_upstreams_judgement_is_passed_on_in_its_own_words(
    relay: Server, stage: Stage, status: int, door: Door
) -> None:
    error = {"message": f"No, {CANARY}!", "type": "t", "param": "messages[0]", "code": "c"}
    stage.play(refuse(status, {"error": error}))
    reply = ask(relay, door)
    assert reply.status == (status if door.keeps_statuses else 400)
    assert door.error_text(reply.body) == "No, ***!"
    if door.openai:
        assert reply.json["error"] == {**error, "message": "No, ***!"}


@pytest.mark.parametrize("door", DOORS, ids=door_name)
@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_of_more_than_5_seconds_is_passed_on_at_once(
    relay: Server, stage: Stage, status: int, door: Door
) -> None:
    stage.play(refuse(status, {"error": {"message": "Slow."}}, "Retry-After: 5.5\r\n"))
    started = time.monotonic()
    reply = ask(relay, door)
    assert time.monotonic() - started < AT_ONCE_SECONDS
    assert len(stage.exchanges) == 1
    if status == 503 and not door.keeps_statuses:
        assert reply.status == 500
    else:
        assert (reply.status, reply.headers["Retry-After"]) == (status, "6")
        assert "Retry-After" in reply.headers["Access-Control-Expose-Headers"]


def test_an_exhausted_quota_is_passed_on_at_once(relay: Server, stage: Stage) -> None:
    error = {"message": "No money.", "type": "insufficient_quota", "code": "insufficient_quota"}
    stage.play(refuse(429, {"error": error}))
    for door in DOORS:
        assert ask(relay, door).status == 429
    assert len(stage.exchanges) == len(DOORS)


@pytest.mark.parametrize("door", DOORS, ids=door_name)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    relay: Server, stage: Stage, scripted: ScriptedUpstream, status: int, door: Door
) -> None:
    stage.play(refuse(status, b"", f"Location: {scripted.url}/chat/completions\r\n"))
    assert ask(relay, door).status == (502 if door.keeps_statuses else 500)
    assert scripted.connections == 0


def test_an_upstream_that_refuses_connections_is_told_of(small: Server) -> None:
    for door, reply in ask_at(DOORS, small):
        assert reply.status == (502 if door.keeps_statuses else 500)
        assert door.error_text(reply.body) == "The upstream could not be reached."


def test_a_late_refusal_within_the_grace_is_a_status_too(relay: Server, stage: Stage) -> None:
    def script(exchange: Exchange) -> None:
        time.sleep(0.8)  # longer than two heartbeats
        exchange.reply(400, {"error": {"message": "Thought about it: no."}})

    stage.play(script)
    for door, reply in ask_at(DOORS, relay):
        assert (reply.status, door.error_text(reply.body)) == (400, "Thought about it: no.")


def test_the_first_piece_may_take_its_time_within_the_grace(relay: Server, stage: Stage) -> None:
    def script(exchange: Exchange) -> None:
        time.sleep(0.8)
        exchange.start_stream()
        time.sleep(0.5)
        exchange.chunk(frame(chunk({"content": "Late."}, "stop")) + b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")

    stage.play(script)
    reply = ask(relay, V1_STREAM)
    assert reply.status == 200
    assert reply.body.startswith(b"data: "), "no heartbeat goes before the first piece"


def test_a_callers_own_key_is_used_judged_and_told_nobody(relay: Server, stage: Stage) -> None:
    own = "sk-canary-of-the-caller"
    stage.play(refuse(401))
    for door in DOORS:
        bearer = {"Authorization": f"Bearer {own}"}
        with Call(relay, door.path, door.body(), headers=bearer) as call:
            reply = call.whole()
            assert log_line(relay, call)["outcome"] == "UpstreamKeyRefused"
        assert reply.status == 401
        assert b"canary" not in reply.body
    sent = {exchange.headers["authorization"] for exchange in stage.exchanges}
    assert sent == {f"Bearer {own}"}
    assert "canary" not in relay.log()
