"""The scripted upstream, whole replies."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from chat_api.errors import (
    CallerGone,
    UpstreamBroken,
    UpstreamError,
    UpstreamFailed,
    UpstreamKeyRefused,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
)
from chat_api.upstreams.base import Call
from chat_api.upstreams.mock import MODEL, MockUpstream
from tests.upstreams.helpers import Visitor, after, soon


@pytest.fixture
def upstream() -> MockUpstream:
    return MockUpstream(timeout_seconds=10)


def call(text: Any = "Hello there", **options: Any) -> Call:
    return Call({"model": MODEL, "messages": [{"role": "user", "content": text}], **options})


def answer(upstream: MockUpstream, text: Any) -> Any:
    return upstream.complete(call(text)).data["choices"][0]["message"]["content"]


def test_it_repeats_what_it_is_told(upstream: MockUpstream) -> None:
    reply = upstream.complete(call())
    assert reply.data["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "You said: Hello there", "refusal": None},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert reply.data["object"] == "chat.completion" and reply.data["model"] == MODEL
    assert orjson.loads(reply.raw) == reply.data


def test_the_same_request_has_the_same_answer(upstream: MockUpstream) -> None:
    raw = upstream.complete(call()).raw
    time.sleep(0.01)
    assert upstream.complete(call()).raw == raw
    assert MockUpstream(timeout_seconds=1).complete(call()).raw == raw
    other = upstream.complete(call("Hello you")).data
    assert other["id"] != orjson.loads(raw)["id"]


def test_usage_counts_words(upstream: MockUpstream) -> None:
    usage = upstream.complete(call("one two three")).data["usage"]
    assert usage == {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "You said:"),
        (None, "You said:"),
        ([{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": "b"}], "You said: a b"),
        ("  a \n b  ", "You said: a b"),
        ("[unknown=1] a [not a directive] [x]", "You said: a [not a directive] [x]"),
        ("[words=3]", "word word word"),
        ("[words=1] hello", "word"),
        ("[words=0] hello", "You said: hello"),
        ("[words=-5] hello", "You said: hello"),
        ("[words=many] hello", "You said: hello"),
        ("[words=nan] hello", "You said: hello"),
    ],
)
def test_the_last_message_is_what_counts(upstream: MockUpstream, content: Any, said: str) -> None:
    assert answer(upstream, content) == said


@pytest.mark.parametrize("words", ["10000", "20000", "1e9", "inf"])
def test_an_answer_has_at_most_ten_thousand_words(upstream: MockUpstream, words: str) -> None:
    assert answer(upstream, f"[words={words}]") == " ".join(["word"] * 10_000)


def test_it_calls_a_function(upstream: MockUpstream) -> None:
    choice = upstream.complete(call("weather in Oslo [tool=get_weather]")).data["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    (called,) = choice["message"]["tool_calls"]
    assert called["type"] == "function" and called["id"].startswith("call_")
    assert called["function"]["name"] == "get_weather"
    assert orjson.loads(called["function"]["arguments"]) == {"query": "weather in Oslo"}


def test_it_ends_as_it_is_told(upstream: MockUpstream) -> None:
    choice = upstream.complete(call("[finish=length] hi")).data["choices"][0]
    assert choice["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UpstreamRefused),
        (401, UpstreamKeyRefused),
        (429, UpstreamRateLimited),
        (500, UpstreamFailed),
        (504, UpstreamTimeout),
        (599, UpstreamFailed),
    ],
)
def test_it_fails_with_the_status_it_is_told(
    upstream: MockUpstream, status: int, kind: type[UpstreamError]
) -> None:
    with pytest.raises(UpstreamError) as caught:
        upstream.complete(call(f"[status={status}] [retry_after=2.5]"))
    assert type(caught.value) is kind
    assert caught.value.retry_after_seconds == 2.5
    if isinstance(caught.value, UpstreamRefused):
        assert (caught.value.status, caught.value.code) == (status, f"mock_{status}")
        assert str(caught.value) == f"The mock was told to fail with {status}."


@pytest.mark.parametrize("status", ["200", "399", "600", "teapot"])
def test_a_status_that_is_no_error_is_ignored(upstream: MockUpstream, status: str) -> None:
    assert answer(upstream, f"[status={status}] hi") == "You said: hi"


def test_a_whole_reply_that_is_cut_fails(upstream: MockUpstream) -> None:
    with pytest.raises(UpstreamBroken):
        upstream.complete(call("[cut=2] hi"))


def test_a_delay_is_waited(upstream: MockUpstream) -> None:
    start = time.monotonic()
    assert answer(upstream, "[delay=0.1] hi") == "You said: hi"
    assert time.monotonic() - start >= 0.1


def test_a_delay_beyond_the_time_out_is_one() -> None:
    with soon(), pytest.raises(UpstreamTimeout):
        answer(MockUpstream(timeout_seconds=0.05), "[delay=10] hi")


def test_a_caller_who_leaves_in_a_delay_is_gone(upstream: MockUpstream, visitor: Visitor) -> None:
    asked = call("[delay=10] hi")
    asked.caller = visitor.caller
    with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
        upstream.complete(asked)


def test_it_offers_one_model_and_has_nothing_open(upstream: MockUpstream) -> None:
    (model,) = upstream.models()
    assert (model["id"], model["object"], model["owned_by"]) == (MODEL, "model", "mock")
    assert upstream.default_model == MODEL and upstream.answers_for == ("*",)
    upstream.close()
    assert upstream.complete(call())
