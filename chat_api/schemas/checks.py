"""Checks of what stands deep inside a request: what is wrong is told by its path as OpenAI
writes it, `input[2].content[0].type`."""

from __future__ import annotations

import re
from typing import Any

from chat_api.errors import InvalidRequest
from chat_api.schemas.fields import REQUIRED, TEXT

OBJECT = "must be an object."
TYPES: dict[type, str] = {
    str: TEXT,
    dict: OBJECT,
    list: "must be an array.",
    bool: "must be true or false.",
}


def wrong(path: str, text: str) -> InvalidRequest:
    """The error that says what must be there."""
    code = "missing_required_parameter" if text == REQUIRED else "invalid_value"
    return InvalidRequest(f"`{path}` {text}", path, code)


def unsupported(path: str) -> InvalidRequest:
    """The error that says that this server has no such parameter."""
    return InvalidRequest(
        f"`{path}` is not supported by this server.", path, "unsupported_parameter"
    )


def unsupported_value(path: str, value: Any) -> InvalidRequest:
    """The error that says that this server does not know the value."""
    text = f"`{path}`: `{str(value)[:100]}` is not supported by this server."
    return InvalidRequest(text, path, "unsupported_value")


def need(kind: type, path: str, given: dict[str, Any], name: str) -> Any:
    """The value under a name, which must be there and not null.

    Raises: InvalidRequest: it is not, or of another type.
    """
    value = given.get(name)
    if value is None:
        raise wrong(f"{path}.{name}", REQUIRED)
    return _of_type(kind, f"{path}.{name}", value)


def may(kind: type, path: str, given: dict[str, Any], name: str) -> Any:
    """The value under a name; None where there is none.

    Raises: InvalidRequest: it is of another type.
    """
    value = given.get(name)
    return None if value is None else _of_type(kind, f"{path}.{name}", value)


def need_name(path: str, given: dict[str, Any], pattern: re.Pattern[str]) -> str:
    """The `name`, which must have that form."""
    name: str = need(str, path, given, "name")
    if not pattern.fullmatch(name):
        raise wrong(f"{path}.name", f"must match `{pattern.pattern}`.")
    return name


def one_of(path: str, value: Any, values: tuple[str, ...]) -> None:
    """Raises: InvalidRequest: the value is none of these."""
    if value is None:
        raise wrong(path, REQUIRED)
    if type(value) is not str or value not in values:
        raise wrong(path, f"must be one of {', '.join(f'`{known}`' for known in values)}.")


def _of_type(kind: type, path: str, value: Any) -> Any:
    if type(value) is not kind:
        raise wrong(path, TYPES[kind])
    return value
