"""Streamed completions become what the whole ones would have been."""

from __future__ import annotations

from typing import Any

import pytest

from chat_api.services.completion_parts import Assembly
from chat_api.upstreams.base import JsonObject
from tests.fakes import chunk, chunks, completion


def whole(*parts: JsonObject, usage: JsonObject | None = None) -> JsonObject:
    assembly = Assembly()
    for part in parts:
        assembly.add(part)
    return assembly.completion(usage)


def message(*deltas: JsonObject) -> Any:
    return whole(*map(chunk, deltas))["choices"][0]["message"]


def test_a_text_is_put_together() -> None:
    assert whole(*chunks("Hel", "lo!"), usage=completion()["usage"]) == completion()


def test_parallel_calls_are_kept_apart_by_their_index() -> None:
    def call(index: int, call_id: str | None, arguments: str) -> JsonObject:
        function = {"arguments": arguments, **({"name": f"f{index}"} if call_id else {})}
        head = {"id": call_id, "type": "function"} if call_id else {}
        return {"tool_calls": [{"index": index, **head, "function": function}]}

    found = message(
        {"role": "assistant", "content": ""},
        call(0, "call_a", ""),
        call(0, None, '{"a"'),
        call(1, "call_b", ""),
        call(1, None, "{}"),
        call(0, None, ":1}"),
    )
    assert found["content"] is None
    assert found["tool_calls"] == [
        {"id": "call_a", "type": "function", "function": {"arguments": '{"a":1}', "name": "f0"}},
        {"id": "call_b", "type": "function", "function": {"arguments": "{}", "name": "f1"}},
    ]


def test_a_name_that_is_repeated_is_no_longer_name() -> None:
    part = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "x"}}
    (call,) = message({"tool_calls": [part]}, {"tool_calls": [part]})["tool_calls"]
    assert call == {"id": "c", "type": "function", "function": {"name": "f", "arguments": "xx"}}


def test_thoughts_refusals_sound_and_vendors_fields_are_taken_along() -> None:
    found = message(
        {"role": "assistant", "reasoning_content": "Hm"},
        {"reasoning_content": "m."},
        {"refusal": "I can"},
        {"refusal": "not.", "x": 1},
        {"audio": {"id": "a", "data": "AA", "transcript": "Hi"}},
        {"audio": {"data": "BB", "expires_at": 5}},
    )
    assert found == {
        "role": "assistant",
        "content": None,
        "refusal": "I cannot.",
        "reasoning_content": "Hmm.",
        "x": 1,
        "audio": {"id": "a", "data": "AABB", "transcript": "Hi", "expires_at": 5},
    }


def test_logprobs_go_on() -> None:
    parts = []
    for token in ("a", "b"):
        part = chunk({"content": token})
        part["choices"][0]["logprobs"] = {"content": [{"token": token}], "refusal": None}
        parts.append(part)
    (choice,) = whole(*parts)["choices"]
    assert choice["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}], "refusal": None}


def test_several_answers_are_in_the_order_of_their_indexes() -> None:
    def part(index: int, text: str) -> JsonObject:
        return {**chunk({}), "choices": [{"index": index, "delta": {"content": text}}]}

    choices = whole(part(1, "b"), part(0, "a"), part(1, "B"))["choices"]
    assert [(each["index"], each["message"]["content"]) for each in choices] == [
        (0, "a"),
        (1, "bB"),
    ]


def test_chunks_are_left_as_they_came() -> None:
    part = {"index": 0, "id": "c", "function": {"arguments": "x"}}
    first = chunk({"tool_calls": [part]})
    before = repr(first)
    whole(first, chunk({"tool_calls": [{"index": 0, "function": {"arguments": "y"}}]}))
    assert repr(first) == before


SAID = chunk({"content": "Hi", "tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]})


@pytest.mark.parametrize(
    "odd",
    [
        {"delta": "x"},
        {"delta": ["x"]},
        {"logprobs": [1]},
        {"logprobs": "x"},
        {"message": "m"},
        {"message": {"content": "m"}},
        {"index": None},
        {"index": "0"},
        {"index": 0.5},
        {"delta": {"content": 5}},
        {"delta": {"tool_calls": "zz"}},
        {"delta": {"tool_calls": {}}},
        {"delta": {"tool_calls": ["zz", None, [1]]}},
        {"delta": {"tool_calls": [{"index": [0]}, {"index": {}}]}},
        {"delta": {"tool_calls": [{"index": 0, "id": 5, "function": 5}]}},
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_values_of_a_wrong_type_count_as_not_there(odd: JsonObject, is_first: bool) -> None:
    strange = {**chunk({}), "choices": [odd]}
    found = whole(*((strange, SAID) if is_first else (SAID, strange)))["choices"]
    assert [(each["index"], each["message"]["role"]) for each in found] == [(0, "assistant")]
    assert found[0]["message"]["content"] in ("Hi", None)
    calls = found[0]["message"].get("tool_calls") or []
    assert all("index" not in call for call in calls)
    if not is_first:
        assert found[0]["message"]["content"] == "Hi"
        assert {"id": "c", "function": {"name": "f"}} in calls


def test_calls_that_are_none_are_left_out() -> None:
    assert "tool_calls" not in message({"tool_calls": "zz"}) | message({"tool_calls": ["zz"]})


def test_a_text_may_follow_parts() -> None:
    """As Mistral thinks aloud in parts and then answers in a text."""
    thought = {"content": [{"type": "thinking", "thinking": []}]}
    assert message(thought, {"content": "4"}, {"content": "2"})["content"] == "42"


def test_a_long_answer_takes_as_long_as_its_pieces() -> None:
    """Each piece once: with all that came before it this would take minutes."""
    pieces = 30_000
    part = chunk({"content": "x" * 1_000})
    part["choices"][0]["logprobs"] = {"content": [{"token": "x"}]}
    (choice,) = whole(*[part] * pieces)["choices"]
    assert len(choice["message"]["content"]) == pieces * 1_000
    assert len(choice["logprobs"]["content"]) == pieces
