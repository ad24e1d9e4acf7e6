"""Streams that die midway: an error event in the family's shape, and nothing that says whole."""

from __future__ import annotations

import threading
import time

import openai
import pytest

from tests.fakes import USAGE_CHUNK, chunk, frame
from tests.integration.doors import (
    PING,
    STREAMED,
    V1_STREAM,
    Door,
    data_of,
    door_name,
    frames_of,
    text_of,
)
from tests.integration.stage import CANARY, INTERNAL, Script, Stage, reset
from tests.integration.wire import Call, ask_at, log_line, wait_for
from tests.scripted import Exchange
from tests.servers import Server

TEXT = frame(chunk({"role": "assistant", "content": "Hello"}))
STOP = frame(chunk({}, "stop"))
DONE = b"data: [DONE]\n\n"
OOPS = b"data: {oops}\n\n"


def say(*pieces: bytes) -> Script:
    """These pieces, each read by itself on the other side, and the end of the body."""

    def script(exchange: Exchange) -> None:
        for piece in pieces:
            exchange.chunk(piece)
            time.sleep(0.03)
        exchange.send(b"0\r\n\r\n")

    return script


WAYS = {
    "a clean end without a finish_reason": say(),
    "[DONE] without a finish_reason": say(DONE),
    "usage and [DONE] without a finish_reason": say(frame(USAGE_CHUNK) + DONE),
    "the connection closed": lambda exchange: exchange.connection.close(),
    "the connection reset": reset,
    "half an event": say(b'data: {"choices":[{"index":0,"del'),
    "a broken chunk": lambda exchange: exchange.send(b"zzz\r\nnonsense\r\n"),
    "an event that is no JSON": say(OOPS, STOP, DONE),
    "one that is no JSON, all in one piece": say(OOPS + STOP + DONE),
    "one that is no JSON, the rest in one piece": say(OOPS, STOP + DONE),
    "an event that is no object": say(b"data: 17\n\n", STOP, DONE),
    "an event that is no chunk": say(b'data: {"a":1}\n\n', STOP, DONE),
    "NaN": say(b'data: {"choices":[],"x":NaN}\n\n', STOP, DONE),
    "an error event": say(frame(INTERNAL), STOP, DONE),
    "a named error event": say(b"event: error\n" + frame(INTERNAL), DONE),
}


def beginning(then: Script) -> tuple[Script, threading.Event]:
    """A stream that says `TEXT` and goes on as told when the event is set."""
    arrived = threading.Event()

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(TEXT)
        assert arrived.wait(10)
        then(exchange)

    return script, arrived


@pytest.mark.parametrize("door", STREAMED, ids=door_name)
@pytest.mark.parametrize("way", WAYS)
def test_the_last_event_is_an_error(relay: Server, stage: Stage, way: str, door: Door) -> None:
    script, arrived = beginning(WAYS[way])
    stage.play(script)
    with Call(relay, door.path, door.body()) as call:
        assert call.reply.status == 200
        assert text_of([call.frame()]) == "Hello"
        arrived.set()
        (last,) = [frame for frame in call.frames() if frame != PING]
        assert door.error_text(last.removeprefix(b"data: "))
        assert b"canary" not in last and b"10.0.0.7" not in last
        assert log_line(relay, call)["outcome"] == "UpstreamBroken"
    assert len(stage.exchanges) == 1


@pytest.mark.parametrize("door", STREAMED, ids=door_name)
@pytest.mark.parametrize(
    "then", [say(STOP, OOPS, DONE), say(STOP, OOPS + DONE), say(STOP, OOPS)], ids=range(3)
)
def test_nonsense_behind_the_finish_reason_is_an_error_too(
    relay: Server, stage: Stage, then: Script, door: Door
) -> None:
    script, arrived = beginning(then)
    stage.play(script)
    arrived.set()
    with Call(relay, door.path, door.body()) as call:
        frames = call.frames()
    assert door.error_text(frames[-1].removeprefix(b"data: "))
    assert b"[DONE]" not in b"".join(frames) and b'"done"' not in b"".join(frames)


@pytest.mark.parametrize("door", STREAMED, ids=door_name)
def test_an_upstream_that_falls_silent_behind_nonsense_is_not_waited_for(
    relay: Server, stage: Stage, door: Door
) -> None:
    def fall_silent(exchange: Exchange) -> None:
        exchange.chunk(OOPS)
        exchange.wait_until_caller_leaves(30)  # the server would wait for less

    script, arrived = beginning(fall_silent)
    stage.play(script)
    with Call(relay, door.path, door.body()) as call:
        assert text_of([call.frame()]) == "Hello"
        arrived.set()
        error = next(frame for frame in iter(call.frame, b"") if frame != PING)
        assert door.error_text(error.removeprefix(b"data: "))
        assert log_line(relay, call)["outcome"] == "UpstreamBroken"


def test_one_of_two_answers_left_open_is_an_error(relay: Server, stage: Stage) -> None:
    other = frame({"choices": [{"index": 1, "delta": {"content": "!"}}]})
    script, arrived = beginning(say(other, STOP, DONE))
    stage.play(script)
    arrived.set()
    for door, reply in ask_at(STREAMED, relay):
        frames = frames_of(reply.body)
        assert text_of(frames[:-1]) == "Hello!"
        assert door.error_text(frames[-1].removeprefix(b"data: "))


@pytest.mark.parametrize("way", ["the connection closed", "an event that is no JSON"])
def test_the_sdk_raises(relay: Server, stage: Stage, way: str) -> None:
    script, arrived = beginning(WAYS[way])
    stage.play(script)
    received = []
    with (
        openai.OpenAI(base_url=f"{relay.url}/v1", api_key="any", max_retries=0) as sdk,
        sdk.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}], stream=True
        ) as stream,
        pytest.raises(openai.APIError) as caught,
    ):
        for piece in stream:
            received.append(piece.choices[0].delta.content)
            arrived.set()
    assert received == ["Hello"]
    assert caught.value.message.startswith("The upstream")
    assert CANARY not in str(caught.value.body)


def test_a_silence_beyond_the_upstreams_time_is_an_error(impatient: Server, stage: Stage) -> None:
    script, arrived = beginning(lambda exchange: exchange.wait_until_caller_leaves())
    stage.play(script)
    arrived.set()
    started = time.monotonic()
    for door, reply in ask_at(STREAMED, impatient):
        first, *pings, last = frames_of(reply.body)
        assert text_of([first]) == "Hello"
        assert pings.count(PING) == len(pings) >= 1
        text = door.error_text(last.removeprefix(b"data: "))
        assert text == "The upstream stayed silent for too long."
    assert 2.0 <= time.monotonic() - started < 6.0  # UPSTREAM_TIMEOUT is 2 there
    wait_for(lambda: all(exchange.caller_left_at for exchange in stage.exchanges))


def test_what_follows_done_is_not_looked_at(relay: Server, stage: Stage) -> None:
    script, arrived = beginning(say(STOP, DONE + OOPS))
    stage.play(script)
    arrived.set()
    ((_, reply),) = ask_at([V1_STREAM], relay)
    assert data_of(frames_of(reply.body))[-1] == "[DONE]"


def test_an_end_without_done_is_whole_when_the_upstream_said_why_it_stopped(
    relay: Server, stage: Stage
) -> None:
    script, arrived = beginning(say(frame(chunk({}, "length"))))
    stage.play(script)
    arrived.set()
    for _, reply in ask_at(STREAMED, relay):
        assert b"error" not in reply.body
        assert reply.body.endswith(DONE) or b'{"done": true' in reply.body
