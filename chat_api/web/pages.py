"""The pages that people look at, and the files these are made of; all from here, none from
another host."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flask import Response, render_template, request
from werkzeug.exceptions import NotFound

from chat_api.version import __version__

STATIC = Path(__file__).resolve().parent.parent / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FILES = {
    path.relative_to(STATIC).as_posix(): path
    for path in sorted(STATIC.rglob("*"))
    if path.suffix in KINDS
}
"""What may be asked for, by its name: no path is ever made of a request."""

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # HTML is written by one module alone, by the policy of this name (static/ui/markdown.js).
        "require-trusted-types-for 'script'",
        "trusted-types rendered-markdown",
    ]
)


# How the documentation describes them.
PAGE: dict[str, Any] = {
    "schema": {"type": "string"},
    "content_type": "text/html",
    "example": '<!doctype html>\n<html lang="en">…</html>',
    "description": "The page.",
}
FILE: dict[str, Any] = {"schema": {"type": "string"}, "description": "The file."}
UNCHANGED = "The copy whose ETag came as `If-None-Match` is still good."


def prefers_html() -> bool:
    """Whether a browser asks: for programs, who say `*/*` or nothing, JSON comes first."""
    kinds = ["application/json", "text/html"]
    return request.accept_mimetypes.best_match(kinds) == "text/html"


def chat_page() -> Response:
    """The chat page, under a policy that lets nothing but our own files run."""
    response = Response(render_template("chat.html", version=__version__), mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return _revalidated(response)


def static_file(name: str) -> Response:
    """A file of the folder `static`.

    Raises:
        NotFound: it is none of `FILES`.
    """
    path = FILES.get(name)
    if path is None:
        raise NotFound
    return _revalidated(Response(path.read_bytes(), mimetype=KINDS[path.suffix]))


def _revalidated(response: Response) -> Response:
    """The reply, or a 304 to who has it already. Asked for every time: modules of two versions do
    not work together."""
    response.cache_control.no_cache = True
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.make_conditional(request)
    return response
