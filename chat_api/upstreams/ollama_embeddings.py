"""From OpenAI's request for embeddings to Ollama's `POST /api/embed`, and back.

What it takes and answers stands in its own repository (github.com/ollama/ollama, read at fb30760
of 2026-08): `docs/api.md`, `api/types.go` (`EmbedRequest`, `EmbedResponse`), `server/routes.go`
(`EmbedHandler`) and `openai/openai.go` (`ToEmbeddingList`). Fields that are not named here go up
as they came: `dimensions`, `keep_alive`, `options`, say.
"""

from __future__ import annotations

from typing import Any

from chat_api.errors import InvalidRequest, UpstreamBroken
from chat_api.upstreams.base import JsonObject


def embed_request(body: JsonObject) -> JsonObject:
    """The body of `POST /api/embed`.

    Args:
        body: of OpenAI's `POST /embeddings`, its `input` checked; it is not changed.

    Raises:
        InvalidRequest: it holds token ids, which Ollama does not take.
    """
    given = body["input"]
    if type(given) is not str and type(given[0]) is not str:
        text = "`input` must be a text or an array of texts: Ollama takes no token ids."
        raise InvalidRequest(text, "input", "unsupported_value")
    # By default Ollama cuts what is too long without a word; OpenAI refuses it.
    request = {"truncate": False}
    return request | {
        name: value
        for name, value in body.items()
        if name != "encoding_format" and value is not None
    }


def embedding_list(answer: Any) -> JsonObject:
    """OpenAI's list of embeddings.

    Raises:
        UpstreamBroken: this is no answer of `/api/embed`.
    """
    try:
        vectors = answer["embeddings"]
        data = [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(vectors)
        ]
        asked = answer.get("prompt_eval_count") or 0
        usage = {"prompt_tokens": asked, "total_tokens": asked}
        if all(type(vector) is list for vector in vectors):
            return {"object": "list", "data": data, "model": answer["model"], "usage": usage}
    except (LookupError, TypeError, AttributeError):
        pass
    raise UpstreamBroken("The upstream's answer is no list of embeddings.")
