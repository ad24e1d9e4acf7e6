"""Streams that fall silent: heartbeats, and the grace before the first piece."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.fakes import chunk, frame
from tests.integration.test_streams_refused import refuse
from tests.integration.wire import (
    CHAT_STREAM,
    STREAMED,
    V1,
    V1_STREAM,
    Call,
    Door,
    Script,
    Stage,
    ask_at,
    frames_of,
    log_line,
    text_of,
)
from tests.servers import Exchange, ScriptedUpstream, Server, gunicorn

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
        assert 2 <= frames.count(PING) <= 4  # STREAM_HEARTBEAT_SECONDS is 0.3 here
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


@pytest.fixture
def patient(scripted: ScriptedUpstream, tmp_path: Path) -> Iterator[Server]:
    """A server that waits for its upstream for longer than the grace."""
    with gunicorn(
        tmp_path,
        OPENAI_BASE_URL=scripted.url,
        WEB_CONCURRENCY="1",
        STREAM_HEARTBEAT_SECONDS="0.3",
    ) as server:
        yield server


def test_after_the_grace_headers_leave_and_heartbeats_begin(
    patient: Server, scripted: ScriptedUpstream
) -> None:
    """Seven callers at once, since it takes its time: whatever comes after it, comes in-band."""

    def after(seconds: float, script: Script) -> Script:
        def late(exchange: Exchange) -> None:
            time.sleep(seconds)
            script(exchange)

        return late

    def head_only(exchange: Exchange) -> None:
        exchange.start_stream()
        time.sleep(GRACE_SECONDS + 0.6)
        exchange.chunk(frame(chunk({"content": "Hello!"}, "stop")) + b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")

    late = GRACE_SECONDS + 0.6
    stage = Stage(scripted)
    stage.play_by_prompt(
        {
            "answers": [after(late, pausing(0.0))],
            "answers elsewhere": [after(late, pausing(0.0))],
            "answers its head at once": [head_only],
            "refuses": [after(late, refuse(503)), pausing(0.0)],
            "asks to wait beyond it": [
                after(1.2, refuse(503, headers="Retry-After: 4\r\n")),
                pausing(0.0),
            ],
            "is left": [lambda exchange: exchange.wait_until_caller_leaves()],
            "whole": [after(late, lambda exchange: exchange.reply(400, {"error": "No."}))],
        }
    )
    with contextlib.ExitStack() as stack:

        def call(door: Door, prompt: str) -> Call:
            return stack.enter_context(Call(patient, door.path, door.body(prompt)))

        started = time.monotonic()
        good = [call(V1_STREAM, "answers"), call(CHAT_STREAM, "answers elsewhere")]
        good.append(call(V1_STREAM, "answers its head at once"))
        bad = call(V1_STREAM, "refuses")
        hurried = call(V1_STREAM, "asks to wait beyond it")
        leaving = call(V1_STREAM, "is left")
        whole = call(V1, "whole")

        # A retry whose wait would cross the grace is not made: the status is passed on.
        assert (hurried.reply.status, hurried.reply.headers["Retry-After"]) == (503, "4")
        assert time.monotonic() - started < GRACE_SECONDS
        for number, reply in enumerate(good):
            assert reply.reply.status == 200
            if number == 0:
                left_at = time.monotonic() - started
                assert GRACE_SECONDS - 0.1 <= left_at < late + 0.3
            frames = reply.frames()
            assert frames[0] == PING
            assert text_of(frames) == "Hello!"
            assert log_line(patient, reply)["outcome"] == "ok"
        assert leaving.frame() == PING
        leaving.leave()
        assert log_line(patient, leaving)["outcome"] == "CallerGone"
        frames = bad.frames()
        assert (bad.reply.status, frames[0]) == (200, PING)
        assert V1_STREAM.error_text(frames[-1].removeprefix(b"data: "))
        assert b"[DONE]" not in b"".join(frames)
        assert whole.whole().status == 400, "a whole reply has no grace"
        assert stage.tries("refuses") == 1, "headers have left: it is not asked again"
