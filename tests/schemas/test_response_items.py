"""Items are taken or refused by their path, and described as they are taken."""

from __future__ import annotations

from typing import Any

import pytest

from chat_api.errors import InvalidRequest
from chat_api.schemas.response_items import Input
from tests.schemas.shapes import shape

INPUT = Input(description="What is said.")
SHAPE = shape(INPUT)

CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "done"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}
TEXT = {"type": "input_text", "text": "x"}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
FILE = {"type": "input_file", "file_data": "data:x"}
SOUND = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}

GOOD_ITEMS = [
    {"role": "user", "content": "Hi"},
    {"type": None, "role": "system", "content": ""},
    {"type": "message", "id": None, "role": "developer", "content": [], "status": None},
    {"id": "msg_1", "role": "assistant", "content": "Hi", "status": "completed", "phase": "x"},
    CALL,
    {**CALL, "id": "fc_1", "status": "completed", "namespace": None},
    OUTPUT,
    {**OUTPUT, "output": [TEXT, TEXT], "id": None},
    {**OUTPUT, "output": []},
    REASONING,
    {"type": "reasoning", "summary": None, "content": None, "encrypted_content": None},
    {
        **REASONING,
        "summary": [{"type": "summary_text", "text": "x"}],
        "content": [{"type": "reasoning_text", "text": "y"}],
        "encrypted_content": "z",
    },
    {"id": "msg_1"},
    {"type": "item_reference", "id": "msg_1"},
    {"type": None, "id": "msg_1"},
]
GOOD_PARTS = [
    TEXT,
    {"type": "output_text", "text": "", "annotations": [], "logprobs": []},
    {"type": "refusal", "refusal": "No."},
    {**IMAGE, "detail": "auto", "file_id": None},
    {**FILE, "filename": "a.pdf", "file_url": None},
    SOUND,
    {**TEXT, "prompt_cache_breakpoint": {"mode": "explicit"}},
]
BAD_ITEMS: list[tuple[Any, str, str]] = [
    ("x", "", "invalid_value"),
    ({}, ".role", "missing_required_parameter"),
    ({"content": "x"}, ".role", "missing_required_parameter"),
    ({"id": "x", "role": None}, ".role", "missing_required_parameter"),
    ({"role": "tool", "content": "x"}, ".role", "invalid_value"),
    ({"role": ["user"], "content": "x"}, ".role", "invalid_value"),
    ({"role": "user"}, ".content", "missing_required_parameter"),
    ({"role": "user", "content": 1}, ".content", "invalid_value"),
    ({"role": "user", "content": "x", "id": 1}, ".id", "invalid_value"),
    ({"role": "user", "content": "x", "status": "odd"}, ".status", "invalid_value"),
    ({"id": 1}, ".id", "invalid_value"),
    ({"type": "item_reference"}, ".id", "missing_required_parameter"),
    ({"type": ["message"], "role": "user", "content": "x"}, ".type", "unsupported_value"),
    *(({**CALL, name: None}, f".{name}", "missing_required_parameter") for name in list(CALL)[1:]),
    *(({**CALL, name: 1}, f".{name}", "invalid_value") for name in list(CALL)[1:]),
    ({**OUTPUT, "call_id": None}, ".call_id", "missing_required_parameter"),
    ({**OUTPUT, "output": None}, ".output", "missing_required_parameter"),
    ({**OUTPUT, "output": {"a": 1}}, ".output", "invalid_value"),
    ({**OUTPUT, "output": [TEXT, IMAGE]}, ".output[1].type", "unsupported_value"),
    ({**REASONING, "summary": "x"}, ".summary", "invalid_value"),
    ({**REASONING, "summary": ["x"]}, ".summary[0]", "invalid_value"),
    ({**REASONING, "summary": [{}]}, ".summary[0].type", "missing_required_parameter"),
    ({**REASONING, "content": [TEXT]}, ".content[0].type", "invalid_value"),
    (
        {**REASONING, "content": [{"type": "reasoning_text", "text": 1}]},
        ".content[0].text",
        "invalid_value",
    ),
    ({**REASONING, "encrypted_content": 1}, ".encrypted_content", "invalid_value"),
]
HOSTED = (
    *("apply_patch_call", "code_interpreter_call", "compaction", "computer_call"),
    *("computer_call_output", "custom_tool_call", "custom_tool_call_output", "file_search_call"),
    *("image_generation_call", "local_shell_call", "mcp_call", "mcp_list_tools", "shell_call"),
    *("tool_search_call", "web_search_call", "additional_tools"),
)
BAD_PARTS: list[tuple[Any, str, str]] = [
    ("x", "", "invalid_value"),
    ({}, ".type", "missing_required_parameter"),
    ({"type": "text", "text": "x"}, ".type", "unsupported_value"),
    ({"type": ["odd"]}, ".type", "unsupported_value"),
    ({"type": "input_text"}, ".text", "missing_required_parameter"),
    ({"type": "input_text", "text": 1}, ".text", "invalid_value"),
    ({"type": "refusal"}, ".refusal", "missing_required_parameter"),
    ({"type": "input_image"}, ".image_url", "missing_required_parameter"),
    ({**IMAGE, "image_url": {"url": "x"}}, ".image_url", "invalid_value"),
    ({**IMAGE, "detail": 1}, ".detail", "invalid_value"),
    ({"type": "input_image", "file_id": "file_1"}, ".file_id", "unsupported_parameter"),
    ({"type": "input_file", "file_id": "file_1"}, ".file_id", "unsupported_parameter"),
    ({"type": "input_file", "file_url": "https://a.test"}, ".file_url", "unsupported_parameter"),
    ({"type": "input_file"}, ".file_data", "missing_required_parameter"),
    ({**FILE, "filename": 1}, ".filename", "invalid_value"),
    ({"type": "input_audio"}, ".input_audio", "missing_required_parameter"),
    ({"type": "input_audio", "input_audio": "x"}, ".input_audio", "invalid_value"),
    (
        {"type": "input_audio", "input_audio": {"data": "x"}},
        ".input_audio.format",
        "missing_required_parameter",
    ),
    ({**TEXT, "prompt_cache_breakpoint": 1}, ".prompt_cache_breakpoint", "invalid_value"),
]


def assert_refused(value: Any, param: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        INPUT.deserialize(value)
    assert (caught.value.param, caught.value.code) == (param, code)
    assert param in str(caught.value)
    assert not SHAPE.is_valid(value)


@pytest.mark.parametrize("item", GOOD_ITEMS, ids=str)
def test_known_items_are_taken_as_they_are(item: Any) -> None:
    assert INPUT.deserialize([item]) == [item]
    assert SHAPE.is_valid([item])


@pytest.mark.parametrize("part", GOOD_PARTS, ids=str)
def test_known_parts_are_taken_as_they_are(part: Any) -> None:
    value = [{"role": "user", "content": [TEXT, part]}]
    assert INPUT.deserialize(value) == value
    assert SHAPE.is_valid(value)


@pytest.mark.parametrize(("item", "path", "code"), BAD_ITEMS, ids=str)
def test_bad_items_are_refused_by_their_path(item: Any, path: str, code: str) -> None:
    assert_refused([GOOD_ITEMS[0], item], f"input[1]{path}", code)


@pytest.mark.parametrize(("part", "path", "code"), BAD_PARTS, ids=str)
def test_bad_parts_are_refused_by_their_path(part: Any, path: str, code: str) -> None:
    value = [GOOD_ITEMS[0], {"role": "user", "content": [TEXT, part]}]
    assert_refused(value, f"input[1].content[1]{path}", code)


@pytest.mark.parametrize("kind", HOSTED)
def test_items_of_hosted_tools_are_refused_by_name(kind: str) -> None:
    assert_refused([{"type": kind, "id": "x"}], "input[0].type", "unsupported_value")
