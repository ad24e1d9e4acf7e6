"""A slow HTTPS upstream blocks nobody: the standard library was patched before it was used.

With `preload_app` Gunicorn's own patching comes too late for modules that already hold `ssl`;
one HTTPS call then stops its whole worker, silently (gunicorn.conf.py patches first).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from tests.integration.doors import DOORS, V1, V1_STREAM, Door, door_name, text_of
from tests.integration.stage import Stage, caller_left
from tests.integration.wire import Call, ask_at, get, log_line
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server

HOLD_SECONDS = 15.0
"""For how long the upstream would keep everybody waiting: nothing ends by itself before that."""


@pytest.fixture
def stage(https_upstream: ScriptedUpstream, patient: Server) -> Iterator[Stage]:
    yield Stage(https_upstream)
    https_upstream.script = answer_plainly
    assert "MonkeyPatchWarning" not in patient.log()
    assert "Traceback" not in patient.log() and '"crash"' not in patient.log()


def test_all_is_well_over_tls(patient: Server, stage: Stage) -> None:
    assert {reply.status for _, reply in ask_at(DOORS, patient)} == {200}
    assert stage.exchange().headers["authorization"] == "Bearer sk-canary-server-key"


@pytest.mark.parametrize("door", [V1, V1_STREAM], ids=door_name)
def test_two_callers_are_served_at_once(patient: Server, stage: Stage, door: Door) -> None:
    both = threading.Barrier(3)

    def script(exchange: Exchange) -> None:
        both.wait(HOLD_SECONDS)  # neither is answered before the other has asked
        both.wait(HOLD_SECONDS)
        answer_plainly(exchange)

    stage.play(script)
    with (
        Call(patient, door.path, door.body("one")) as one,
        Call(patient, door.path, door.body("two")) as two,
    ):
        both.wait(HOLD_SECONDS)
        assert get(patient, "/health").status == 200
        both.wait(HOLD_SECONDS)
        assert (one.whole().status, two.whole().status) == (200, 200)


def test_a_stream_over_tls_comes_piece_by_piece(patient: Server, stage: Stage) -> None:
    arrived = threading.Event()

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n')
        assert arrived.wait(HOLD_SECONDS)
        exchange.chunk(
            b'data: {"choices":[{"index":0,"delta":{"content":"lo!"},"finish_reason":"stop"}]}\n\n'
            b"data: [DONE]\n\n"
        )
        exchange.send(b"0\r\n\r\n")

    stage.play(script)
    with Call(patient, V1_STREAM.path, V1_STREAM.body()) as call:
        assert text_of([call.frame()]) == "Hel"
        assert get(patient, "/health").status == 200
        arrived.set()
        assert text_of(call.frames()) == "lo!"


@pytest.mark.parametrize("door", DOORS, ids=door_name)
def test_a_caller_who_leaves_is_noticed_over_tls(patient: Server, stage: Stage, door: Door) -> None:
    stage.play(lambda exchange: exchange.wait_until_caller_leaves(HOLD_SECONDS))
    for took in stage.rounds():
        with Call(patient, door.path, door.body()) as call:
            exchange = stage.exchange()
            left_at = time.monotonic()
        took.append(caller_left(exchange) - left_at)
        assert log_line(patient, call)["outcome"] == "CallerGone"


def test_listing_models_by_the_sdk_blocks_nobody(patient: Server, stage: Stage) -> None:
    release = threading.Event()

    def script(exchange: Exchange) -> None:
        if exchange.path.endswith("/models"):
            assert release.wait(HOLD_SECONDS)
        answer_plainly(exchange)

    stage.play(script)
    with contextlib.ExitStack() as stack:
        call = stack.enter_context(Call(patient, "/v1/models", method="GET"))
        assert stage.exchange().path == "/v1/models"
        assert get(patient, "/health").status == 200
        assert {reply.status for _, reply in ask_at(DOORS, patient)} == {200}
        release.set()
        assert {"gpt-4o-mini", "gpt-4o"} <= {entry["id"] for entry in call.whole().json["data"]}
