"""The one layer that tries again: how often, for what, and never when it could bill twice."""

from __future__ import annotations

import contextlib
import threading
import time

from tests.integration.doors import CHAT, DOORS, V1, V1_STREAM, Door
from tests.integration.stage import Script, Stage, refuse, reset
from tests.integration.wire import Call, Reply, ask, ask_at, log_line
from tests.scripted import Exchange, answer_plainly
from tests.servers import Server

PASSING: dict[str, Script] = {
    "500": refuse(500),
    "502": refuse(502),
    "503": refuse(503),
    "529": refuse(529),
    "429": refuse(429),
    "reset": reset,
}
EVERYWHERE = [(kind, door) for kind in PASSING for door in DOORS]


def ask_everywhere(server: Server) -> list[tuple[str, Door, Reply]]:
    """The replies for each kind of failure at each door; each is asked with a prompt of its own."""
    with contextlib.ExitStack() as stack:
        calls = [
            stack.enter_context(Call(server, door.path, door.body(f"{kind} at {door}")))
            for kind, door in EVERYWHERE
        ]
        return [(*at, call.whole()) for at, call in zip(EVERYWHERE, calls, strict=True)]


def test_what_passes_by_itself_is_hidden(relay: Server, stage: Stage) -> None:
    stage.play_by_prompt(
        {f"{kind} at {door}": [PASSING[kind], answer_plainly] for kind, door in EVERYWHERE}
    )
    for kind, door, reply in ask_everywhere(relay):
        assert (reply.status, b"error" in reply.body) == (200, False)
        assert stage.tries(f"{kind} at {door}") == 2


def test_a_third_try_may_be_the_one(relay: Server, stage: Stage) -> None:
    kinds = {kind: [script, script, answer_plainly] for kind, script in PASSING.items()}
    stage.play_by_prompt({**kinds, "reset": [reset, reset, answer_plainly, answer_plainly]})
    with contextlib.ExitStack() as stack:
        calls = {kind: Call(relay, "/chat", {"message": kind}) for kind in PASSING}
        for kind, call in calls.items():
            assert stack.enter_context(call).whole().status == 200
            assert stage.tries(kind) == 3
            if kind != "reset":  # a request lost on an idle connection goes again, and is no try
                assert log_line(relay, call)["attempts"] == 3


def test_after_three_tries_it_is_told(relay: Server, stage: Stage) -> None:
    told = {"429": (429, 429), "503": (503, 500), "529": (503, 500)}
    stage.play_by_prompt({f"{kind} at {door}": [PASSING[kind]] * 6 for kind, door in EVERYWHERE})
    for kind, door, reply in ask_everywhere(relay):
        openai, plain = told.get(kind, (502, 500))
        assert reply.status == (openai if door.keeps_statuses else plain)
        assert door.error_text(reply.body)
        if kind != "reset":
            assert stage.tries(f"{kind} at {door}") == 3
        if reply.status in (429, 503):
            assert int(reply.headers["Retry-After"]) >= 1


def test_an_upstream_that_always_resets_is_asked_four_times_at_most(
    relay: Server, stage: Stage
) -> None:
    everybody = threading.Barrier(12)

    def together(exchange: Exchange) -> None:
        everybody.wait(10)
        answer_plainly(exchange)

    stage.play(together)  # leaves many idle connections behind
    assert [reply.status for _, reply in ask_at([CHAT] * 12, relay)] == [200] * 12
    stage.play(reset)
    assert ask(relay, V1).status == 502
    assert 3 <= stage.tries(V1.prompt) <= 4


def test_a_short_retry_after_is_obeyed(relay: Server, stage: Stage) -> None:
    stage.play(refuse(429, headers="Retry-After: 1\r\n"), answer_plainly)
    started = time.monotonic()
    for door, reply in ask_at(DOORS, relay):
        assert reply.status == 200
        assert time.monotonic() - started >= 1.0
        assert stage.tries(door.prompt) == 2


def test_milliseconds_to_wait_are_obeyed(relay: Server, stage: Stage) -> None:
    stage.play(refuse(503, headers="retry-after-ms: 600\r\nRetry-After: 9\r\n"), answer_plainly)
    started = time.monotonic()
    assert ask(relay, V1_STREAM).status == 200
    assert time.monotonic() - started >= 0.6


def test_a_silent_upstream_is_given_up_and_never_asked_again(
    impatient: Server, stage: Stage
) -> None:
    stage.play(lambda exchange: exchange.wait_until_caller_leaves())
    started = time.monotonic()
    for door, reply in ask_at(DOORS, impatient):
        assert reply.status == (504 if door.keeps_statuses else 500)
        assert door.error_text(reply.body)
        assert stage.tries(door.prompt) == 1
    assert 2.0 <= time.monotonic() - started < 6.0  # UPSTREAM_TIMEOUT is 2 there


def test_nothing_is_tried_again_once_a_piece_was_there(relay: Server, stage: Stage) -> None:
    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')
        reset(exchange)

    stage.play(script, answer_plainly)
    assert b"error" in ask(relay, V1_STREAM).body
    assert len(stage.exchanges) == 1
