"""What a call for one answer of several is, and how such answers are put together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from chat_api.services.usage import MOST_TOKENS
from chat_api.upstreams.base import Call, JsonObject
from chat_api.upstreams.waiting import Caller

MOST_CHOICES = 16
"""What a request may ask for (`schemas.chat_completions`). An upstream that gives more, for which
nobody asked, would have each of their indexes kept."""


def call_for_one(call: Call, index: int, caller: Caller) -> Call:
    """The call for one answer. With the caller's seed as it is all would be the same."""
    body = {name: value for name, value in call.body.items() if name != "n"}
    if type(body.get("seed")) is int:
        body["seed"] += index
    return dataclasses.replace(call, body=body, caller=caller)


def choices_of(data: JsonObject) -> dict[int, JsonObject]:
    """The choices of a reply or a chunk by their index; by their place where they tell none."""
    found = {}
    for place, choice in enumerate(data["choices"]):
        if isinstance(choice, dict):
            index = choice.get("index")
            found[index if isinstance(index, int) else place] = choice
    return found


def is_chunk(data: JsonObject) -> bool:
    """Whether an event's data is what it should be."""
    choices = data.get("choices")
    return (
        isinstance(choices, list)
        and all(isinstance(choice, dict) for choice in choices)
        and not data.get("error")
    )


def summed(usages: Iterable[Any]) -> JsonObject | None:
    """The usage of several calls; None where none told it."""
    total: JsonObject = {}
    for usage in usages:
        if isinstance(usage, dict):
            _add(total, usage)
    return total or None


def _add(total: JsonObject, usage: JsonObject) -> None:
    for name, value in usage.items():
        before = total.get(name)
        if isinstance(value, dict):
            total[name] = before if isinstance(before, dict) else {}
            _add(total[name], value)
        elif type(value) in (int, float) and type(before) in (int, float):
            # Nonsense may be so large that the sum could not be written.
            total[name] = max(-MOST_TOKENS, min(before + value, MOST_TOKENS))
        elif before is None:
            total[name] = value
