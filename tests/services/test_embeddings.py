"""Vectors in the form that was asked for, and answers that do not go with the request."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from chat_api.errors import InvalidRequest, UpstreamBroken
from chat_api.services.clients import Client
from chat_api.services.embeddings import EmbeddingService
from tests.fakes import FakeUpstream, vectors
from tests.services.gateways import gateway_to

NUMBERS = [0.5, -0.25, 1.0]
TEXT = base64.b64encode(struct.pack("<3f", *NUMBERS)).decode()


def create(upstream: FakeUpstream, given: Any = "Hi", **options: Any) -> Any:
    request = {"model": "vectors-1", "input": given, **options}
    return json.loads(EmbeddingService(gateway_to(upstream)).create(request, Client()))


@pytest.mark.parametrize("found", [NUMBERS, TEXT], ids=["numbers", "base64"])
@pytest.mark.parametrize(
    ("wanted", "shown"), [("base64", TEXT), ("float", NUMBERS), (None, NUMBERS)]
)
def test_vectors_come_as_wanted_whatever_the_upstream_writes(
    upstream: FakeUpstream, found: Any, wanted: str | None, shown: Any
) -> None:
    upstream.enqueue(vectors(found, extra="kept"))
    body = create(upstream, encoding_format=wanted)
    assert body["data"] == [{"object": "embedding", "index": 0, "embedding": shown}]
    assert body["extra"] == "kept" and body["usage"]["total_tokens"] == 5
    assert upstream.calls[0].body["encoding_format"] == wanted


@pytest.mark.parametrize("found", [NUMBERS, TEXT], ids=["numbers", "base64"])
def test_dimensions_that_the_upstream_passed_over_are_refused(
    upstream: FakeUpstream, found: Any
) -> None:
    upstream.enqueue(vectors(found), vectors(found))
    assert create(upstream, dimensions=3)["data"]
    with pytest.raises(InvalidRequest, match="have 3 numbers, not 2") as caught:
        create(upstream, dimensions=2)
    assert (caught.value.param, caught.value.code) == ("dimensions", "unsupported_value")


@pytest.mark.parametrize(
    ("given", "count"), [("Hi", 2), (["a", "b"], 1), ([1, 2], 2), ([[1], [2]], 0)]
)
def test_a_vector_too_few_or_too_many_is_no_answer(
    upstream: FakeUpstream, given: Any, count: int
) -> None:
    upstream.enqueue(vectors(*[NUMBERS] * count))
    with pytest.raises(UpstreamBroken, match="number of embeddings"):
        create(upstream, given)


@pytest.mark.parametrize(
    ("found", "wanted"), [(["x"], "base64"), ([None], "base64"), ("?", "float"), ("AAA=", "float")]
)
def test_what_is_no_vector_is_no_answer(upstream: FakeUpstream, found: Any, wanted: str) -> None:
    upstream.enqueue(vectors(found))
    with pytest.raises(UpstreamBroken, match="no list of embeddings"):
        create(upstream, encoding_format=wanted)
