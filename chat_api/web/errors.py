"""Errors as the caller sees them: one table, and one renderer for each family of routes."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from chat_api import errors
from chat_api.errors import ChatApiError

log = structlog.get_logger()

INVALID = "invalid_request_error"
SERVER = "server_error"


class Told(NamedTuple):
    """What is told of an error: status on `/v1` and `/api`, and on the plain routes; `type`,
    `code`."""

    relayed_status: int
    plain_status: int
    type: str
    code: str | None


TOLD: dict[type[ChatApiError], Told] = {
    errors.InvalidRequest: Told(400, 400, INVALID, None),
    errors.UnsupportedMediaType: Told(415, 415, INVALID, "unsupported_media_type"),
    errors.KeyMissing: Told(401, 401, INVALID, "invalid_api_key"),
    errors.ModelNotFound: Told(404, 404, INVALID, "model_not_found"),
    errors.SessionNotFound: Told(404, 404, INVALID, "session_not_found"),
    errors.StoreUnavailable: Told(503, 503, SERVER, "store_unavailable"),
    errors.Overloaded: Told(503, 503, SERVER, "overloaded"),
    errors.NoUpstream: Told(503, 500, SERVER, "no_upstream"),
    # 499 is nginx's word for it. Nobody reads this reply; the log line shows it.
    errors.CallerGone: Told(499, 499, INVALID, "caller_gone"),
    errors.InternalError: Told(500, 500, SERVER, "internal_error"),
    # The two whose status is the upstream's own where it concerns the caller:
    errors.UpstreamRefused: Told(400, 400, INVALID, None),
    errors.UpstreamRateLimited: Told(429, 429, "rate_limit_error", None),
    errors.UpstreamKeyRefused: Told(502, 500, SERVER, "upstream_key_refused"),
    errors.UpstreamUnreachable: Told(502, 500, SERVER, "upstream_unreachable"),
    errors.UpstreamTimeout: Told(504, 500, SERVER, "upstream_timeout"),
    errors.UpstreamOverloaded: Told(503, 500, SERVER, "upstream_overloaded"),
    errors.UpstreamFailed: Told(502, 500, SERVER, "upstream_failed"),
    errors.UpstreamBroken: Told(502, 500, SERVER, "upstream_broken"),
}

HTTP_TEXTS = {
    404: "There is no such route. `GET /` lists those there are.",
    405: "This route does not take that method.",
    413: "The body is larger than this server takes.",
}
HTTP_CODES = {404: "unknown_url", 405: "method_not_allowed", 413: "request_too_large"}


def init_app(app: Flask) -> None:
    """Answer every error in the shape of its family, never with a framework's page."""
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(Exception, _exception)


def told(error: Exception) -> ChatApiError:
    """The error to speak of: a defect of ours is logged and becomes an InternalError."""
    if isinstance(error, ChatApiError):
        return error
    # Not its text: that may hold a piece of the request.
    where = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    log.error("crash", error=type(error).__name__, traceback=where)
    return errors.InternalError("Internal error.")


def openai_error(error: ChatApiError) -> dict[str, Any]:
    """`/v1`: OpenAI's four keys."""
    entry = TOLD[type(error)]
    named = (errors.InvalidRequest, errors.UpstreamRefused)
    return _four_keys(
        str(error),
        getattr(error, "type", None) or entry.type,
        error.param if isinstance(error, named) else None,
        (error.code if isinstance(error, named) else None) or entry.code,
    )


def detail_error(error: ChatApiError) -> dict[str, Any]:
    """`/api`: a text under `detail`."""
    return {"detail": str(error)}


def plain_error(error: ChatApiError) -> dict[str, Any]:
    """All other routes: a text under `error`."""
    return {"error": str(error)}


def _four_keys(message: str, type: str, param: str | None, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


class Family(NamedTuple):
    """Routes whose errors look alike."""

    relays: bool
    """Whether the upstream's own statuses are told."""
    render: Callable[[ChatApiError], dict[str, Any]]
    render_http: Callable[[int, str], dict[str, Any]]
    """For what the framework refuses: a status and a text."""
    takes_extras: bool = False


def _openai_http(status: int, text: str) -> dict[str, Any]:
    kind = INVALID if status < 500 else SERVER
    return _four_keys(text, kind, None, HTTP_CODES.get(status))


OPENAI = Family(True, openai_error, _openai_http)
API = Family(True, detail_error, lambda status, text: {"detail": text})
PLAIN = Family(False, plain_error, lambda status, text: {"error": text}, takes_extras=True)


def family_of(path: str) -> Family:
    """By path: a blueprint's own handlers do not see what fails before its routes are found."""
    if path.startswith("/v1/"):
        return OPENAI
    return API if path.startswith("/api/") else PLAIN


def _exception(error: Exception) -> Response:
    error = told(error)
    g.record.outcome = type(error).__name__
    family = family_of(request.path)
    body = family.render(error)
    if isinstance(error, errors.InternalError) and family.takes_extras:
        body["request_id"] = g.request_id
    status = _status(error, family.relays)
    return _reply(body, status, _retry_after(error) if status in (429, 503) else {})


def _status(error: ChatApiError, relays: bool) -> int:
    if isinstance(error, errors.UpstreamKeyRefused) and error.callers_own:
        return error.status
    if isinstance(error, errors.UpstreamRefused) and relays:
        return error.status
    entry = TOLD[type(error)]
    return entry.relayed_status if relays else entry.plain_status


def _retry_after(error: ChatApiError) -> dict[str, str]:
    """Whole seconds, one or more (RFC 9110, 10.2.3)."""
    seconds = getattr(error, "retry_after_seconds", None) or 1
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def _http_exception(error: HTTPException) -> Response:
    """What the framework itself refuses: no such route, wrong method, a body too large."""
    status = error.code or 500
    text = HTTP_TEXTS.get(status, "The request is not understood.")
    body = family_of(request.path).render_http(status, text)
    headers = {}
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return _reply(body, status, headers)


def _reply(body: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), status, headers, mimetype="application/json")
