"""OpenAI's chat completions."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from chat_api.errors import InvalidRequest, StoreUnavailable
from chat_api.schemas.chat_completions import ChatCompletionRequestSchema
from chat_api.schemas.paging import PageSchema
from chat_api.schemas.replies import ChatCompletionSchema
from chat_api.schemas.stored_completions import (
    CompletionDeletedSchema,
    CompletionListSchema,
    CompletionUpdateSchema,
    StoredCompletionListSchema,
    StoredCompletionSchema,
    StoredMessageListSchema,
)
from chat_api.web.failures import A_MODEL_CALL, AN_OBJECT, may_raise
from chat_api.web.idempotency import idempotent
from chat_api.web.requests import Blueprint, current_client, services
from chat_api.web.sse import OPENAI_EVENTS, openai_frames, stream_response

bp = Blueprint("chat_completions", __name__, description="OpenAI's chat completions.")

PATH = "/<completion_id>"


@bp.post("")
@bp.arguments(ChatCompletionRequestSchema)
@bp.alt_response(200, schema=ChatCompletionSchema, success=True)
@bp.alt_response(200, **OPENAI_EVENTS, success=True)
@may_raise(*A_MODEL_CALL, StoreUnavailable)
@idempotent
def create(completion_request: dict[str, Any]) -> Response:
    """Create a chat completion

    OpenAI's object, or with `stream` its chunks: the upstream's own bytes. Fields that are not
    described here go upstream untouched. With `store` it is kept here.
    """
    completions = services().chat_completions
    if not completion_request.get("stream"):
        completion = completions.complete(completion_request, current_client())
        return Response(completion.raw, content_type="application/json")
    stream = completions.stream(completion_request, current_client())
    return stream_response(openai_frames(stream), stream)


@bp.get("")
@bp.arguments(CompletionListSchema, location="query")
@bp.alt_response(200, schema=StoredCompletionListSchema, success=True)
@may_raise(InvalidRequest, StoreUnavailable)
def index(query: dict[str, Any]) -> Response:
    """List stored chat completions

    Your own ones. `metadata[name]=value` names pairs that all of them have.
    """
    return jsonify(services().stored_completions.page(query, current_client()))


@bp.get(PATH)
@bp.alt_response(200, schema=StoredCompletionSchema, success=True)
@may_raise(*AN_OBJECT)
def retrieve(completion_id: str) -> Response:
    """Retrieve a stored chat completion"""
    return jsonify(services().stored_completions.retrieve(completion_id, current_client()))


@bp.post(PATH)
@bp.arguments(CompletionUpdateSchema)
@bp.alt_response(200, schema=StoredCompletionSchema, success=True)
@may_raise(*AN_OBJECT)
@idempotent
def update(update_request: dict[str, Any], completion_id: str) -> Response:
    """Replace the metadata of a stored chat completion"""
    completions = services().stored_completions
    return jsonify(completions.update(completion_id, update_request, current_client()))


@bp.delete(PATH)
@bp.alt_response(200, schema=CompletionDeletedSchema, success=True)
@may_raise(*AN_OBJECT)
def delete(completion_id: str) -> Response:
    """Delete a stored chat completion"""
    return jsonify(services().stored_completions.delete(completion_id, current_client()))


@bp.get(f"{PATH}/messages")
@bp.arguments(PageSchema, location="query")
@bp.alt_response(200, schema=StoredMessageListSchema, success=True)
@may_raise(*AN_OBJECT)
def messages(query: dict[str, Any], completion_id: str) -> Response:
    """List the messages that a stored chat completion answers"""
    completions = services().stored_completions
    return jsonify(completions.messages(completion_id, query, current_client()))
