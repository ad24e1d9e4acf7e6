"""Markdown for the chat page."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from chat_api.schemas.rendering import RenderedSchema, RenderRequestSchema
from chat_api.web.requests import Blueprint, services

bp = Blueprint("rendering", __name__, description="Markdown for the chat page.")


@bp.post("")
@bp.arguments(RenderRequestSchema)
@bp.alt_response(200, schema=RenderedSchema, success=True)
def create(render_request: dict[str, Any]) -> Response:
    """Turn Markdown into HTML that is safe to show

    Scripts, styles, images and foreign attributes do not survive; code is highlighted by classes.
    """
    return jsonify(html=services().rendering.html(render_request["texts"]))
