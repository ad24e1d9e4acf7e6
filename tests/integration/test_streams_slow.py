"""Streams that fall silent: heartbeats, and the grace before the first piece."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import openai
import pytest

from tests.fakes import chunk, frame
from tests.integration.doors import (
    ASK,
    CHAT_STREAM,
    PING,
    STREAMED,
    V1,
    V1_STREAM,
    Door,
    door_name,
    frames_of,
    text_of,
)
from tests.integration.stage import Script, Stage, prompt_of, refuse
from tests.integration.wire import PATIENCE_SECONDS, Call, Reply, log_line
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server

GRACE_SECONDS = 5.0


def pausing(wait: Callable[[], object]) -> Script:
    """A stream with a silence in its middle."""

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(frame(chunk({"role": "assistant", "content": "Hel"})))
        wait()
        exchange.chunk(frame(chunk({"content": "lo!"})))
        exchange.chunk(frame(chunk({}, "stop")) + b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")

    return script


@pytest.mark.parametrize("door", STREAMED, ids=door_name)
def test_a_silence_midway_is_filled_with_heartbeats(
    relay: Server, stage: Stage, door: Door
) -> None:
    heard = threading.Event()
    stage.play(pausing(lambda: heard.wait(PATIENCE_SECONDS)))
    with Call(relay, door.path, door.body()) as call:
        assert text_of([call.frame()]) == "Hel"
        assert [call.frame(), call.frame()] == [PING, PING]
        heard.set()
        assert text_of(call.frames()) == "lo!"


def test_the_sdk_reads_through_heartbeats(relay: Server, stage: Stage) -> None:
    stage.play(pausing(lambda: time.sleep(0.7)))  # STREAM_HEARTBEAT_SECONDS is 0.3 here
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


def late(script: Script, seconds: float = PATIENCE_SECONDS) -> Script:
    """The script, after a silence: until its caller has a beginning, or for that long."""

    def wait_and_play(exchange: Exchange) -> None:
        BEGUN[prompt_of(exchange)].wait(seconds)
        script(exchange)

    return wait_and_play


def head_at_once(exchange: Exchange) -> None:
    """A head, then a silence longer than the grace, then the answer."""
    exchange.start_stream()
    BEGUN[prompt_of(exchange)].wait(PATIENCE_SECONDS)
    exchange.chunk(frame(chunk({"content": "Hello!"}, "stop")) + b"data: [DONE]\n\n")
    exchange.send(b"0\r\n\r\n")


CASES: dict[str, tuple[Door, list[Script]]] = {
    "answers": (V1_STREAM, [late(answer_plainly)]),
    "answers at /chat/stream": (CHAT_STREAM, [late(answer_plainly)]),
    "answers its head at once": (V1_STREAM, [head_at_once]),
    "refuses": (V1_STREAM, [late(refuse(503)), answer_plainly]),
    "asks to wait": (
        V1_STREAM,
        [late(refuse(503, headers="Retry-After: 4\r\n"), 1.2), answer_plainly],
    ),
    "whole": (V1, [late(refuse(400), GRACE_SECONDS + 1.0)]),
    "bare text": (ASK, [late(answer_plainly)]),
}
BEGUN = {prompt: threading.Event() for prompt in CASES}
"""Whether a caller has its head, and in a stream of events a heartbeat."""


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
            events = call.reply.headers["Content-Type"].startswith("text/event-stream")
            first = call.frame() if events else b""
            BEGUN[prompt].set()
            rest = call.whole()
            return Outcome(call, rest._replace(body=first + rest.body), head_after)

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
