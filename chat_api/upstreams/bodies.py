"""Reading whole bodies: replies and errors, bounded in size and time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson

from chat_api.errors import UpstreamBroken, UpstreamError
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.json_values import loads

MAX_REPLY_BYTES = 67_108_864
MAX_LISTING_BYTES = 4_194_304
MAX_ERROR_BYTES = 65_536
MAX_ERROR_SECONDS = 5.0


def read_whole(exchange: Exchange, until: float, most_bytes: int = MAX_REPLY_BYTES) -> bytes:
    """The whole body.

    Raises:
        UpstreamBroken: too large, not whole by `until`, broken off, or compressed.
    """
    check_encoding(exchange.headers)
    pieces: list[bytes] = []
    size = 0
    while not exchange.ended:
        piece = exchange.read(until)
        if piece is None:
            raise UpstreamBroken("The upstream did not end its answer.")
        pieces.append(piece)
        size += len(piece)
        if size > most_bytes:
            raise UpstreamBroken("The upstream's answer is too large.")
    return b"".join(pieces)


def read_error(exchange: Exchange) -> Any:
    """The parsed body of an answer other than 200, None when it is no JSON or does not end."""
    until = time.monotonic() + MAX_ERROR_SECONDS
    try:
        return loads(read_whole(exchange, until, MAX_ERROR_BYTES))
    except (UpstreamError, orjson.JSONDecodeError):
        return None  # the status alone says enough


def check_encoding(headers: Mapping[str, str]) -> None:
    """Raises: UpstreamBroken: the answer is compressed."""
    if headers.get("content-encoding", "identity") != "identity":
        raise UpstreamBroken("The upstream compressed its answer, which nobody asked for.")
