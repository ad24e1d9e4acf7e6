"""The chat page and the files it is made of."""

from __future__ import annotations

from flask import Response
from werkzeug.exceptions import NotFound

from chat_api.web.failures import may_raise
from chat_api.web.pages import FILE, FILES, PAGE, UNCHANGED, chat_page, static_file
from chat_api.web.requests import Blueprint

bp = Blueprint("page", __name__, description="The chat page.")


NAMES = {"in": "path", "name": "name", "schema": {"enum": list(FILES)}}


@bp.get("/ui")
@bp.alt_response(200, **PAGE, success=True)
@bp.alt_response(304, description=UNCHANGED)
def retrieve() -> Response:
    """Show the chat page

    Browsers get it at `/` too.
    """
    return chat_page()


@bp.get("/static/<path:name>", parameters=[NAMES])
@bp.alt_response(200, **FILE, content_type="text/css", example="body {}", success=True)
@bp.alt_response(200, **FILE, content_type="text/javascript", example="init();", success=True)
@bp.alt_response(200, **FILE, content_type="image/svg+xml", example="<svg/>", success=True)
@bp.alt_response(304, description=UNCHANGED)
@may_raise(NotFound)
def static(name: str) -> Response:
    """Retrieve a file of the pages"""
    return static_file(name)
