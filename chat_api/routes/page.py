"""The chat page and the files it is made of."""

from __future__ import annotations

from flask import Response

from chat_api.web.pages import chat_page, static_file
from chat_api.web.requests import Blueprint

bp = Blueprint("page", __name__, description="The chat page.")


@bp.get("/ui")
def retrieve() -> Response:
    """Show the chat page

    Browsers get it at `/` too.
    """
    return chat_page()


@bp.get("/static/<path:name>")
def static(name: str) -> Response:
    """Retrieve a file of the pages"""
    return static_file(name)
