"""The items that a response's input is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError

from chat_api.schemas.checks import OBJECT, may, need, one_of, unsupported, unsupported_value, wrong
from chat_api.schemas.fields import REQUIRED, StrictField
from chat_api.schemas.response_shapes import INPUT_ROLES, STATUSES
from chat_api.schemas.shapes import array_of


class Input(StrictField[Any]):
    """A text, or a conversation: items. Those of hosted tools are refused by name."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if type(value) is list:
            check_items("input", value)
        elif type(value) is not str:
            raise ValidationError("must be a string or an array of items.")
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return {"anyOf": [{"type": "string"}, array_of("InputItem", 1)]}


def check_items(path: str, items: list[Any]) -> None:
    """Raises: InvalidRequest: one of them is wrong, or not known here."""
    for index, item in enumerate(items):
        _check_item(f"{path}[{index}]", item)


def _check_item(path: str, item: Any) -> None:
    if type(item) is not dict:
        raise wrong(path, OBJECT)
    kind = item.get("type")
    if kind is None:
        # A lone id is a reference; all else without a type is a message.
        kind = "item_reference" if "id" in item and "role" not in item else "message"
    check = _ITEMS.get(kind) if type(kind) is str else None
    if check is None:
        raise unsupported_value(f"{path}.type", kind)
    check(path, item)
    if kind != "item_reference":
        may(str, path, item, "id")
        if item.get("status") is not None:
            one_of(f"{path}.status", item["status"], STATUSES)


def _check_message(path: str, item: dict[str, Any]) -> None:
    one_of(f"{path}.role", item.get("role"), INPUT_ROLES)
    _check_content(f"{path}.content", item.get("content"), _PARTS)


def _check_call(path: str, item: dict[str, Any]) -> None:
    for name in ("call_id", "name", "arguments"):
        need(str, path, item, name)


def _check_output(path: str, item: dict[str, Any]) -> None:
    need(str, path, item, "call_id")
    _check_content(f"{path}.output", item.get("output"), _OUTPUT_PARTS)


def _check_reasoning(path: str, item: dict[str, Any]) -> None:
    for name, kind in (("summary", "summary_text"), ("content", "reasoning_text")):
        parts = may(list, path, item, name) or ()
        for number, part in enumerate(parts):
            where = f"{path}.{name}[{number}]"
            if type(part) is not dict:
                raise wrong(where, OBJECT)
            one_of(f"{where}.type", part.get("type"), (kind,))
            need(str, where, part, "text")
    may(str, path, item, "encrypted_content")


def _check_reference(path: str, item: dict[str, Any]) -> None:
    need(str, path, item, "id")


_Check = Callable[[str, dict[str, Any]], object]

_ITEMS: dict[str, _Check] = {
    "message": _check_message,
    "function_call": _check_call,
    "function_call_output": _check_output,
    "reasoning": _check_reasoning,
    "item_reference": _check_reference,
}


def _check_content(path: str, content: Any, known: dict[str, _Check]) -> None:
    if content is None:
        raise wrong(path, REQUIRED)
    if type(content) is str:
        return
    if type(content) is not list:
        raise wrong(path, "must be a string or an array of parts.")
    for number, part in enumerate(content):
        _check_part(f"{path}[{number}]", part, known)


def _check_part(path: str, part: Any, known: dict[str, _Check]) -> None:
    if type(part) is not dict:
        raise wrong(path, OBJECT)
    kind = part.get("type")
    if kind is None:
        raise wrong(f"{path}.type", REQUIRED)
    check = known.get(kind) if type(kind) is str else None
    if check is None:
        raise unsupported_value(f"{path}.type", kind)
    check(path, part)
    may(dict, path, part, "prompt_cache_breakpoint")


def _check_text(path: str, part: dict[str, Any]) -> None:
    need(str, path, part, "text")


def _check_refusal(path: str, part: dict[str, Any]) -> None:
    need(str, path, part, "refusal")


def _check_image(path: str, part: dict[str, Any]) -> None:
    _refuse(path, part, "file_id")
    need(str, path, part, "image_url")
    may(str, path, part, "detail")


def _check_file(path: str, part: dict[str, Any]) -> None:
    _refuse(path, part, "file_id", "file_url")
    need(str, path, part, "file_data")
    may(str, path, part, "filename")
    may(str, path, part, "detail")


def _check_audio(path: str, part: dict[str, Any]) -> None:
    sound = need(dict, path, part, "input_audio")
    for name in ("data", "format"):
        need(str, f"{path}.input_audio", sound, name)


def _refuse(path: str, part: dict[str, Any], *names: str) -> None:
    """There are no stored files, and this server goes to no address that a request names."""
    for name in names:
        if part.get(name) is not None:
            raise unsupported(f"{path}.{name}")


_OUTPUT_PARTS: dict[str, _Check] = {"input_text": _check_text, "output_text": _check_text}
"""Of a function's output: a chat completion takes nothing but text there."""

_PARTS: dict[str, _Check] = {
    **_OUTPUT_PARTS,
    "refusal": _check_refusal,
    "input_image": _check_image,
    "input_file": _check_file,
    "input_audio": _check_audio,
}
