"""The pages that people look at, and the files these are made of; all from here, none from
another host."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Response, render_template, request
from werkzeug.exceptions import NotFound

from chat_api.version import __version__

STATIC = Path(__file__).resolve().parent.parent / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

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
        NotFound: it is not one of those that were there at the start.
    """
    path = _files().get(name)
    if path is None:
        raise NotFound
    return _revalidated(Response(path.read_bytes(), mimetype=KINDS[path.suffix]))


@cache
def _files() -> dict[str, Path]:
    """What may be asked for, by its name: no path is ever made of a request."""
    found = (path for path in STATIC.rglob("*") if path.suffix in KINDS)
    return {path.relative_to(STATIC).as_posix(): path for path in found}


def _revalidated(response: Response) -> Response:
    """The reply, or a 304 to who has it already. Asked for every time: modules of two versions do
    not work together."""
    response.cache_control.no_cache = True
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.make_conditional(request)
    return response
