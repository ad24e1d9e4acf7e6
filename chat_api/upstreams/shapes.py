"""What a request must be where an upstream has to translate it: else the caller is told which
field is wrong, by its path as OpenAI writes it."""

from __future__ import annotations

from typing import Any

from chat_api.errors import InvalidRequest
from chat_api.upstreams.base import JsonObject


def object_at(path: str, value: Any) -> JsonObject:
    """The value, an object. Raises: InvalidRequest: it is none."""
    if type(value) is not dict:
        raise invalid(path, "must be an object.")
    return value


def array_at(path: str, value: Any) -> list[Any]:
    """The value, an array. Raises: InvalidRequest: it is none."""
    if type(value) is not list:
        raise invalid(path, "must be an array.")
    return value


def string_at(path: str, value: Any) -> str:
    """The value, a string. Raises: InvalidRequest: it is none."""
    if type(value) is not str:
        raise invalid(path, "must be a string.")
    return value


def number_at(path: str, value: Any) -> float:
    """The value, a number. Raises: InvalidRequest: it is none."""
    if type(value) is not int and type(value) is not float:
        raise invalid(path, "must be a number.")
    return value


def invalid(path: str, text: str) -> InvalidRequest:
    """The error that says so."""
    return InvalidRequest(f"`{path}` {text}", path, "invalid_value")
