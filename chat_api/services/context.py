"""What of a long conversation goes upstream: as much of its end as the model takes."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from chat_api.upstreams.base import JsonObject

BYTES_PER_TOKEN = 4
"""A rough estimate: about right for English, and three times too few tokens for some other
languages, which is what `PROMPT_SHARE` leaves room for."""
PROMPT_SHARE = 0.75
"""Of a model's context; the rest is for the answer."""
MESSAGE_OVERHEAD_BYTES = 16
"""What a message costs beside its text: its role and the marks around it."""
TOLD_FIRST = ("developer", "system")


def fitted(messages: Sequence[JsonObject], context_tokens: int) -> list[JsonObject]:
    """What the model is told first, and as many of the newest exchanges as fit. An exchange begins
    with what a user says and goes whole, its tool calls and their results with it. The last one
    goes in any case, and so does what is told first."""
    begin = next(
        (at for at, message in enumerate(messages) if message["role"] not in TOLD_FIRST),
        len(messages),
    )
    first, exchanges = list(messages[:begin]), _exchanges(messages[begin:])
    room = context_tokens * BYTES_PER_TOKEN * PROMPT_SHARE - _size(first)
    kept: list[list[JsonObject]] = []
    for exchange in reversed(exchanges):
        room -= _size(exchange)
        if room < 0 and kept:
            break
        kept.append(exchange)
    return [*first, *(message for exchange in reversed(kept) for message in exchange)]


def _exchanges(messages: Sequence[JsonObject]) -> list[list[JsonObject]]:
    found: list[list[JsonObject]] = []
    for message in messages:
        if not found or message["role"] == "user":
            found.append([])
        found[-1].append(message)
    return found


def _size(messages: Sequence[JsonObject]) -> int:
    return sum(_message_size(message) + MESSAGE_OVERHEAD_BYTES for message in messages)


def _message_size(message: JsonObject) -> int:
    said = [value for name, value in message.items() if name != "role" and value is not None]
    return sum(len(orjson.dumps(value)) for value in said)
