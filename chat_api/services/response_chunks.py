"""What is read of a chat completion's chunks. Upstreams are many, and some write nonsense: what
is not of the type that it should be counts as not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from chat_api.upstreams.base import JsonObject


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a call; "" where it does not say."""

    index: int
    call_id: str
    name: str
    arguments: str


def text_at(given: JsonObject, name: str) -> str:
    """The text under a name; "" where there is none."""
    value = given.get(name)
    return value if isinstance(value, str) else ""


def content_of(delta: JsonObject) -> str:
    """The text of a delta or message. Some servers write it in parts, as requests may."""
    return text_at(delta, "content") or "".join(
        text_at(part, "text") for part in objects_at(delta, "content")
    )


def delta_of(choice: JsonObject) -> JsonObject:
    """What a choice adds."""
    return _object(choice, "delta")


def logprobs_of(choice: JsonObject) -> list[JsonObject]:
    """The logprobs of a choice's text."""
    return list(objects_at(_object(choice, "logprobs"), "content"))


def fragments_of(delta: JsonObject) -> Iterator[Fragment]:
    """The pieces of calls in a delta."""
    for call in objects_at(delta, "tool_calls"):
        index, inside = call.get("index"), _object(call, "function")
        yield Fragment(
            index if isinstance(index, int) else 0,
            text_at(call, "id"),
            text_at(inside, "name"),
            _arguments_of(inside),
        )


def annotations_of(delta: JsonObject) -> Iterator[JsonObject]:
    """What a text refers to, as responses write it: one level flatter."""
    for annotation in objects_at(delta, "annotations"):
        kind = text_at(annotation, "type")
        inside = annotation.get(kind)
        yield {"type": kind, **inside} if isinstance(inside, dict) else annotation


def as_chunk(completion: JsonObject) -> JsonObject:
    """A whole chat completion as its only chunk."""
    choice = completion["choices"][0]
    calls = enumerate(objects_at(choice["message"], "tool_calls"))
    numbered = [{**call, "index": number} for number, call in calls]
    delta = {**choice["message"], "tool_calls": numbered}
    return {**completion, "choices": [{**choice, "index": 0, "delta": delta}]}


def _arguments_of(function: JsonObject) -> str:
    """JSON as a text. Some servers write the object itself."""
    value = function.get("arguments")
    return (
        orjson.dumps(value).decode() if isinstance(value, dict) else text_at(function, "arguments")
    )


def _object(given: JsonObject, name: str) -> JsonObject:
    value = given.get(name)
    return value if isinstance(value, dict) else {}


def objects_at(given: JsonObject, name: str) -> Iterator[JsonObject]:
    """The objects in the array under a name."""
    values = given.get(name)
    for value in values if isinstance(values, list) else ():
        if isinstance(value, dict):
            yield value
