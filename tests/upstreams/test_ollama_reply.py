"""What Ollama's answers are for OpenAI's callers."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from chat_api.errors import UpstreamBroken
from chat_api.upstreams.ollama_reply import Chunks, completion, model_objects
from tests.ollama_wire import CREATED, MODEL, TAGS, USAGE, WEATHER, last, line


def said(answer: Any) -> Any:
    """The message and why it ended."""
    (choice,) = completion(answer)["choices"]
    return choice["message"], choice["finish_reason"]


def choices_of(*lines: Any) -> list[Any]:
    """The only choice of each chunk that these lines make."""
    chunks = Chunks(with_usage=False)
    return [event.data["choices"][0] for item in lines for event in chunks.feed(item)]


def deltas(*lines: Any) -> list[Any]:
    return [choice["delta"] for choice in choices_of(*lines)]


def test_a_whole_reply_is_openais_object() -> None:
    data = completion(last(content="Hello!"))
    assert re.fullmatch(r"chatcmpl-[0-9a-f]{32}", data.pop("id"))
    message = {"role": "assistant", "content": "Hello!", "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    assert data == {
        "object": "chat.completion",
        "created": CREATED,
        "model": MODEL,
        "system_fingerprint": "fp_ollama",
        "choices": [choice],
        "usage": USAGE,
    }


@pytest.mark.parametrize(
    ("reason", "finish_reason"),
    [("stop", "stop"), ("length", "length"), ("", "stop"), ("load", "stop"), ("other", "other")],
)
def test_why_it_ended(reason: str, finish_reason: str) -> None:
    assert said(last(reason))[1] == finish_reason
    assert choices_of(line("x"), last(reason))[-1]["finish_reason"] == finish_reason


def test_tool_calls_have_ids_and_arguments_as_a_string() -> None:
    nothing = {"id": "call_own", "function": {"name": "now", "arguments": {}}}
    message, reason = said(last(tool_calls=[WEATHER, nothing]))
    first, second = message["tool_calls"]
    assert re.fullmatch(r"call_[0-9a-f]{24}", first.pop("id"))
    called = {"name": "get_weather", "arguments": '{"city":"Tokyo"}'}
    assert first == {"type": "function", "function": called}
    assert (second["id"], second["function"]["arguments"]) == ("call_own", "{}")
    assert (message["content"], reason) == (None, "tool_calls")


def test_a_call_cut_off_by_the_length_says_so() -> None:
    assert said(last("length", tool_calls=[WEATHER]))[1] == "length"


def test_thinking_is_reasoning_content() -> None:
    assert said(last(content="4", thinking="2+2"))[0]["reasoning_content"] == "2+2"
    assert deltas(line(thinking="2+"), line("4", thinking="2"), last())[1:] == [
        {"reasoning_content": "2+"},
        {"reasoning_content": "2"},
        {"content": "4"},
        {},
    ]


def test_the_chunks_of_a_stream() -> None:
    chunks = Chunks(with_usage=True)
    events = [event for item in (line("Hel"), line("lo!"), last()) for event in chunks.feed(item)]
    assert chunks.done and all(event.raw is None for event in events)
    data = [event.data for event in events]
    assert len({piece["id"] for piece in data}) == 1
    assert all(piece["created"] == CREATED and piece["model"] == MODEL for piece in data)
    assert all(piece["object"] == "chat.completion.chunk" for piece in data)
    assert [piece["usage"] for piece in data] == [None] * 4 + [USAGE]
    assert data[-1]["choices"] == []
    assert [piece["choices"][0] for piece in data[:-1]] == [
        {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        for delta, reason in (
            ({"role": "assistant", "content": ""}, None),
            ({"content": "Hel"}, None),
            ({"content": "lo!"}, None),
            ({}, "stop"),
        )
    ]


def test_usage_is_told_to_who_asks() -> None:
    chunks = Chunks(with_usage=False)
    assert all("usage" not in event.data for event in chunks.feed(last()))


def test_calls_are_numbered_through_the_whole_stream() -> None:
    pieces = deltas(line(tool_calls=[WEATHER]), line(tool_calls=[WEATHER, WEATHER]), last())
    calls = [call for delta in pieces for call in delta.get("tool_calls", ())]
    assert [call["index"] for call in calls] == [0, 1, 2]
    assert len({call["id"] for call in calls}) == 3
    assert all(call["function"]["arguments"] == '{"city":"Tokyo"}' for call in calls)
    assert choices_of(line(tool_calls=[WEATHER]), last())[-1]["finish_reason"] == "tool_calls"
    assert choices_of(last(tool_calls=[WEATHER]))[-1]["finish_reason"] == "tool_calls"


def test_the_last_line_may_say_something_or_hold_no_message() -> None:
    assert deltas(last(content="!")) == [{"role": "assistant", "content": ""}, {"content": "!"}, {}]
    bare = {name: value for name, value in last().items() if name != "message"}
    assert deltas(line("x"), bare)[-1] == {}


def test_logprobs_are_openais() -> None:
    tokens = [{"token": "Hi", "logprob": -0.5}]
    filled = {**tokens[0], "bytes": None, "top_logprobs": []}
    expected = {"content": [filled], "refusal": None}
    whole = completion({**last(content="Hi"), "logprobs": tokens})
    assert whole["choices"][0]["logprobs"] == expected
    held = choices_of({**line(), "logprobs": tokens}, {**line("Hi"), "logprobs": tokens}, last())
    assert [choice["logprobs"] for choice in held] == [None, expected, expected, None]


def test_counts_that_are_left_out_are_nought() -> None:
    answer = {name: value for name, value in last().items() if name != "prompt_eval_count"}
    assert completion(answer)["usage"]["total_tokens"] == 282


def test_a_moment_that_cannot_be_read_is_now() -> None:
    assert completion({**last(), "created_at": "soon"})["created"] > CREATED


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        "x",
        line("not done"),
        {"error": "failed"},
        {**last(), "message": None},
        {**last(), "eval_count": "many"},
        {**last(), "logprobs": [1]},
        last(content=1),
        last(tool_calls=[{}]),
        last(tool_calls=7),
        last(tool_calls=[{"function": {"name": "f", "arguments": object()}}]),
    ],
)
def test_nonsense_is_a_broken_answer(answer: Any) -> None:
    with pytest.raises(UpstreamBroken):
        completion(answer)


@pytest.mark.parametrize(
    "item", [None, [], {}, "x", {"done": False}, {"status": "success"}, line(1), {"done": True}]
)
def test_a_line_of_nonsense_is_a_failure(item: Any) -> None:
    with pytest.raises(UpstreamBroken):
        Chunks(with_usage=True).feed(item)


def test_an_error_line_is_a_failure_without_its_words() -> None:
    chunks = Chunks(with_usage=True)
    chunks.feed(line("Hel"))
    with pytest.raises(UpstreamBroken) as caught:
        chunks.feed({"error": "an error was encountered while running the model"})
    assert "encountered" not in str(caught.value) and not chunks.done


def test_tags_are_model_objects() -> None:
    assert model_objects(TAGS) == [
        {
            "id": "llama3.2:latest",
            "object": "model",
            "created": 1_746_405_464,
            "owned_by": "library",
        },
        {
            "id": "hf.co/someone/gpt-oss:20b",
            "object": "model",
            "created": 1_746_889_608,
            "owned_by": "someone",
        },
    ]
    assert model_objects({"models": None}) == []


@pytest.mark.parametrize("tags", [None, {}, {"models": [1]}, {"models": [{}]}, {"models": 7}])
def test_a_listing_that_is_none(tags: Any) -> None:
    with pytest.raises(UpstreamBroken):
        model_objects(tags)


def test_what_is_made_can_be_written_as_json() -> None:
    orjson.dumps(completion(last(tool_calls=[WEATHER], thinking="x")))
