"""The documentation pages and the files they need: all served from here, none from elsewhere.

Swagger UI and ReDoc come out of installed packages, which are looked into and never imported.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from flask import Response, render_template, request
from werkzeug.exceptions import NotFound

from chat_api.errors import NotInstalled

OURS, SWAGGER, REDOC = "chat_api", "flask_swagger_ui", "flask_openapi3_redoc"
DISTRIBUTIONS = {SWAGGER: "flask-swagger-ui", REDOC: "flask-openapi3-redoc"}

CSS, SCRIPT, SVG, PNG = "text/css", "text/javascript", "image/svg+xml", "image/png"


class Asset(NamedTuple):
    """A file in an installed package."""

    package: str
    path: str
    kind: str


ASSETS = {
    "docs.css": Asset(OURS, "static/docs.css", CSS),
    "swagger.js": Asset(OURS, "static/swagger.js", SCRIPT),
    "redoc.js": Asset(OURS, "static/redoc.js", SCRIPT),
    "swagger-ui.css": Asset(SWAGGER, "dist/swagger-ui.css", CSS),
    "swagger-ui-bundle.js": Asset(SWAGGER, "dist/swagger-ui-bundle.js", SCRIPT),
    "favicon.png": Asset(SWAGGER, "dist/favicon-32x32.png", PNG),
    "redoc.standalone.js": Asset(REDOC, "templates/redoc/js/redoc.standalone.js", SCRIPT),
    "redoc.svg": Asset(REDOC, "templates/redoc/images/redoc.svg", SVG),
}
"""What is served, by its name in `/docs/assets/`; nothing else is."""

REDOCS_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
"""The one file that ReDoc would fetch from another host; its package brings the like of it."""

MAX_AGE_SECONDS = 3600

_CSP = "default-src 'none'; script-src 'self'; connect-src 'self'; {more}; " + "; ".join(
    f"{name} 'none'" for name in ("base-uri", "form-action", "frame-ancestors")
)
SWAGGER_CSP = _CSP.format(more="style-src 'self'; img-src 'self' data:")
# ReDoc writes its styles into the page, and searches in a worker that it makes of a blob.
REDOC_CSP = _CSP.format(
    more="style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:"
)


def page(template: str, package: str, policy: str) -> Response:
    """A page of ours around a library's.

    Raises:
        NotInstalled: the package that brings the library is not there.
    """
    _folder(package)
    response = Response(render_template(template), mimetype="text/html")
    response.headers["Content-Security-Policy"] = policy
    response.headers["Referrer-Policy"] = "no-referrer"
    return cacheable(response, 0)


def asset(name: str) -> Response:
    """A file of the pages.

    Raises:
        NotFound: no such name.
        NotInstalled: as `page`.
    """
    if name not in ASSETS:
        raise NotFound
    data, etag = _read(name)
    return cacheable(Response(data, mimetype=ASSETS[name].kind), MAX_AGE_SECONDS, etag)


def cacheable(response: Response, seconds: int, etag: str | None = None) -> Response:
    """The reply with an ETag, or a 304 to who has it already; unasked it is used for so long.

    Args:
        etag: where it is known; to make it takes a millisecond for each megabyte.
    """
    response.cache_control.max_age = seconds
    response.cache_control.public = True
    response.set_etag(etag or _etag(response.get_data()))
    response.make_conditional(request)
    return response


@cache
def _read(name: str) -> tuple[bytes, str]:
    """A file's bytes and their ETag; 3 MB in all, and only where somebody looked at the pages."""
    package, path, _ = ASSETS[name]
    data = (_folder(package) / path).read_bytes()
    data = data.replace(REDOCS_LOGO, b"/docs/assets/redoc.svg")
    return data, _etag(data)


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise NotInstalled(
            f"This page needs the package {DISTRIBUTIONS[package]}. On the server: "
            "`pip install -r requirements.txt`, then start it anew."
        )
    return Path(spec.origin).parent
