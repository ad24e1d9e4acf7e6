"""Streams that fall silent: heartbeats, and the grace before the first piece."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import openai
import pytest

from tests.fakes import chunk, frame
from tests.integration.doors import (
    ASK,
    CHAT_STREAM,
    STREAMED,
    V1,
    V1_STREAM,
    Door,
    frames_of,
    text_of,
)
from tests.integration.stage import Script, Stage, refuse
from tests.integration.wire import Call, Reply, ask_at, log_line
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server

PING = b": ping\n\n"
GRACE_SECONDS = 5.0


def pausing(seconds: float) -> Script:
    """A stream with a silence in its middle."""

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(frame(chunk({"role": "assistant", "content": "Hel"})))
        time.sleep(seconds)
        exchange.chunk(frame(chunk({"content": "lo!"})))
        exchange.chunk(frame(chunk({}, "stop")) + b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")

    return script


def test_a_silence_midway_is_filled_with_heartbeats(relay: Server, stage: Stage) -> None:
    stage.play(pausing(1.2))
    for _, reply in ask_at(STREAMED, relay):
        frames = frames_of(reply.body)
        assert frames.count(PING) >= 2  # STREAM_HEARTBEAT_SECONDS is 0.3 here
        assert frames[0] != PING and frames[1] == PING
        assert text_of(frames) == "Hello!"


def test_the_sdk_reads_through_heartbeats(relay: Server, stage: Stage) -> None:
    stage.play(pausing(0.7))
    with (
        openai.OpenAI(base_url=f"{relay.url}/v1", api_key="any", max_retries=0) as sdk,
        sdk.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}], stream=True
        ) as stream,
    ):
        assert "".join(piece.choices[0].delta.content or "" for piece in stream) == "Hello!"


class Outcome(NamedTuple):
    """What a caller saw."""

    call: Call
    reply: Reply
    head_after: float
    """Seconds until status and headers came."""

    @property
    def frames(self) -> list[bytes]:
        return frames_of(self.reply.body)


def late(script: Script, seconds: float = GRACE_SECONDS + 1.0) -> Script:
    """The script, after a silence."""

    def wait_and_play(exchange: Exchange) -> None:
        time.sleep(seconds)
        script(exchange)

    return wait_and_play


def head_at_once(exchange: Exchange) -> None:
    """A head, then a silence longer than the grace, then the answer."""
    exchange.start_stream()
    time.sleep(GRACE_SECONDS + 1.0)
    exchange.chunk(frame(chunk({"content": "Hello!"}, "stop")) + b"data: [DONE]\n\n")
    exchange.send(b"0\r\n\r\n")


CASES: dict[str, tuple[Door, list[Script]]] = {
    "answers": (V1_STREAM, [late(pausing(0))]),
    "answers at /chat/stream": (CHAT_STREAM, [late(pausing(0))]),
    "answers its head at once": (V1_STREAM, [head_at_once]),
    "refuses": (V1_STREAM, [late(refuse(503)), pausing(0)]),
    "asks to wait": (V1_STREAM, [late(refuse(503, headers="Retry-After: 4\r\n"), 1.2), pausing(0)]),
    "whole": (V1, [late(refuse(400))]),
    "bare text": (ASK, [late(pausing(0))]),
}


@pytest.fixture(scope="module")
def outcomes(patient: Server, https_upstream: ScriptedUpstream) -> Iterator[dict[str, Outcome]]:
    """All cases at once: each takes its time."""
    stage = Stage(https_upstream)
    stage.play_by_prompt({prompt: list(scripts) for prompt, (_, scripts) in CASES.items()})

    def observe(prompt: str) -> Outcome:
        door = CASES[prompt][0]
        started = time.monotonic()
        with Call(patient, door.path, door.body(prompt)) as call:
            assert call.reply.status
            head_after = time.monotonic() - started
            return Outcome(call, call.whole(), head_after)

    with ThreadPoolExecutor(len(CASES)) as pool:
        yield dict(zip(CASES, pool.map(observe, CASES), strict=True))
    https_upstream.script = answer_plainly


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("answers")])
def test_after_the_grace_headers_leave_and_heartbeats_begin(
    patient: Server, outcomes: dict[str, Outcome], case: str
) -> None:
    outcome = outcomes[case]
    assert outcome.reply.status == 200
    assert GRACE_SECONDS - 0.1 < outcome.head_after < GRACE_SECONDS + 5.0
    assert outcome.frames[0] == PING
    assert text_of(outcome.frames) == "Hello!"
    assert log_line(patient, outcome.call)["outcome"] == "ok"


def test_a_refusal_after_the_grace_comes_in_band_and_is_final(
    patient: Server, outcomes: dict[str, Outcome]
) -> None:
    outcome = outcomes["refuses"]
    *pings, last = outcome.frames
    assert outcome.reply.status == 200
    assert set(pings) == {PING}
    assert V1_STREAM.error_text(last.removeprefix(b"data: "))
    line = log_line(patient, outcome.call)
    assert (line["outcome"], line["attempts"]) == ("UpstreamOverloaded", 1)


def test_a_retry_that_would_cross_the_grace_is_not_made(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["asks to wait"]
    assert (outcome.reply.status, outcome.reply.headers["Retry-After"]) == (503, "4")
    assert outcome.head_after < GRACE_SECONDS


def test_a_whole_reply_has_no_grace(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["whole"].reply.status == 400


def test_bare_text_gets_its_headers_after_the_grace_and_no_heartbeats(
    outcomes: dict[str, Outcome],
) -> None:
    outcome = outcomes["bare text"]
    assert GRACE_SECONDS - 0.1 < outcome.head_after < GRACE_SECONDS + 5.0
    assert (outcome.reply.status, outcome.reply.body) == (200, b"Hello!")
