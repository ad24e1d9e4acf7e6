"""OpenAI's Responses."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from chat_api.schemas.replies import ResponseSchema, ShortResponseSchema
from chat_api.schemas.responses import ResponseRequestSchema
from chat_api.services.responses import is_short, short_form
from chat_api.web.failures import A_MODEL_CALL, may_raise
from chat_api.web.idempotency import idempotent
from chat_api.web.requests import Blueprint, current_client, preferred_return, services

bp = Blueprint("responses", __name__, description="OpenAI's Responses.")


@bp.post("")
@bp.arguments(ResponseRequestSchema)
@bp.alt_response(200, schema={"anyOf": [ShortResponseSchema, ResponseSchema]}, success=True)
@may_raise(*A_MODEL_CALL)
@idempotent
def create(response_request: dict[str, Any]) -> Response:
    """Create a response

    OpenAI's object. A request with nothing but `input` (a text), `model`, `instructions` and
    `temperature`, from who is no OpenAI client, gets the short form: `model`, and `output` with
    `role` and `content`. `Prefer: return=minimal` or `return=representation` asks for either.
    """
    response = services().responses.create(response_request, current_client())
    preference = preferred_return()
    wants_short = is_short(response_request) and not _is_from_openai_client()
    if preference == "minimal" or (preference is None and wants_short):
        response = short_form(response)
    reply = jsonify(response)
    if preference is not None:
        reply.headers["Preference-Applied"] = f"return={preference}"
    return reply


def _is_from_openai_client() -> bool:
    """Every OpenAI client sends the first of these, OpenAI's own the second too."""
    return "Authorization" in request.headers or "x-stainless-lang" in request.headers
