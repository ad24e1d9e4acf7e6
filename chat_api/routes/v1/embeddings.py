"""OpenAI's embeddings."""

from __future__ import annotations

from typing import Any

from flask import Response

from chat_api.schemas.embeddings import EmbeddingListSchema, EmbeddingRequestSchema
from chat_api.web.failures import A_MODEL_CALL, may_raise
from chat_api.web.idempotency import idempotent
from chat_api.web.requests import Blueprint, current_client, services

bp = Blueprint("embeddings", __name__, description="OpenAI's embeddings.")


@bp.post("")
@bp.arguments(EmbeddingRequestSchema)
@bp.alt_response(200, schema=EmbeddingListSchema, success=True)
@may_raise(*A_MODEL_CALL)
@idempotent
def create(embedding_request: dict[str, Any]) -> Response:
    """Turn texts into vectors

    OpenAI's object. Fields that are not described here go upstream untouched.
    """
    body = services().embeddings.create(embedding_request, current_client())
    return Response(body, content_type="application/json")
