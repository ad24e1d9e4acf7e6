"""What is said to what is no HTTP, or to HTTP that the server does not take."""

from __future__ import annotations

import uuid

import orjson

from chat_api.web.errors import INVALID, SERVER, Problem, family

REFUSALS = {
    414: "The request's first line, with its path and query, is longer than this server takes.",
    417: "This server knows no other expectation than `100-continue`.",
    431: "The request's headers are larger, or more, than this server takes.",
    501: "This server does not know that transfer coding.",
}
"""What Gunicorn refuses of valid HTTP."""


class ErrorPage:
    """Stands in for the connection that Gunicorn writes its error page to; keeps its status."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.reason = ""

    def gettimeout(self) -> float:
        """As a socket does, of which Gunicorn asks it."""
        return 0.0

    def sendall(self, data: bytes) -> None:
        """Take the page."""
        line = data.split(b"\r\n", 1)[0].decode("latin-1")
        _, status, self.reason = line.split(" ", 2)
        self.status = int(status)


def reply_to_malformed(
    status: int, reason: str, path: str, allow_origins: tuple[str, ...]
) -> bytes:
    """The whole reply, head and body, in the shape of the path's family.

    Args:
        path: "" where the request could not be read that far.
    """
    request_id = uuid.uuid4().hex
    problem = Problem("Internal error.", SERVER, request_id=request_id)
    if status < 500 or status in REFUSALS:
        text = REFUSALS.get(status, "The request is not valid HTTP.")
        problem = Problem(text, INVALID, request_id=request_id)
    body = orjson.dumps(family(path).render(problem))
    # Whose page sent it is not known: only what is open to every page is open to this one.
    cors = "Access-Control-Allow-Origin: *" if "*" in allow_origins else "Vary: Origin"
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
        f"X-Request-ID: {request_id}\r\nContent-Length: {len(body)}\r\n{cors}\r\n\r\n"
    )
    return head.encode("latin-1") + body
