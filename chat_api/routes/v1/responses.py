"""OpenAI's Responses."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from chat_api.schemas.lists import ItemListSchema
from chat_api.schemas.paging import NewestFirstSchema
from chat_api.schemas.replay import ReplaySchema
from chat_api.schemas.replies import (
    ResponseDeletedSchema,
    ResponseSchema,
    ShortResponseSchema,
)
from chat_api.schemas.responses import ResponseRequestSchema
from chat_api.services.responses import is_short, short_form
from chat_api.web.failures import A_MODEL_CALL, A_SESSION, AN_OBJECT, may_raise
from chat_api.web.idempotency import idempotent
from chat_api.web.requests import (
    Blueprint,
    current_client,
    is_from_openai_client,
    preferred_return,
    services,
    with_preference,
)
from chat_api.web.sse import RESPONSE_EVENTS, response_frames, stream_response

bp = Blueprint("responses", __name__, description="OpenAI's Responses.")

ONE = "/<response_id>"


@bp.post("")
@bp.arguments(ResponseRequestSchema)
@bp.alt_response(200, schema={"anyOf": [ShortResponseSchema, ResponseSchema]}, success=True)
@bp.alt_response(200, **RESPONSE_EVENTS, success=True)
@may_raise(*A_MODEL_CALL, *A_SESSION, *AN_OBJECT)
@idempotent
def create(response_request: dict[str, Any]) -> Response:
    """Create a response

    OpenAI's object, or with `stream` its events. It is stored unless `store` is false. A request
    with nothing but `input` (a text), `model`, `instructions` and `temperature`, from who is no
    OpenAI client, gets the short form, which is not stored: `model`, and `output` with `role` and
    `content`. `Prefer: return=minimal` or `return=representation` asks for either.
    """
    service, client = services().responses, current_client()
    if response_request.get("stream"):
        stream = service.stream(response_request, client)
        return stream_response(response_frames(stream), stream)
    short = _is_for_short_form(response_request)
    response = service.create(response_request, client, is_kept=not short)
    reply = jsonify(short_form(response) if short else response)
    return with_preference(reply, "minimal" if short else "representation")


def _is_for_short_form(response_request: dict[str, Any]) -> bool:
    if response_request.get("background"):
        return False  # there is no text yet, only an id to ask for it by
    preference = preferred_return()
    if preference is not None:
        return preference == "minimal"
    return is_short(response_request) and not is_from_openai_client()


@bp.get(ONE)
@bp.arguments(ReplaySchema, location="query")
@bp.alt_response(200, schema=ResponseSchema, success=True)
@bp.alt_response(200, **RESPONSE_EVENTS, success=True)
@may_raise(*AN_OBJECT)
def retrieve(query: dict[str, Any], response_id: str) -> Response:
    """Retrieve a response

    With `stream`, the events of one that runs, or ran, in the background: those behind
    `starting_after`, then those to come.
    """
    service, client = services().responses, current_client()
    if not query["stream"]:
        return jsonify(service.retrieve(response_id, client))
    events = service.replay(response_id, query, client)
    return stream_response(response_frames(events), events)


@bp.delete(ONE)
@bp.alt_response(200, schema=ResponseDeletedSchema, success=True)
@may_raise(*AN_OBJECT)
def delete(response_id: str) -> Response:
    """Delete a response

    One that runs in the background is stopped.
    """
    return jsonify(services().responses.delete(response_id, current_client()))


@bp.post(f"{ONE}/cancel")
@bp.alt_response(200, schema=ResponseSchema, success=True)
@may_raise(*AN_OBJECT)
@idempotent
def cancel(response_id: str) -> Response:
    """Cancel a background response

    One that has ended already stays as it is.
    """
    return jsonify(services().responses.cancel(response_id, current_client()))


@bp.get(f"{ONE}/input_items")
@bp.arguments(NewestFirstSchema, location="query")
@bp.alt_response(200, schema=ItemListSchema, success=True)
@may_raise(*AN_OBJECT)
def list_input_items(query: dict[str, Any], response_id: str) -> Response:
    """List what a response was asked"""
    return jsonify(services().responses.input_items(response_id, query, current_client()))
