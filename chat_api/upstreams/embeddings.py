"""Vectors as OpenAI-compatible servers give them, and what it means when they do not."""

from __future__ import annotations

import orjson

from chat_api.errors import (
    ChatApiError,
    InvalidRequest,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
)
from chat_api.upstreams.base import JsonObject

NO_SUCH_ROUTE = (405, 501)


def embedding_list(raw: bytes) -> JsonObject:
    """The list of vectors in a body, checked as far as callers and we rely on it.

    Raises:
        UpstreamBroken: there is none.
    """
    try:
        data: JsonObject = orjson.loads(raw)
        if all(type(item["embedding"]) in (list, str) for item in data["data"]):
            return data
    except (orjson.JSONDecodeError, LookupError, TypeError):
        pass
    raise UpstreamBroken("The upstream's answer is no list of embeddings.")


def embedding_refusal(upstream: str, status: int, refusal: UpstreamError) -> ChatApiError:
    """What a refusal means here. A server that has no embeddings has no such route: that says
    nothing of how it does, and another one may have them."""
    is_bare = isinstance(refusal, UpstreamRefused) and not (refusal.type or refusal.code)
    if status not in NO_SUCH_ROUTE and not (status == 404 and is_bare):
        return refusal
    text = f"The upstream `{upstream}` has no embeddings: ask for a model of one that has."
    return InvalidRequest(text, "model", "unsupported_value")
