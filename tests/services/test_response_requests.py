"""A response's parameters become those of a chat completion, or their names are told."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import response_create_params

from chat_api.errors import InvalidRequest
from chat_api.schemas.responses import NOT_YET, ResponseRequestSchema
from chat_api.services.response_requests import (
    IDLE,
    KEPT,
    OWN,
    UNHEARD,
    completion_request,
    dropped_params,
)

SCHEMA: dict[str, Any] = {"type": "object"}
F = {"type": "function", "name": "f"}
G = {"type": "function", "name": "g"}


def body(**request: Any) -> dict[str, Any]:
    loaded = ResponseRequestSchema().load({"input": "Hi", **request})
    translated = completion_request(loaded, [{"role": "user", "content": "Hi"}])
    assert translated.pop("messages")[-1] == {"role": "user", "content": "Hi"}
    return translated


def test_instructions_come_before_the_conversation() -> None:
    request = {"input": "Hi", "instructions": "Be brief."}
    assert completion_request(request, [{"role": "user", "content": "Hi"}]) == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ]
    }


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        completion_request({"input": [], "conversation": "conv_1"}, [])
    assert (caught.value.param, caught.value.code) == ("input", "invalid_value")


def test_what_chat_completions_call_the_same_goes_on_as_it_came() -> None:
    same = {
        "model": "m",
        "temperature": 0,
        "top_p": 0.5,
        "service_tier": "flex",
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "user": "u",
        "top_k": 5,
        "seed": 1,
    }
    assert body(**same) == same


@pytest.mark.parametrize(
    ("request_field", "translated"),
    [
        ({"max_output_tokens": 7}, {"max_completion_tokens": 7}),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, {"reasoning_effort": "low"}),
        ({"text": {"verbosity": "low", "format": {"type": "text"}}}, {"verbosity": "low"}),
        (
            {"text": {"format": {"type": "json_object"}}},
            {"response_format": {"type": "json_object"}},
        ),
        (
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "n",
                        "schema": SCHEMA,
                        "strict": True,
                        "description": None,
                    }
                }
            },
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
                }
            },
        ),
        ({"top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
        ({"top_logprobs": 0, "include": ["web_search_call.results"]}, {}),
        (
            {"prompt_cache_options": {"mode": "explicit", "comparison_response_id": "resp_1"}},
            {"prompt_cache_options": {"mode": "explicit"}},
        ),
        ({"tools": [], "tool_choice": "auto", "parallel_tool_calls": False}, {}),
    ],
    ids=str,
)
def test_what_chat_completions_call_otherwise_is_renamed(
    request_field: dict[str, Any], translated: dict[str, Any]
) -> None:
    assert body(**request_field) == translated


def test_functions_lie_one_level_deeper() -> None:
    tool = {**F, "description": "d", "parameters": SCHEMA, "strict": False, "async": None}
    assert body(tools=[tool, G], parallel_tool_calls=False) == {
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "d",
                    "parameters": SCHEMA,
                    "strict": False,
                },
            },
            {"type": "function", "function": {"name": "g"}},
        ],
        "parallel_tool_calls": False,
    }


@pytest.mark.parametrize(
    ("choice", "translated"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        (F, {"type": "function", "function": {"name": "f"}}),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [F]},
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "f"}}],
                },
            },
        ),
    ],
    ids=str,
)
def test_a_choice_of_tools_is_translated(choice: Any, translated: Any) -> None:
    assert body(tools=[F, G], tool_choice=choice)["tool_choice"] == translated


def test_what_concerns_the_response_alone_goes_no_further() -> None:
    kept = {
        "stream": True,
        "stream_options": {"include_obfuscation": False},
        "store": True,
        "background": True,
        "metadata": {"a": "b"},
        "conversation": "conv_1",
        "truncation": "auto",
        "max_tool_calls": 2,
        "n": 1,
        "context_management": [],
    }
    assert body(**kept) == {}
    assert body(previous_response_id="resp_1") == {}
    assert body(**dict.fromkeys([*kept, "model", "tools", "text", "reasoning"])) == {}


def test_what_is_let_in_idle_goes_no_further() -> None:
    assert {name for name, idle in NOT_YET.items() if idle} == IDLE


def test_the_sdk_knows_no_parameter_that_is_neither_described_nor_refused() -> None:
    known = set(response_create_params.ResponseCreateParamsBase.__annotations__) | {"stream"}
    fields = set(ResponseRequestSchema().fields)
    assert known <= fields | set(NOT_YET)
    assert OWN | KEPT | IDLE | set(UNHEARD) <= known | {"n"}


@pytest.mark.parametrize(
    ("request_field", "dropped"),
    [
        ({}, []),
        ({"include": ["message.output_text.logprobs"], "reasoning": {"effort": "low"}}, []),
        (
            {"include": ["message.output_text.logprobs", "reasoning.encrypted_content"]},
            ["include[1]"],
        ),
        (
            {"reasoning": {"summary": "auto", "mode": "pro", "context": "auto"}},
            ["reasoning.mode", "reasoning.summary"],
        ),
        (
            {"prompt_cache_options": {"comparison_response_id": "resp_1", "ttl": "30m"}},
            ["prompt_cache_options.comparison_response_id"],
        ),
        (
            {"tools": [{**F, "async": False}, {**G, "defer_loading": True}]},
            ["tools[1].defer_loading"],
        ),
        ({"tools": [{**F, "allowed_callers": ["direct"]}]}, []),
        (
            {
                "input": [
                    {"role": "assistant", "content": "a", "phase": None},
                    {"role": "assistant", "content": "a", "phase": "commentary"},
                    {"role": "assistant", "content": "b", "phase": "commentary"},
                    {"type": "reasoning", "id": "rs_1", "encrypted_content": "x"},
                    {
                        "role": "user",
                        "content": [
                            {"type": "input_file", "file_data": "x", "detail": "auto"},
                            {"type": "input_file", "file_data": "x", "detail": "high"},
                        ],
                    },
                ]
            },
            ["input[1].phase", "input[3].encrypted_content", "input[4].content[1].detail"],
        ),
    ],
    ids=str,
)
def test_what_does_nothing_here_is_told_by_its_path(
    request_field: dict[str, Any], dropped: list[str]
) -> None:
    loaded = ResponseRequestSchema().load({"input": "Hi", **request_field})
    assert sorted(dropped_params(loaded)) == dropped
