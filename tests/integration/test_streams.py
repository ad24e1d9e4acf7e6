"""Streams that go well: what arrives, when, and that it is the upstream's own bytes."""

from __future__ import annotations

import json
import threading
import time

import openai
import pytest

from tests.fakes import USAGE_CHUNK, chunk, chunks, frame
from tests.integration.doors import (
    CHAT_STREAM,
    STREAMED,
    V1,
    V1_STREAM,
    Door,
    data_of,
    door_name,
    frames_of,
    text_of,
)
from tests.integration.stage import Script, Stage
from tests.integration.wire import Call, ask, exchange_raw
from tests.scripted import Exchange
from tests.servers import Server

PROMPT_SECONDS = 0.5
"""More than a piece needs on a busy machine, less than a buffer or a poll would hold it."""

ODD = (
    b'data: {"id":"1", "object" : "chat.completion.chunk","x_new":{"deep":[1.50,1e3]},'
    b'"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n',
    b'data: {  "choices":[{"index":0,"delta":{"content":"\\u00e9\\/\\ud83d\\ude00 \xc3\xa9"},'
    b'"logprobs":null , "finish_reason":null,"content_filter_results":{}}],"id":"1"}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"p":"\\u0000","p":2}\n\n',
)
"""Frames that another hand would write otherwise: spaces, escapes, numbers, unknown fields."""


def play_frames(*frames: bytes) -> Script:
    """A stream of these bytes, chunk by chunk, and `[DONE]`."""

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        for data in (*frames, b"data: [DONE]\n\n"):
            exchange.chunk(data)
        exchange.send(b"0\r\n\r\n")

    return script


@pytest.mark.parametrize("door", STREAMED, ids=door_name)
def test_a_stream_has_the_headers_that_keep_proxies_from_holding_it(
    relay: Server, stage: Stage, door: Door
) -> None:
    with Call(relay, door.path, door.body()) as call:
        headers = call.reply.headers
        assert call.reply.status == 200
        assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert headers["Cache-Control"] == "no-cache, no-transform"
        assert headers["X-Accel-Buffering"] == "no"
        assert headers["Content-Length"] is None and headers["Content-Encoding"] is None
        assert headers["X-Request-ID"] == call.id
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert text_of(call.frames()) == "Hello!"


@pytest.mark.parametrize("door", STREAMED, ids=door_name)
def test_to_http_1_0_a_stream_ends_with_the_connection(
    relay: Server, stage: Stage, door: Door
) -> None:
    body = json.dumps(door.body()).encode()
    start = f"POST {door.path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: "
    head, _, data = exchange_raw(
        relay, b"%b%d\r\n\r\n%b" % (start.encode(), len(body), body)
    ).partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head and b"Content-Length" not in head
    assert data == ask(relay, door).body


def test_the_plain_stream_ends_with_done(relay: Server, stage: Stage) -> None:
    body = ask(relay, CHAT_STREAM).body
    assert body.startswith(b'data: {"content": "Hel"}\n\ndata: {"content": "lo!"}\n\n')
    last = data_of(frames_of(body))[-1]
    assert last["done"] is True
    assert last["usage"]["total_tokens"] == 11


@pytest.mark.parametrize("door", STREAMED, ids=door_name)
def test_each_piece_arrives_while_the_next_is_still_held_back(
    relay: Server, stage: Stage, door: Door
) -> None:
    arrived = threading.Semaphore(0)
    sent_at: list[float] = []
    delays: list[float] = []

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        for number in range(8):
            sent_at.append(time.monotonic())
            exchange.chunk(frame(chunk({"content": f"{number};"})))
            assert arrived.acquire(timeout=10)
        exchange.chunk(frame(chunk({}, "stop")) + b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")

    stage.play(script)
    with Call(relay, door.path, door.body()) as call:
        for number in range(8):
            assert text_of([call.frame()]) == f"{number};"
            delays.append(time.monotonic() - sent_at[number])
            arrived.release()
        assert call.frames()
    assert sorted(delays)[4] < PROMPT_SECONDS


@pytest.mark.parametrize("split", [1, 7, 1000], ids="{} bytes at a time".format)
def test_an_event_arrives_whole_however_it_was_split(
    relay: Server, stage: Stage, split: int
) -> None:
    whole = b"".join(ODD) + b"data: [DONE]\n\n"

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        for start in range(0, len(whole), split):
            exchange.chunk(whole[start : start + split])
        exchange.send(b"0\r\n\r\n")

    stage.play(script)
    assert ask(relay, V1_STREAM).body == whole


def test_every_frame_arrives_as_the_upstream_wrote_it(relay: Server, stage: Stage) -> None:
    stage.play(play_frames(*ODD))
    assert ask(relay, V1_STREAM).body == b"".join(ODD) + b"data: [DONE]\n\n"


def test_a_whole_reply_arrives_as_the_upstream_wrote_it(relay: Server, stage: Stage) -> None:
    odd = (
        b'{ "choices": [{"index":0,"message":{"role":"assistant","content":"\\u00e9",'
        b'"reasoning_content":"x"},"finish_reason":"stop"}],\n "x_new" : 1.50, "usage":null}\n'
    )
    stage.play(lambda exchange: exchange.reply(200, odd))
    reply = ask(relay, V1)
    assert reply.body == odd
    assert reply.headers["Content-Type"] == "application/json"


def test_unknown_fields_of_a_request_go_upstream_untouched(relay: Server, stage: Stage) -> None:
    extra = {"x_new": {"deep": [None, 1.5, "é"]}, "seed": 7, "tools": [], "n": 1}
    ask(relay, V1, **extra)
    assert extra.items() <= stage.exchange().json.items()


def test_usage_is_hidden_from_who_did_not_ask(relay: Server, stage: Stage) -> None:
    frames = [frame(data) for data in chunks("Hel", "lo!")]
    stage.play(play_frames(*frames))
    shown = [data.replace(b',"usage":null', b"") for data in frames[:-1]]
    assert ask(relay, V1_STREAM).body == b"".join(shown) + b"data: [DONE]\n\n"
    assert stage.exchange().json["stream_options"] == {"include_usage": True}


def test_usage_is_shown_byte_for_byte_to_who_asked(relay: Server, stage: Stage) -> None:
    spaced = json.dumps(USAGE_CHUNK, indent=None, separators=(" , ", " : ")).encode()
    frames = [*(frame(data) for data in chunks("Hel", "lo!")[:-1]), b"data: %b\n\n" % spaced]
    stage.play(play_frames(*frames))
    reply = ask(relay, V1_STREAM, stream_options={"include_usage": True, "x_new": 1})
    assert reply.body == b"".join(frames) + b"data: [DONE]\n\n"
    assert stage.exchange().json["stream_options"] == {"include_usage": True, "x_new": 1}


def test_usage_beside_the_last_text_is_cut_out_of_it(relay: Server, stage: Stage) -> None:
    last = chunk({"content": '"usage":null'}, "stop", usage=USAGE_CHUNK["usage"])
    stage.play(play_frames(frame(last)))
    (data, done) = data_of(frames_of(ask(relay, V1_STREAM).body))
    assert (data, done) == ({k: v for k, v in last.items() if k != "usage"}, "[DONE]")


def test_comments_ids_and_names_of_events_are_not_passed_on(relay: Server, stage: Stage) -> None:
    data = frame(chunk({"content": "Hi"}, "stop"))
    stage.play(play_frames(b": hello\n\n", b"retry: 1\n\n", b"id: 7\nevent: x\n" + data))
    assert ask(relay, V1_STREAM).body == data + b"data: [DONE]\n\n"


def test_the_sdk_gets_the_usage_it_asks_for(relay: Server, stage: Stage) -> None:
    with (
        openai.OpenAI(base_url=f"{relay.url}/v1", api_key="any", max_retries=0) as sdk,
        sdk.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            stream_options={"include_usage": True},
        ) as stream,
    ):
        received = list(stream)
    assert [piece.usage is not None for piece in received] == [False] * 4 + [True]
    assert received[-1].choices == []
