"""Errors as the caller sees them: one table, and one renderer for each family of routes."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from chat_api import errors
from chat_api.errors import ChatApiError, UpstreamError
from chat_api.web.state import request, state
from chat_api.web.upstream_headers import advice

log = structlog.get_logger()

INVALID = "invalid_request_error"
SERVER = "server_error"
RATE_LIMIT = "rate_limit_error"


class Told(NamedTuple):
    """What is told of an error: status on `/v1` and `/api`, and on the plain routes; `type`,
    `code`."""

    relayed_status: int
    plain_status: int
    type: str
    code: str | None


TOLD: dict[type[ChatApiError], Told] = {
    errors.InvalidRequest: Told(400, 400, INVALID, None),
    errors.BodyTooSlow: Told(408, 408, INVALID, "request_timeout"),
    errors.UnsupportedMediaType: Told(415, 415, INVALID, "unsupported_media_type"),
    errors.KeyMissing: Told(401, 401, INVALID, "invalid_api_key"),
    errors.ModelNotFound: Told(404, 404, INVALID, "model_not_found"),
    errors.SessionNotFound: Told(404, 404, INVALID, "session_not_found"),
    errors.ObjectNotFound: Told(404, 404, INVALID, None),
    errors.IdempotencyKeyReused: Told(422, 422, INVALID, "idempotency_key_reused"),
    errors.IdempotencyKeyInUse: Told(409, 409, INVALID, "idempotency_key_in_use"),
    errors.RateLimited: Told(429, 429, RATE_LIMIT, "rate_limit_exceeded"),
    errors.StoreUnavailable: Told(503, 503, SERVER, "store_unavailable"),
    errors.Overloaded: Told(503, 503, SERVER, "overloaded"),
    errors.ServerStopping: Told(503, 503, SERVER, "server_stopping"),
    errors.NoUpstream: Told(503, 500, SERVER, "no_upstream"),
    errors.NotInstalled: Told(501, 501, SERVER, "not_installed"),
    # 499 is nginx's word for it. Nobody reads this reply; the log line shows it.
    errors.CallerGone: Told(499, 499, INVALID, "caller_gone"),
    errors.InternalError: Told(500, 500, SERVER, "internal_error"),
    # The two whose status is the upstream's own where it concerns the caller:
    errors.UpstreamRefused: Told(400, 400, INVALID, None),
    errors.UpstreamRateLimited: Told(429, 429, RATE_LIMIT, None),
    errors.UpstreamKeyRefused: Told(502, 500, SERVER, "upstream_key_refused"),
    errors.UpstreamUnreachable: Told(502, 500, SERVER, "upstream_unreachable"),
    errors.UpstreamTimeout: Told(504, 500, SERVER, "upstream_timeout"),
    errors.UpstreamOverloaded: Told(503, 500, SERVER, "upstream_overloaded"),
    errors.UpstreamCoolingOff: Told(503, 500, SERVER, "upstream_cooling_off"),
    errors.UpstreamFailed: Told(502, 500, SERVER, "upstream_failed"),
    errors.UpstreamBroken: Told(502, 500, SERVER, "upstream_broken"),
}

HTTP_TEXTS = {
    404: "There is no such route. `GET /` lists those there are.",
    405: "This route does not take that method.",
    413: "The body is larger than this server takes.",
}
HTTP_CODES = {404: "unknown_url", 405: "method_not_allowed", 413: "request_too_large"}


class Problem(NamedTuple):
    """What a renderer is given to tell."""

    text: str
    type: str
    param: str | None = None
    code: str | None = None
    request_id: str | None = None


def init_app(app: Flask) -> None:
    """Answer every error in the shape of its family, never with a framework's page."""
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(Exception, error_reply)


def told(error: BaseException, request_id: str | None) -> ChatApiError:
    """The error to speak of: a defect of ours is logged and becomes an InternalError."""
    if isinstance(error, ChatApiError):
        return error
    # Not its text: that may hold a piece of the request.
    where = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    log.error("crash", request_id=request_id, error=type(error).__name__, traceback=where)
    return errors.InternalError("Internal error.")


def problem(error: Exception, request_id: str | None = None) -> Problem:
    """What is told of an error."""
    error = told(error, request_id)
    entry = TOLD[type(error)]
    if isinstance(error, errors.UpstreamKeyRefused) and error.callers_own:
        entry = TOLD[errors.KeyMissing]
    return Problem(
        str(error),
        getattr(error, "type", None) or entry.type,
        getattr(error, "param", None),
        getattr(error, "code", None) or entry.code,
        request_id,
    )


def openai_error(problem: Problem) -> dict[str, Any]:
    """`/v1`: OpenAI's four keys."""
    text, kind, param, code, _ = problem
    return {"error": {"message": text, "type": kind, "param": param, "code": code}}


def ask_error(problem: Problem) -> dict[str, Any]:
    """`/ask`: a message to be shown like any other, and what else is known."""
    more = {"code": problem.code, "param": problem.param, "request": problem.request_id}
    details = ", ".join(f"{name} {value}" for name, value in more.items() if value)
    message = {"role": "assistant", "content": problem.text}
    return {**message, "error": problem.type, "details": details}


def detail_error(problem: Problem) -> dict[str, Any]:
    """`/api`: a text under `detail`."""
    return {"detail": problem.text}


def plain_error(problem: Problem) -> dict[str, Any]:
    """All other routes: a text."""
    return {"error": problem.text}


class Family(NamedTuple):
    """How the routes below a path tell of errors."""

    path: str
    render: Callable[[Problem], dict[str, Any]]
    keeps_statuses: bool
    """Whether what failed behind us has statuses of its own; else it is 400 or 500."""


FAMILIES = (
    Family("/v1", openai_error, True),
    Family("/api", detail_error, True),
    Family("/ask", ask_error, False),
)
PLAIN = Family("", plain_error, False)


def family(path: str) -> Family:
    """The family that a request's path belongs to, whether there is such a route or not."""
    for known in FAMILIES:
        if path == known.path or path.startswith(f"{known.path}/"):
            return known
    return PLAIN


def error_reply(error: Exception) -> Response:
    """What its caller gets, and a note of it for the log line."""
    here = state()
    error = told(error, here.request_id)
    here.record.outcome = type(error).__name__
    here.record.cause = type(error.__cause__).__name__ if error.__cause__ else None
    ours = family(request().path)
    body = ours.render(problem(error, here.request_id))
    if isinstance(error, errors.InternalError) and ours is PLAIN:
        body["request_id"] = here.request_id
    status = _status(error, ours)
    headers = _retry_after(error) if status in (429, 503) else {}
    if ours.render is openai_error:
        headers |= advice(error)
        if isinstance(error, UpstreamError):
            here.record.upstream_headers = error.headers
            headers |= _retry_after(error) if error.retry_after_seconds else {}
    return _reply(body, status, headers)


def _status(error: ChatApiError, ours: Family) -> int:
    if isinstance(error, errors.UpstreamKeyRefused) and error.callers_own:
        return error.status
    if isinstance(error, errors.UpstreamRefused) and ours.keeps_statuses:
        return error.status
    entry = TOLD[type(error)]
    return entry.relayed_status if ours.keeps_statuses else entry.plain_status


def _retry_after(error: ChatApiError) -> dict[str, str]:
    """Whole seconds, one or more (RFC 9110, 10.2.3)."""
    seconds = getattr(error, "retry_after_seconds", None) or 1
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def _http_exception(error: HTTPException) -> Response:
    """What the framework itself refuses: no such route, wrong method, a body too large."""
    status = error.code or 500
    if status >= 500:  # what broke behind the views, a hook of ours
        return error_reply(getattr(error, "original_exception", None) or error)
    text = HTTP_TEXTS.get(status, "The request is not understood.")
    found = Problem(text, INVALID, None, HTTP_CODES.get(status), state().request_id)
    headers = {}
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return _reply(family(request().path).render(found), status, headers)


def _reply(body: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), status, headers, mimetype="application/json")
