"""What is said to what is no HTTP, or to HTTP that the server does not take."""

from __future__ import annotations

import uuid
from http import HTTPStatus

import orjson
import structlog
from gunicorn.http import errors

from chat_api.web.errors import INVALID, SERVER, Problem, family, told

NOT_TAKEN = {
    errors.LimitRequestLine: (
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "The request's first line, with its path and query, is longer than this server takes.",
    ),
    errors.ExpectationFailed: (
        HTTPStatus.EXPECTATION_FAILED,
        "This server knows no other expectation than `100-continue`.",
    ),
    errors.LimitRequestHeaders: (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The request's headers are larger, or more, than this server takes.",
    ),
    errors.UnsupportedTransferCoding: (
        HTTPStatus.NOT_IMPLEMENTED,
        "This server does not know that transfer coding.",
    ),
}
"""What Gunicorn refuses of valid HTTP."""
OURS = (
    errors.ConfigurationProblem,
    errors.InvalidResponseHeader,
    errors.InvalidResponseHeaderName,
)
"""What Gunicorn counts among the requests' errors and no request can help."""

log = structlog.get_logger()


def reply_to_malformed(error: BaseException, path: str, allow_origins: tuple[str, ...]) -> bytes:
    """The whole reply, head and body, in the shape of the path's family; and a line in the log.

    Args:
        error: what Gunicorn's parser raised. Its text is told to nobody: that is a piece of the
            request, a key or a prompt perhaps.
        path: "" where the request could not be read that far.
    """
    request_id = uuid.uuid4().hex
    if isinstance(error, errors.ParseException) and not isinstance(error, OURS):
        no_http = HTTPStatus.BAD_REQUEST, "The request is not valid HTTP."
        status, text = NOT_TAKEN.get(type(error), no_http)
        problem = Problem(text, INVALID, request_id=request_id)
        log.warning("malformed", request_id=request_id, status=status, error=type(error).__name__)
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        problem = Problem(str(told(error, request_id)), SERVER, request_id=request_id)
    body = orjson.dumps(family(path).render(problem))
    # Whose page sent it is not known: only what is open to every page is open to this one.
    cors = "Access-Control-Allow-Origin: *" if "*" in allow_origins else "Vary: Origin"
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
        f"X-Request-ID: {request_id}\r\nContent-Length: {len(body)}\r\n{cors}\r\n\r\n"
    )
    return head.encode("latin-1") + body
