"""The tools of a response, and the form of its text: objects with rules of their own."""

from __future__ import annotations

import re
from typing import Any

from chat_api.errors import InvalidRequest
from chat_api.schemas.checks import (
    OBJECT,
    may,
    need,
    need_name,
    one_of,
    unsupported,
    unsupported_value,
    wrong,
)
from chat_api.schemas.fields import REQUIRED, StrictField
from chat_api.schemas.response_shapes import MOST_TOOLS, SCHEMA_NAME, TEXT_FORMAT, TOOL_CHOICE
from chat_api.schemas.shapes import array_of

_A_SCHEMA_NAME = re.compile(SCHEMA_NAME)


class Tools(StrictField[list[dict[str, Any]]]):
    """Functions that the model may call. Hosted tools are refused by name."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if type(value) is not list:
            raise wrong("tools", "must be an array of tools.")
        if len(value) > MOST_TOOLS:
            text = f"array too long. Expected an array with maximum length {MOST_TOOLS}, but got "
            text = f"Invalid 'tools': {text}an array with length {len(value)} instead."
            raise InvalidRequest(text, "tools", "array_above_max_length")
        for number, tool in enumerate(value):
            path = f"tools[{number}]"
            _check_function(path, tool)
            may(str, path, tool, "description")
            may(dict, path, tool, "parameters")
            may(bool, path, tool, "strict")
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return {**array_of("FunctionTool", 0), "maxItems": MOST_TOOLS}


class ToolChoice(StrictField[Any]):
    """Whether to call a function, and which."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        path = "tool_choice"
        if type(value) is not dict:
            one_of(path, value, ("auto", "none", "required"))
        elif value.get("type") == "allowed_tools":
            one_of(f"{path}.mode", value.get("mode"), ("auto", "required"))
            for number, tool in enumerate(_some(f"{path}.tools", value.get("tools"))):
                _check_function(f"{path}.tools[{number}]", tool)
        else:
            _check_function(path, value)
        return value

    def json_schema(self) -> dict[str, Any]:
        """See `StrictField.json_schema`."""
        return TOOL_CHOICE


class TextFormat(StrictField[dict[str, Any]]):
    """`format` and `verbosity` of the text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if type(value) is not dict:
            raise wrong("text", OBJECT)
        may(str, "text", value, "verbosity")
        wanted = may(dict, "text", value, "format")
        for name in value:
            if name not in ("format", "verbosity") and value[name] is not None:
                raise unsupported(f"text.{name}")
        if wanted is not None:
            _check_format("text.format", wanted)
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        verbosity = {"type": ["string", "null"], "description": "`low`, `medium` or `high`."}
        return {
            "type": "object",
            "properties": {"format": TEXT_FORMAT, "verbosity": verbosity},
            "additionalProperties": {"type": "null"},
        }


def check_tool_choice(tools: list[dict[str, Any]], choice: Any) -> None:
    """Raises: InvalidRequest: the choice is not among the tools."""
    if choice in (None, "auto", "none"):
        return
    if not tools:
        text = "Tool choice must be `auto` or `none` where there are no `tools`."
        raise InvalidRequest(text, "tool_choice", "invalid_value")
    if type(choice) is dict:
        offered = {tool["name"] for tool in tools}
        for chosen in choice.get("tools") or [choice]:
            if chosen["name"] not in offered:
                text = f"Tool choice `{chosen['name'][:100]}` not found in `tools`."
                raise InvalidRequest(text, "tool_choice", "invalid_value")


def _check_function(path: str, tool: Any) -> None:
    if type(tool) is not dict:
        raise wrong(path, OBJECT)
    kind = tool.get("type")
    if kind is None:
        raise wrong(f"{path}.type", REQUIRED)
    if kind != "function":
        raise unsupported_value(f"{path}.type", kind)
    if not need(str, path, tool, "name"):
        raise wrong(f"{path}.name", "must not be empty.")


def _check_format(path: str, wanted: dict[str, Any]) -> None:
    one_of(f"{path}.type", wanted.get("type"), ("text", "json_object", "json_schema"))
    if wanted["type"] == "json_schema":
        need_name(path, wanted, _A_SCHEMA_NAME)
        need(dict, path, wanted, "schema")
        may(bool, path, wanted, "strict")
        may(str, path, wanted, "description")


def _some(path: str, value: Any) -> list[Any]:
    if type(value) is not list or not value:
        raise wrong(path, "must be an array of at least one tool.")
    return value
