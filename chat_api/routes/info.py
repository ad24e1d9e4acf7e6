"""What this server is."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, current_app, jsonify, request

from chat_api.schemas.chat_completions import MOST_CHOICES
from chat_api.schemas.info import IndexSchema, InfoSchema
from chat_api.settings import Settings
from chat_api.version import __version__
from chat_api.web.json_objects import MOST_DEPTH
from chat_api.web.pages import PAGE, UNCHANGED, chat_page, prefers_html
from chat_api.web.peers import forwarded_for
from chat_api.web.requests import Blueprint, services

bp = Blueprint("info", __name__, description="What this server is.")

CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
NAME = "OpenAI Chat API"
DESCRIPTION = "Chat completions for front ends: plain JSON, server-sent events, OpenAI's protocol."
THEME = {
    "name": "Ocean Professional",
    "primary": "#2563EB",
    "accent": "#F59E0B",
    "background": "#F9FAFB",
    "surface": "#FFFFFF",
    "text": "#111827",
    "error": "#EF4444",
}


@bp.get("/")
@bp.alt_response(200, schema=IndexSchema, success=True)
@bp.alt_response(200, **PAGE, success=True)
@bp.alt_response(304, description=UNCHANGED)
def index() -> Response:
    """List the routes of this server

    Name, version and every public route with what it does; the chat page to a browser.
    """
    response = chat_page() if prefers_html() else jsonify(_about())
    response.vary.add("Accept")
    return response


@bp.get("/info")
@bp.alt_response(200, schema=InfoSchema, success=True)
def retrieve() -> Response:
    """Describe the server

    Provider, default model, features and limits, and what of this request's way the server
    sees; no secrets.
    """
    settings: Settings = current_app.config["SETTINGS"]
    limits = {
        "max_body_bytes": settings.max_body_bytes,
        "max_json_depth": MOST_DEPTH,
        "max_choices": MOST_CHOICES,
        "max_streams_per_worker": settings.max_streams,
        "upstream_timeout_seconds": settings.upstream_timeout_seconds,
        "stream_heartbeat_seconds": settings.stream_heartbeat_seconds,
        "requests_per_minute": settings.requests_per_minute,
    }
    return jsonify(
        name=NAME,
        version=__version__,
        description=DESCRIPTION,
        provider=services().upstream.provider,
        default_model=services().models.default,
        features=[
            "chat",
            "streaming",
            "sessions",
            "caller-keys",
            "openai-compatible",
            "responses",
            "model-aliases",
            "chat-page",
        ],
        limits=limits,
        connection={
            "http_version": request.environ["SERVER_PROTOCOL"],
            "forwarded_for": len(forwarded_for(request.environ)),
            "trusted_proxies": settings.trusted_proxies,
        },
        theme=THEME,
    )


def _about() -> dict[str, Any]:
    return {
        "name": NAME,
        "version": __version__,
        "description": DESCRIPTION,
        "status": "healthy",
        "endpoints": _endpoints(),
        "documentation": "/docs",
    }


def _endpoints() -> dict[str, Any]:
    """Each route and the first line of its view's text."""
    found = {}
    for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.rule):
        text = current_app.view_functions[rule.endpoint].__doc__ or ""
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            path = CONVERTER.sub(r"{\1}", rule.rule)
            found[f"{method} {path}"] = text.partition("\n")[0]
    return found
