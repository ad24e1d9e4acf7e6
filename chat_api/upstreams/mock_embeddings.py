"""The mock's vectors: always the same for the same text, and of length 1."""

from __future__ import annotations

import hashlib
import math
import struct
from typing import Any

import orjson

from chat_api.upstreams.base import JsonObject

DIMENSIONS = 256


def last_text(given: Any) -> str:
    """The last text of an `input`; "" where it holds token ids."""
    last = given[-1] if type(given) is list else given
    return last if type(last) is str else ""


def embedding_list(body: JsonObject) -> JsonObject:
    """OpenAI's list of embeddings: a token a word."""
    dimensions = body.get("dimensions") or DIMENSIONS
    given = body["input"]
    texts = given if type(given) is list and type(given[0]) is not int else [given]
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(text, dimensions)}
        for index, text in enumerate(texts)
    ]
    asked = sum(len(text.split() if type(text) is str else text) for text in texts)
    usage = {"prompt_tokens": asked, "total_tokens": asked}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


def _vector(text: Any, dimensions: int) -> list[float]:
    digest = hashlib.shake_256(orjson.dumps(text)).digest(2 * dimensions)
    numbers = struct.unpack(f"<{dimensions}h", digest)
    length = math.hypot(*numbers) or 1.0
    return [number / length for number in numbers]
