"""The one layer that tries again: how often, for what, and never when it could bill twice."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import pytest

from tests.integration.test_streams_refused import refuse, reset
from tests.integration.wire import DOORS, Call, Door, Stage, ask, door_name, log_line
from tests.servers import Exchange, Server, answer_plainly

PASSING: dict[str, Callable[[Exchange], None]] = {
    "500": refuse(500),
    "502": refuse(502),
    "503": refuse(503),
    "529": refuse(529),
    "429": refuse(429),
    "reset": reset,
}


@pytest.mark.parametrize("door", DOORS, ids=door_name)
@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_by_itself_is_hidden(
    relay: Server, stage: Stage, kind: str, door: Door
) -> None:
    stage.play(PASSING[kind], answer_plainly)
    reply = ask(relay, door)
    assert (reply.status, b"error" in reply.body) == (200, False)
    assert len(stage.exchanges) == 2


@pytest.mark.parametrize("kind", PASSING)
def test_a_third_try_may_be_the_one(relay: Server, stage: Stage, kind: str) -> None:
    stage.play(PASSING[kind], PASSING[kind], answer_plainly)
    with Call(relay, "/chat", {"message": "Hi"}) as call:
        assert call.whole().status == 200
    assert len(stage.exchanges) == 3
    if kind != "reset":  # a request that an idle connection swallowed is no try
        assert log_line(relay, call)["attempts"] == 3


@pytest.mark.parametrize(
    ("kind", "openai", "plain"),
    [("500", 502, 500), ("503", 503, 500), ("429", 429, 429)],
)
def test_after_three_tries_it_is_told(
    relay: Server, stage: Stage, kind: str, openai: int, plain: int
) -> None:
    stage.play(PASSING[kind])
    calls = [Call(relay, door.path, door.body()) for door in DOORS]
    with contextlib.ExitStack() as stack:
        for door, call in zip(DOORS, calls, strict=True):
            reply = stack.enter_context(call).whole()
            assert reply.status == (openai if door.openai else plain)
            assert door.error_text(reply.body)
            if reply.status in (429, 503):
                assert int(reply.headers["Retry-After"]) >= 1
    assert len(stage.exchanges) == 3 * len(DOORS)


def test_an_upstream_that_always_resets_is_asked_four_times_at_most(
    relay: Server, stage: Stage
) -> None:
    everybody = threading.Barrier(8)

    def together(exchange: Exchange) -> None:
        everybody.wait(10)
        answer_plainly(exchange)

    stage.play(together)
    with contextlib.ExitStack() as stack:  # leaves many idle connections behind
        calls = [stack.enter_context(Call(relay, "/chat", {"message": "Hi"})) for _ in range(8)]
        assert [call.whole().status for call in calls] == [200] * 8
    stage.play(reset)
    before = len(stage.exchanges)
    assert ask(relay, DOORS[2]).status == 502
    assert 3 <= len(stage.exchanges) - before <= 4


@pytest.mark.parametrize("door", DOORS, ids=door_name)
def test_a_short_retry_after_is_obeyed(relay: Server, stage: Stage, door: Door) -> None:
    stage.play(refuse(429, headers="Retry-After: 1\r\n"), answer_plainly)
    started = time.monotonic()
    assert ask(relay, door).status == 200
    assert time.monotonic() - started >= 1.0
    assert len(stage.exchanges) == 2


def test_milliseconds_to_wait_are_obeyed(relay: Server, stage: Stage) -> None:
    stage.play(refuse(503, headers="retry-after-ms: 600\r\nRetry-After: 9\r\n"), answer_plainly)
    started = time.monotonic()
    assert ask(relay, DOORS[3]).status == 200
    assert time.monotonic() - started >= 0.6


def test_a_silent_upstream_is_given_up_and_never_asked_again(relay: Server, stage: Stage) -> None:
    stage.play(lambda exchange: exchange.wait_until_caller_leaves())
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        calls = [stack.enter_context(Call(relay, door.path, door.body())) for door in DOORS]
        for door, call in zip(DOORS, calls, strict=True):
            reply = call.whole()
            assert reply.status == (504 if door.openai else 500)
            assert door.error_text(reply.body)
    assert 2.0 <= time.monotonic() - started < 5.0  # UPSTREAM_TIMEOUT is 2 here
    assert len(stage.exchanges) == len(DOORS)


def test_nothing_is_tried_again_once_a_piece_was_there(relay: Server, stage: Stage) -> None:
    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')
        reset(exchange)

    stage.play(script, answer_plainly)
    assert b"error" in ask(relay, DOORS[3]).body
    assert len(stage.exchanges) == 1
