"""What holds of the parsers whatever bytes they get: each function fails where it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, NoReturn, cast

from marshmallow import ValidationError

from chat_api.errors import InvalidRequest, UpstreamBroken, UpstreamError
from chat_api.schemas.ask import AskRequestSchema
from chat_api.schemas.chat import ChatRequestSchema
from chat_api.schemas.chat_completions import ChatCompletionRequestSchema
from chat_api.schemas.conversations import ConversationItemsRequestSchema
from chat_api.schemas.embeddings import EmbeddingRequestSchema
from chat_api.schemas.responses import ResponseRequestSchema
from chat_api.upstreams.base import Call, Event, EventStream
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.http1 import ResponseReader
from chat_api.upstreams.ollama_stream import OllamaEventStream
from chat_api.upstreams.openai_stream import OpenAIEventStream
from chat_api.web.json_objects import MOST_DEPTH, object_of

Cuts = Iterable[int]
"""Places to cut bytes at, in any order."""

SCHEMAS = [
    schema()
    for schema in (
        AskRequestSchema,
        ChatRequestSchema,
        ChatCompletionRequestSchema,
        ConversationItemsRequestSchema,
        EmbeddingRequestSchema,
        ResponseRequestSchema,
    )
]
OF_OUR_MAKING = re.compile(r"chatcmpl-[0-9a-f]{32}|call_[0-9a-f]{24}|'created': \d+")
"""Ids and times that Ollama's answers get."""
CALL = Call({"model": "m", "messages": [], "stream_options": {"include_usage": True}})


class Pieces:
    """An answer with status 200 whose body comes in these pieces, as `Exchange` gives it."""

    status = 200

    def __init__(self, pieces: list[bytes]) -> None:
        self.headers: dict[str, str] = {}
        self._pieces = iter(pieces)
        self._next = next(self._pieces, None)

    @property
    def ended(self) -> bool:
        return self._next is None

    def wait_head(self, until: float) -> bool:
        return True

    def read(self, until: float) -> bytes | None:
        piece, self._next = self._next, next(self._pieces, None)
        return piece or b""


def split(data: bytes, cuts: Cuts) -> list[bytes]:
    """The bytes in pieces, none of them empty."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def openai_events_are_the_same_in_all_splits(data: bytes, cuts: Cuts) -> None:
    """Server-sent events of an OpenAI-compatible upstream."""
    _same_in_all_splits(lambda exchange: OpenAIEventStream(exchange, _no_refusal), data, cuts)


def ollama_events_are_the_same_in_all_splits(data: bytes, cuts: Cuts) -> None:
    """Lines of Ollama's."""
    _same_in_all_splits(lambda exchange: OllamaEventStream(CALL, exchange), data, cuts)


def http_is_the_same_in_all_splits(data: bytes, cuts: Cuts) -> None:
    """An HTTP/1.1 response, up to the connection's end."""
    whole, split_up = (_response(pieces) for pieces in (split(data, ()), split(data, cuts)))
    assert whole == split_up, (whole, split_up)


def objects_are_those_of_the_standard_library(data: bytes, _: Cuts = ()) -> None:
    """The door takes what `json.loads` takes and documents say, and finds the same in it."""
    wanted, found = _standard(data), taken(data)
    assert found == wanted, (found, wanted)
    assert json.dumps(found) == json.dumps(wanted), "1 and 1.0 are equal, but not the same"
    if found is not None:
        _refused_well(found)


def taken(data: bytes) -> dict[str, Any] | None:
    """What the door finds, None where it refuses."""
    try:
        return object_of(data)
    except InvalidRequest:
        return None


def _refused_well(body: dict[str, Any]) -> None:
    """Each schema takes the body or says what is wrong with it."""
    for schema in SCHEMAS:
        try:
            schema.load(body)
        except (ValidationError, InvalidRequest) as error:
            assert str(error)


def _same_in_all_splits(
    open_stream: Callable[[Exchange], EventStream], data: bytes, cuts: Cuts
) -> None:
    whole, split_up = (
        _outcome(open_stream(cast(Exchange, Pieces(pieces))))
        for pieces in (split(data, ()), split(data, cuts))
    )
    assert whole == split_up, (whole, split_up)


def _outcome(stream: EventStream) -> tuple[str, str | None]:
    """The events, and what was wrong at their end."""
    events: list[Event] = []
    failure = None
    try:
        while not stream.ended:
            events += stream.read(float("inf"))
    except UpstreamError as error:
        failure = str(error)
    return OF_OUR_MAKING.sub("", repr(events)), failure


def _no_refusal(exchange: Exchange) -> NoReturn:
    raise AssertionError("the status is 200")


def _response(pieces: list[bytes]) -> tuple[int, dict[str, str], bytes] | None:
    """Status, headers and body; None where it did not come whole."""
    reader = ResponseReader()
    body = b""
    try:
        for piece in pieces:
            if reader.complete:
                break  # what follows is never read
            body += reader.feed(piece)
        reader.end()
    except UpstreamBroken:
        return None
    return reader.status, reader.headers, body


def _standard(data: bytes) -> dict[str, Any] | None:
    """What the standard library finds, None where it or the documentation refuses."""
    try:
        value = json.loads(data.decode(), parse_constant=_refuse)
        value_is_fine = all(map(_is_fine, _values(value, MOST_DEPTH)))
    except (ValueError, RecursionError):
        return None
    return value if type(value) is dict and value_is_fine else None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _values(value: Any, depth: int) -> Iterator[Any]:
    """All values and keys in it. Raises: ValueError: it is nested deeper than that."""
    yield value
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise ValueError
        for child in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _values(child, depth - 1)


def _is_fine(value: Any) -> bool:
    """No half characters, nothing that a double or 64 bits cannot hold."""
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, float):
        return abs(value) != float("inf")
    return type(value) is not int or -(2**63) <= value < 2**64
