"""The documentation: the same description for programs and for people."""

from __future__ import annotations

import orjson
from flask import Response, current_app, jsonify
from werkzeug.exceptions import NotFound

from chat_api.errors import NotInstalled
from chat_api.routes.info import DESCRIPTION, NAME, THEME
from chat_api.schemas.docs import DescriptionSchema, WebsocketNoteSchema
from chat_api.web.assets import (
    ASSETS,
    REDOC,
    REDOC_CSP,
    SWAGGER,
    SWAGGER_CSP,
    asset,
    cacheable,
    page,
)
from chat_api.web.failures import may_raise
from chat_api.web.openapi import describe
from chat_api.web.pages import FILE, PAGE, UNCHANGED
from chat_api.web.requests import Blueprint

bp = Blueprint("docs", __name__, description="This documentation.")

ABOUT = f"""{DESCRIPTION}

Errors have the shape of their routes' family: `/v1`, `/ask`, `/api`, and all others. Besides what
stands at a route, a path that is none is a 404, another method a 405 with `Allow`, and what is no
HTTP a 400.
"""
INFO = {
    "title": NAME,
    "description": ABOUT,
    "license": {"name": "MIT", "identifier": "MIT"},
    "x-theme": THEME,
}
DOCUMENT = "chat_api.openapi"

NAMES = {"in": "path", "name": "name", "schema": {"enum": list(ASSETS)}}


@bp.get("/openapi.json")
@bp.alt_response(200, schema=DescriptionSchema, success=True)
@bp.alt_response(304, description=UNCHANGED)
def openapi() -> Response:
    """Describe this API in OpenAPI's words

    Version 3.1 of it; what this page was made of.
    """
    if DOCUMENT not in current_app.extensions:  # at the first request: a start costs nothing more
        current_app.extensions[DOCUMENT] = orjson.dumps(describe(current_app, INFO))
    body = current_app.extensions[DOCUMENT]
    return cacheable(Response(body, mimetype="application/json"), 0)


@bp.get("/docs")
@bp.alt_response(200, **PAGE, success=True)
@bp.alt_response(304, description=UNCHANGED)
@may_raise(NotInstalled)
def swagger() -> Response:
    """Show this API in Swagger UI, to be tried out"""
    return page("swagger.html", SWAGGER, SWAGGER_CSP)


@bp.get("/redoc")
@bp.alt_response(200, **PAGE, success=True)
@bp.alt_response(304, description=UNCHANGED)
@may_raise(NotInstalled)
def redoc() -> Response:
    """Show this API in ReDoc, to be read"""
    return page("redoc.html", REDOC, REDOC_CSP)


@bp.get("/docs/assets/<name>", parameters=[NAMES])
@bp.alt_response(200, **FILE, content_type="text/css", example="body {}", success=True)
@bp.alt_response(200, **FILE, content_type="text/javascript", example="init();", success=True)
@bp.alt_response(200, **FILE, content_type="image/svg+xml", example="<svg/>", success=True)
@bp.alt_response(200, **FILE, content_type="image/png", example="\\x89PNG", success=True)
@bp.alt_response(304, description=UNCHANGED)
@may_raise(NotFound, NotInstalled)
def retrieve(name: str) -> Response:
    """Retrieve a file of the documentation pages"""
    return asset(name)


@bp.get("/docs/websocket")
@bp.alt_response(200, schema=WebsocketNoteSchema, success=True)
def websocket() -> Response:
    """Say how to stream, since there are no websockets

    Answers stream over plain HTTP, which proxies and `fetch` understand.
    """
    return jsonify(
        websocket=False,
        note="This version has no websockets. Answers stream over plain HTTP: as server-sent "
        "events, or as bare text.",
        streaming=STREAMING,
    )


STREAMING = {
    "POST /chat/stream": "Server-sent events: pieces as `content`, then `done`.",
    "POST /ask": "Bare text; with `Accept: text/event-stream` the events of `/chat/stream`.",
    "POST /api/chat": "The same, in a session that the server remembers.",
    "POST /v1/chat/completions": 'With `"stream": true` OpenAI\'s chunks, then `[DONE]`.',
}
