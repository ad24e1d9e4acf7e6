"""What the clients' scripts in Python share: each case is run, and what it saw is printed."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from collections.abc import Callable
from typing import Any

URL = os.environ["CHAT_URL"] + "/v1"
KEY = os.environ["API_KEY"]
MODEL = "gpt-4o-mini"
VECTORS = "text-embedding-3-small"
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOLD = ("status_code", "code", "param", "type", "request_id")

_cases: dict[str, Callable[[], Any]] = {}


def case(function: Callable[[], Any]) -> Callable[[], Any]:
    """Run this one; a coroutine too. What it returns is what it saw."""
    _cases[function.__name__] = function
    return function


def say(*messages: str, **more: Any) -> list[Any]:
    """A conversation of the user's messages."""
    return [{"role": "user", "content": message, **more} for message in messages]


def report() -> None:
    """Print what every case saw, as JSON; an exception's class and what it tells, too."""
    with asyncio.Runner() as loop:  # one for all: clients keep their connections
        json.dump({name: _seen(function, loop) for name, function in _cases.items()}, sys.stdout)


def _seen(function: Callable[[], Any], loop: asyncio.Runner) -> Any:
    try:
        found = function()
        return loop.run(found) if inspect.isawaitable(found) else found
    except Exception as error:
        told = {name: getattr(error, name, None) for name in TOLD}
        known = {name: value for name, value in told.items() if value is not None}
        return {"raised": type(error).__name__, "text": str(error), **known}
