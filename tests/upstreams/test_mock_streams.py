"""The scripted upstream, streamed."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from chat_api.errors import CallerGone, UpstreamOverloaded, UpstreamTimeout
from chat_api.upstreams.base import EventStream, JsonObject
from chat_api.upstreams.mock import MockUpstream
from tests.upstreams.helpers import Clock, HurriedCaller, Visitor, after, soon
from tests.upstreams.test_mock import call
from tests.upstreams.wire import FOREVER


@pytest.fixture
def upstream() -> MockUpstream:
    return MockUpstream(timeout_seconds=10)


def read_all(stream: EventStream) -> list[JsonObject]:
    events = []
    while not stream.ended:
        events += stream.read(time.monotonic() + 5)
    return [event.data for event in events]


def streamed(upstream: MockUpstream, text: str, **options: Any) -> list[JsonObject]:
    return read_all(upstream.stream(call(text, **options)))


def content(chunks: list[JsonObject]) -> str:
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def test_a_stream_says_what_the_whole_reply_says(upstream: MockUpstream) -> None:
    chunks = streamed(upstream, "Hello there")
    whole = upstream.complete(call("Hello there")).data
    assert content(chunks) == whole["choices"][0]["message"]["content"]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert {chunk["id"] for chunk in chunks} == {whole["id"]}
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]


def test_the_same_request_has_the_same_stream(upstream: MockUpstream) -> None:
    assert streamed(upstream, "Hello") == streamed(upstream, "Hello")


def test_usage_is_told_to_who_asks(upstream: MockUpstream) -> None:
    asked = {"include_usage": True}
    chunks = streamed(upstream, "Hello", stream_options=asked)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == upstream.complete(call("Hello")).data["usage"]
    assert all(chunk["usage"] is None for chunk in chunks[:-1])


@pytest.mark.parametrize("options", [{}, {"stream_options": None}, {"stream_options": {}}])
def test_usage_is_not_told_to_who_does_not(upstream: MockUpstream, options: Any) -> None:
    assert not any("usage" in chunk for chunk in streamed(upstream, "Hello", **options))


def test_a_function_call_comes_in_fragments(upstream: MockUpstream) -> None:
    chunks = streamed(upstream, "weather in Oslo [tool=get_weather]")
    calls = [
        called for chunk in chunks for called in chunk["choices"][0]["delta"].get("tool_calls", [])
    ]
    whole = upstream.complete(call("weather in Oslo [tool=get_weather]")).data
    (expected,) = whole["choices"][0]["message"]["tool_calls"]
    assert calls[0]["id"] == expected["id"] and len(calls) > 2
    assert calls[0]["function"]["name"] == "get_weather"
    arguments = "".join(called["function"]["arguments"] for called in calls)
    assert arguments == expected["function"]["arguments"]
    assert orjson.loads(arguments) == {"query": "weather in Oslo"}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_it_ends_as_it_is_told(upstream: MockUpstream) -> None:
    chunks = streamed(upstream, "[finish=content_filter] hi")
    assert chunks[-1]["choices"][0]["finish_reason"] == "content_filter"


@pytest.mark.parametrize(("cut", "said"), [(0, ""), (1, "You"), (2, "You said:")])
def test_it_breaks_off_where_it_is_told(upstream: MockUpstream, cut: int, said: str) -> None:
    chunks = streamed(upstream, f"[cut={cut}] hello", stream_options={"include_usage": True})
    assert content(chunks) == said
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in chunks)


def test_a_refusal_comes_from_the_first_read(upstream: MockUpstream) -> None:
    stream = upstream.stream(call("[status=503] [retry_after=1]"))
    with pytest.raises(UpstreamOverloaded) as caught:
        stream.read(FOREVER)
    assert caught.value.retry_after_seconds == 1


@pytest.mark.parametrize(
    ("directives", "waits"),
    [
        ("", []),
        ("[delay=2]", [2]),
        ("[pace=0.5]", [0.5, 0.5, 0.5, 0.5]),
        ("[silence=3]", [3]),
        ("[delay=2] [pace=0.5] [silence=3]", [2, 0.5, 3.5, 0.5, 0.5]),
    ],
)
def test_it_pauses_where_it_is_told(
    upstream: MockUpstream, clock: Clock, directives: str, waits: list[float]
) -> None:
    asked = call(f"{directives} hi")  # role, You, said:, hi, and the end
    asked.caller = caller = HurriedCaller(clock)
    stream = upstream.stream(asked)
    while not stream.ended:
        stream.read(FOREVER)
    assert [wait for wait in caller.waits if wait] == waits


def test_a_read_ends_when_it_is_told(upstream: MockUpstream, clock: Clock) -> None:
    stream = upstream.stream(call("[delay=8] hi"))
    with soon():
        assert stream.read(time.monotonic() + 0.03) == []
        assert stream.read(time.monotonic() - 1) == [] and not stream.ended
    clock.advance(8)
    assert len(stream.read(FOREVER)) == 1


def test_silence_beyond_the_time_out_is_one() -> None:
    stream = MockUpstream(timeout_seconds=0.1).stream(call("[silence=10] hi"))
    assert stream.read(FOREVER) and stream.read(FOREVER)
    start = time.monotonic()
    with soon(), pytest.raises(UpstreamTimeout):
        stream.read(FOREVER)
    assert time.monotonic() - start >= 0.1


def test_a_read_ends_when_it_is_told_before_a_time_out_too(clock: Clock) -> None:
    """Heartbeats are sent between reads: a silence must not hold them up."""
    stream = MockUpstream(timeout_seconds=60).stream(call("[delay=120] hi"))
    assert stream.read(time.monotonic() + 0.03) == []
    clock.advance(60)
    with soon(), pytest.raises(UpstreamTimeout):
        stream.read(FOREVER)


def test_a_caller_who_leaves_in_a_silence_is_gone(upstream: MockUpstream, visitor: Visitor) -> None:
    asked = call("[silence=10] hi")
    asked.caller = visitor.caller
    stream = upstream.stream(asked)
    assert stream.read(FOREVER) and stream.read(FOREVER)
    with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
        stream.read(FOREVER)


def test_a_closed_stream_says_no_more(upstream: MockUpstream) -> None:
    stream = upstream.stream(call("hi"))
    assert stream.read(FOREVER)
    stream.close()
    stream.close()
    assert stream.ended and stream.read(FOREVER) == []
