"""The caller leaves: the upstream is told to stop within a second, and nothing stays behind."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import time

import openai
import pytest

from tests.fakes import chunk, frame
from tests.integration.doors import (
    CHAT,
    DOORS,
    RESPONSES,
    STREAMED,
    V1,
    V1_STREAM,
    Door,
    door_name,
    text_of,
)
from tests.integration.processes import open_files, threads
from tests.integration.stage import Script, Stage, caller_left, refuse
from tests.integration.wire import PATIENCE_SECONDS, Call, both_workers, get, log_line, wait_for
from tests.scripted import Exchange
from tests.servers import Server

LOOK_UP_THREADS = 13
"""Of a worker: gevent's pool for looking up names has ten, kept once they were started."""
PIECE = frame(chunk({"role": "assistant", "content": "Hel"}))


def say_nothing(exchange: Exchange) -> None:
    """The request is there; not a byte comes back."""
    exchange.wait_until_caller_leaves()


def fall_silent(exchange: Exchange) -> None:
    """A piece, and no more."""
    exchange.start_stream()
    exchange.chunk(PIECE)
    exchange.wait_until_caller_leaves()


def talk_on(exchange: Exchange) -> None:
    """A piece every few milliseconds, for as long as somebody is there."""
    exchange.start_stream()
    with contextlib.suppress(OSError):
        while not exchange.wait_until_caller_leaves(0.005):
            exchange.chunk(PIECE)
    exchange.caller_left_at = exchange.caller_left_at or time.monotonic()


def pour_out(exchange: Exchange) -> None:
    """As much as the caller takes, which is nothing once every buffer is full."""
    exchange.start_stream()
    exchange.connection.settimeout(20)
    with contextlib.suppress(OSError):
        while True:
            exchange.chunk(PIECE * 100)
    exchange.caller_left_at = time.monotonic()


def break_off_a_whole_reply(exchange: Exchange) -> None:
    """The head and half of a whole reply."""
    exchange.send(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"choices":[{')
    exchange.wait_until_caller_leaves()


MOMENTS = [
    *((say_nothing, door) for door in DOORS),
    *((fall_silent, door) for door in STREAMED),
    *((talk_on, door) for door in STREAMED),
    *((break_off_a_whole_reply, door) for door in (CHAT, V1)),
]


@pytest.mark.parametrize(
    ("script", "door"), MOMENTS, ids=lambda value: door_name(value) or value.__name__
)
def test_the_upstream_is_told_within_a_second(
    relay: Server, stage: Stage, script: Script, door: Door
) -> None:
    stage.play(script)
    for took in stage.rounds():
        with Call(relay, door.path, door.body()) as call:
            exchange = stage.exchange()
            if script in (fall_silent, talk_on):
                assert text_of([call.frame()]) == "Hel"
            assert exchange.caller_left_at is None
            left_at = time.monotonic()
        took.append(caller_left(exchange) - left_at)
        line = log_line(relay, call)
        assert (line["outcome"], line["attempts"]) == ("CallerGone", 1)
        assert len(stage.exchanges) == 1


@pytest.mark.parametrize("script", [say_nothing, fall_silent, talk_on])
def test_the_upstream_of_a_streamed_response_is_told_too(
    relay: Server, stage: Stage, script: Script
) -> None:
    stage.play(script)
    for took in stage.rounds():
        with Call(relay, RESPONSES.path, RESPONSES.body(stream=True)) as call:
            exchange = stage.exchange()
            if script is not say_nothing:
                assert call.frame().startswith(b"event: response.created\n")
            left_at = time.monotonic()
        took.append(caller_left(exchange) - left_at)
        assert log_line(relay, call)["outcome"] == "CallerGone"


@pytest.mark.parametrize("script", [fall_silent, talk_on])
def test_a_reset_by_the_caller_is_leaving_too(relay: Server, stage: Stage, script: Script) -> None:
    stage.play(script)
    for took in stage.rounds():
        with Call(relay, V1_STREAM.path, V1_STREAM.body()) as call:
            assert call.frame() == PIECE
            call.reset_when_left()
            left_at = time.monotonic()
        took.append(caller_left(stage.exchange()) - left_at)
        assert log_line(relay, call)["outcome"] == "CallerGone"


def test_a_caller_who_stopped_reading_may_leave_too(relay: Server, stage: Stage) -> None:
    stage.play(pour_out)
    for took in stage.rounds():
        with Call(relay, V1_STREAM.path, V1_STREAM.body()) as call:
            assert call.frame() == PIECE
            assert get(relay, "/health").status == 200
            left_at = time.monotonic()
        took.append(caller_left(stage.exchange()) - left_at)
        assert log_line(relay, call)["outcome"] == "CallerGone"


@pytest.mark.parametrize("door", DOORS, ids=door_name)
def test_nothing_is_tried_again_for_who_left_while_it_was_waited(
    relay: Server, stage: Stage, door: Door
) -> None:
    stage.play(refuse(503, headers="Retry-After: 4\r\n"))
    for took in stage.rounds():
        with Call(relay, door.path, door.body()) as call:
            stage.exchange()
            time.sleep(0.05)  # the refusal is read by now, and the pause begun
            left_at = time.monotonic()
        line = log_line(relay, call)
        took.append(time.monotonic() - left_at)
        assert (line["outcome"], line["attempts"]) == ("CallerGone", 1)


def test_the_sdk_may_break_off(relay: Server, stage: Stage) -> None:
    stage.play(talk_on)
    with openai.OpenAI(base_url=f"{relay.url}/v1", api_key="any", max_retries=0) as sdk:
        for took in stage.rounds():
            with sdk.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}], stream=True
            ) as stream:
                for _ in stream:
                    break
                left_at = time.monotonic()
            took.append(caller_left(stage.exchange()) - left_at)


def test_a_caller_who_asks_again_early_is_not_taken_for_gone(relay: Server, stage: Stage) -> None:
    """Pipelining: its socket is readable, yet it is there."""

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(PIECE)
        time.sleep(0.3)
        exchange.chunk(frame(chunk({}, "stop")) + b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")

    stage.play(script)
    body = json.dumps(V1_STREAM.body()).encode()
    head = f"POST {V1_STREAM.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", relay.port), PATIENCE_SECONDS) as caller:
        caller.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        came = b""
        while b'"Hel"' not in came:
            came += caller.recv(65_536)
        caller.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        came += b"".join(iter(lambda: caller.recv(65_536), b""))
    assert b"data: [DONE]\n\n" in came
    assert b'"healthy"' in came.partition(b"[DONE]")[2]


def test_a_hundred_who_leave_leave_nothing_behind(relay: Server, stage: Stage) -> None:
    def leave(moments: list[tuple[Script, Door]]) -> None:
        scripts = {str(number): [script] for number, (script, _) in enumerate(moments)}
        before = len(stage.exchanges)
        stage.play_by_prompt(scripts)
        with contextlib.ExitStack() as stack:
            for number, (script, door) in enumerate(moments):
                call = stack.enter_context(Call(relay, door.path, door.body(str(number))))
                if script in (fall_silent, talk_on):
                    assert call.frame()
            wait_for(lambda: len(stage.exchanges) == before + len(moments))
        wait_for(lambda: all(exchange.caller_left_at for exchange in stage.exchanges))

    rounds = list(itertools.islice(itertools.cycle(MOMENTS), 25))
    leave(rounds)  # warm-up: whatever is opened once and kept
    workers = both_workers(relay)
    running, held = threads(*workers), open_files(*workers)
    for _ in range(4):
        leave(rounds)
    wait_for(lambda: open_files(*workers) <= held)
    assert threads(*workers) <= max(running, LOOK_UP_THREADS * len(workers))
    assert relay.workers() == workers
    assert get(relay, "/health").status == 200
