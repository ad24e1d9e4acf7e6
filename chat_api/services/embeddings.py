"""Vectors of texts, in the form that was asked for."""

from __future__ import annotations

import base64
import sys
from array import array
from typing import Any

import orjson

from chat_api.errors import InvalidRequest, UpstreamBroken
from chat_api.services.clients import Client
from chat_api.services.gateway import Gateway
from chat_api.upstreams.base import JsonObject


class EmbeddingService:
    """Embeddings on top of the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def create(self, request: JsonObject, client: Client) -> bytes:
        """OpenAI's list of embeddings in JSON; the upstream's own bytes where they fit.

        Args:
            request: a loaded `EmbeddingRequestSchema`.

        Raises:
            InvalidRequest: the model has no vectors of that many dimensions.
            UpstreamBroken: the answer does not go with the request. Beside those of the gateway.
        """
        answer = self._gateway.embed(request, client)
        items = answer.data["data"]
        if len(items) != _count(request["input"]):
            raise UpstreamBroken("The upstream gave another number of embeddings than wanted.")
        wanted = str if request.get("encoding_format") == "base64" else list
        raw = answer.raw
        try:
            _check_dimensions(request.get("dimensions"), items)
            for item in items:
                vector = item["embedding"]
                if type(vector) is not wanted:
                    item["embedding"] = _text(vector) if wanted is str else _numbers(vector)
                    raw = None
        except (TypeError, ValueError) as error:
            raise UpstreamBroken("The upstream's answer is no list of embeddings.") from error
        return raw or orjson.dumps(answer.data)


def _count(given: Any) -> int:
    """How many vectors an `input` stands for; token ids by themselves are one text."""
    return len(given) if type(given) is list and type(given[0]) is not int else 1


def _check_dimensions(wanted: int | None, items: list[JsonObject]) -> None:
    """Many upstreams pass over `dimensions`: then the caller is told, rather than given vectors
    that do not fit its index."""
    if wanted is None:
        return
    for item in items:
        vector = item["embedding"]
        found = len(vector if type(vector) is list else _numbers(vector))
        if found != wanted:
            text = f"`dimensions`: this model's vectors have {found} numbers, not {wanted}."
            raise InvalidRequest(text, "dimensions", "unsupported_value")


def _text(vector: list[float]) -> str:
    """Base64 of the numbers as 32-bit floats, little endian."""
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def _numbers(text: str) -> list[float]:
    """The numbers in such a text."""
    numbers = array("f", base64.b64decode(text, validate=True))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
