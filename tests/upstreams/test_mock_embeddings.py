"""The mock's vectors."""

from __future__ import annotations

import math
from typing import Any

import pytest

from chat_api.errors import UpstreamRateLimited, UpstreamTimeout
from chat_api.upstreams.base import Call, JsonObject
from chat_api.upstreams.mock import MODEL, MockUpstream


def embed(given: Any, timeout_seconds: float = 10, **options: Any) -> JsonObject:
    upstream = MockUpstream(timeout_seconds=timeout_seconds)
    return upstream.embed(Call({"model": MODEL, "input": given, **options})).data


def vectors(given: Any, **options: Any) -> list[list[float]]:
    return [item["embedding"] for item in embed(given, **options)["data"]]


def test_a_text_has_always_the_same_vector_of_length_one() -> None:
    (one,) = vectors("Hi")
    assert vectors(["Hi", "there"])[0] == one != vectors("there")[0]
    assert len(one) == 256 and math.hypot(*one) == pytest.approx(1)


def test_token_ids_have_vectors_too() -> None:
    assert len(vectors([1, 2])) == 1
    assert vectors([[1, 2], [3]])[0] == vectors([1, 2])[0]
    assert embed([[1, 2], [3]])["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_dimensions_are_obeyed() -> None:
    assert len(vectors("Hi", dimensions=3)[0]) == 3


def test_the_last_text_may_ask_for_trouble() -> None:
    with pytest.raises(UpstreamRateLimited):
        embed(["x", "[status=429]"])
    with pytest.raises(UpstreamTimeout):
        embed("[delay=5]", timeout_seconds=0.01)
