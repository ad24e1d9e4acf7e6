"""Vectors from Ollama's `POST /api/embed`, in the words of its `docs/api.md`."""

from __future__ import annotations

from typing import Any

import pytest

from chat_api.errors import InvalidRequest, UpstreamBroken, UpstreamRefused
from chat_api.upstreams.base import Call
from chat_api.upstreams.ollama import OllamaUpstream
from tests.scripted import ScriptedUpstream

ANSWER = {
    "model": "all-minilm",
    "embeddings": [[0.010071029, -0.0017594862, 0.05007221], [-0.0098027075, 0.06042469, 0.0252]],
    "total_duration": 14143917,
    "load_duration": 1019500,
    "prompt_eval_count": 8,
}
TEXTS = ["Why is the sky blue?", "Why is the grass green?"]


@pytest.fixture
def embedding(ollama: OllamaUpstream, scripted: ScriptedUpstream) -> OllamaUpstream:
    answering(scripted, 200, ANSWER)
    return ollama


def answering(scripted: ScriptedUpstream, status: int, body: Any) -> None:
    scripted.script = lambda exchange: exchange.reply(status, body)


def call(given: Any = TEXTS, **options: Any) -> Call:
    return Call({"model": "all-minilm", "input": given, **options})


def test_the_vectors_are_openais_list(
    embedding: OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    found = embedding.embed(
        call(dimensions=3, keep_alive="5m", encoding_format="base64", user=None)
    )
    first, second = ANSWER["embeddings"]  # type: ignore[misc]
    assert found.raw is None
    assert found.data == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": first},
            {"object": "embedding", "index": 1, "embedding": second},
        ],
        "model": "all-minilm",
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    }
    (exchange,) = scripted.exchanges
    assert exchange.request_line == "POST /api/embed HTTP/1.1"
    asked = {"model": "all-minilm", "input": TEXTS, "dimensions": 3, "keep_alive": "5m"}
    assert exchange.json == {**asked, "truncate": False}


def test_a_caller_may_have_long_texts_cut(
    embedding: OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    embedding.embed(call("Hi", truncate=True))
    assert scripted.exchanges[0].json["truncate"] is True


@pytest.mark.parametrize("given", [[1, 2], [[1], [2]]], ids=str)
def test_token_ids_are_refused(
    embedding: OllamaUpstream, scripted: ScriptedUpstream, given: Any
) -> None:
    with pytest.raises(InvalidRequest, match="takes no token ids") as caught:
        embedding.embed(call(given))
    assert (caught.value.param, caught.value.code) == ("input", "unsupported_value")
    assert scripted.exchanges == []


def test_a_model_that_is_not_pulled(embedding: OllamaUpstream, scripted: ScriptedUpstream) -> None:
    answering(scripted, 404, {"error": "model 'all-minilm' not found"})
    with pytest.raises(UpstreamRefused, match="ollama pull all-minilm"):
        embedding.embed(call())


def test_a_text_that_is_too_long(embedding: OllamaUpstream, scripted: ScriptedUpstream) -> None:
    answering(scripted, 400, {"error": "the input length exceeds the context length"})
    with pytest.raises(UpstreamRefused, match="exceeds the context length"):
        embedding.embed(call())


@pytest.mark.parametrize(
    "body", [[], {}, {"embeddings": 1, "model": "x"}, {"embeddings": [1], "model": "x"}], ids=str
)
def test_an_answer_that_is_none(
    embedding: OllamaUpstream, scripted: ScriptedUpstream, body: Any
) -> None:
    answering(scripted, 200, body)
    with pytest.raises(UpstreamBroken, match="no list of embeddings"):
        embedding.embed(call())
