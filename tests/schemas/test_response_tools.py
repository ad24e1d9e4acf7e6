"""Tools, their choice and the form of the text are taken or refused by their path."""

from __future__ import annotations

from typing import Any

import pytest

from chat_api.errors import InvalidRequest
from chat_api.schemas.fields import StrictField
from chat_api.schemas.response_tools import TextFormat, ToolChoice, Tools, check_tool_choice
from tests.schemas.shapes import shape

TOOLS = Tools(description="Tools.")
CHOICE = ToolChoice(description="Which.")
FORM = TextFormat(description="How.")

F: dict[str, Any] = {"type": "function", "name": "f"}
G: dict[str, Any] = {"type": "function", "name": "g"}
JSON: dict[str, Any] = {"type": "json_schema", "name": "n", "schema": {}}
REQUIRED, INVALID = "missing_required_parameter", "invalid_value"

GOOD: list[tuple[StrictField[Any], Any]] = [
    (TOOLS, []),
    (TOOLS, [{**F, "description": None, "parameters": None, "strict": None}]),
    (TOOLS, [{**F, "description": "d", "parameters": {}, "strict": True, "defer_loading": True}]),
    (TOOLS, [F] * 128),
    *((CHOICE, value) for value in ("auto", "none", "required", F)),
    (CHOICE, {"type": "allowed_tools", "mode": "auto", "tools": [F, G]}),
    (FORM, {}),
    (FORM, {"verbosity": "low", "format": None, "odd": None}),
    *((FORM, {"format": {"type": kind}}) for kind in ("text", "json_object")),
    (FORM, {"format": {**JSON, "strict": True, "description": "d"}}),
    (FORM, {"format": {**JSON, "strict": None, "description": None}}),
]
BAD: list[tuple[StrictField[Any], Any, str, str]] = [
    (TOOLS, {}, "tools", INVALID),
    (TOOLS, [F, "f"], "tools[1]", INVALID),
    (TOOLS, [{}], "tools[0].type", REQUIRED),
    (TOOLS, [F, {"type": "function"}], "tools[1].name", REQUIRED),
    (TOOLS, [{**F, "name": ""}], "tools[0].name", INVALID),
    (TOOLS, [{**F, "name": 1}], "tools[0].name", INVALID),
    (TOOLS, [{**F, "description": 1}], "tools[0].description", INVALID),
    (TOOLS, [{**F, "parameters": []}], "tools[0].parameters", INVALID),
    (TOOLS, [{**F, "strict": 1}], "tools[0].strict", INVALID),
    (TOOLS, [{"type": "function", "function": {"name": "f"}}], "tools[0].name", REQUIRED),
    (TOOLS, [F] * 129, "tools", "array_above_max_length"),
    (TOOLS, [F] * 2000, "tools", "array_above_max_length"),
    (CHOICE, "any", "tool_choice", INVALID),
    (CHOICE, 1, "tool_choice", INVALID),
    (CHOICE, {}, "tool_choice.type", REQUIRED),
    (CHOICE, {"type": "function"}, "tool_choice.name", REQUIRED),
    (CHOICE, {"type": "allowed_tools", "tools": [F]}, "tool_choice.mode", REQUIRED),
    (CHOICE, {"type": "allowed_tools", "mode": "auto"}, "tool_choice.tools", INVALID),
    (CHOICE, {"type": "allowed_tools", "mode": "auto", "tools": []}, "tool_choice.tools", INVALID),
    (
        CHOICE,
        {"type": "allowed_tools", "mode": "auto", "tools": [F, {"type": "mcp"}]},
        "tool_choice.tools[1].type",
        "unsupported_value",
    ),
    (FORM, "json", "text", INVALID),
    (FORM, {"verbosity": 1}, "text.verbosity", INVALID),
    (FORM, {"odd": 1}, "text.odd", "unsupported_parameter"),
    (FORM, {"format": "json"}, "text.format", INVALID),
    (FORM, {"format": {}}, "text.format.type", REQUIRED),
    (FORM, {"format": {"type": "grammar"}}, "text.format.type", INVALID),
    (FORM, {"format": {"type": "json_schema", "schema": {}}}, "text.format.name", REQUIRED),
    (FORM, {"format": {**JSON, "name": "a b"}}, "text.format.name", INVALID),
    (FORM, {"format": {**JSON, "name": "x" * 65}}, "text.format.name", INVALID),
    (FORM, {"format": {**JSON, "schema": None}}, "text.format.schema", REQUIRED),
    (FORM, {"format": {**JSON, "schema": []}}, "text.format.schema", INVALID),
    (FORM, {"format": {**JSON, "strict": "yes"}}, "text.format.strict", INVALID),
]
HOSTED = (
    *("apply_patch", "code_interpreter", "computer", "computer_use_preview", "custom"),
    *("file_search", "image_generation", "local_shell", "mcp", "namespace", "shell"),
    *("tool_search", "web_search", "web_search_preview"),
)


@pytest.mark.parametrize(("field", "value"), GOOD, ids=repr)
def test_what_is_taken_is_described_as_taken(field: StrictField[Any], value: Any) -> None:
    assert field.deserialize(value) == value
    assert shape(field).is_valid(value)


@pytest.mark.parametrize(("field", "value", "param", "code"), BAD, ids=repr)
def test_what_is_refused_is_named_and_described_as_refused(
    field: StrictField[Any], value: Any, param: str, code: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        field.deserialize(value)
    assert (caught.value.param, caught.value.code) == (param, code)
    assert not shape(field).is_valid(value)


@pytest.mark.parametrize("kind", HOSTED)
def test_hosted_tools_are_refused_by_name(kind: str) -> None:
    for field, value, param in (
        (TOOLS, [F, {"type": kind}], "tools[1].type"),
        (CHOICE, {"type": kind}, "tool_choice.type"),
    ):
        with pytest.raises(InvalidRequest, match=kind) as caught:
            field.deserialize(value)
        assert (caught.value.param, caught.value.code) == (param, "unsupported_value")
        assert not shape(field).is_valid(value)


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ([], None),
        ([], "auto"),
        ([], "none"),
        ([F], "required"),
        ([F, G], G),
        ([F, G], {"type": "allowed_tools", "mode": "auto", "tools": [G, F]}),
    ],
    ids=repr,
)
def test_a_choice_is_among_the_tools(tools: list[Any], choice: Any) -> None:
    check_tool_choice(tools, choice)


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ([], "required"),
        ([], F),
        ([F], G),
        ([F], {"type": "allowed_tools", "mode": "auto", "tools": [F, G]}),
    ],
    ids=repr,
)
def test_a_choice_of_what_is_not_there_is_refused(tools: list[Any], choice: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_tool_choice(tools, choice)
    assert (caught.value.param, caught.value.code) == ("tool_choice", "invalid_value")
