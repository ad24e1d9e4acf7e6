"""What every reply has to be, whatever was asked."""

from __future__ import annotations

import json
from http.client import HTTPMessage
from urllib.parse import unquote

from tests.fuzzing.requests import Request
from tests.integration.doors import OPENAI_ERROR_KEYS
from tests.integration.wire import Reply

BODYLESS = (204, 304)
NOBODYS = (414, 417, 431)
"""Told by Gunicorn's parser before it knows the path: in the plain shape, whatever was asked."""
READINESS = "/health/ready"
"""A disk that takes longer than a second is told by a 503, which no request can help."""


def fault_of(request: Request, reply: Reply) -> str | None:
    """What is wrong with a reply; None where all is well."""
    try:
        _check(request, reply)
    except (AssertionError, ValueError, KeyError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _check(request: Request, reply: Reply) -> None:
    status, headers, body = reply
    path = unquote(request.target.partition("?")[0], "latin-1")
    if path == READINESS and status == 503:
        assert request.method == "HEAD" or json.loads(body)["status"] == "not ready"
        return
    assert 200 <= status < 500, f"a status of {status}"
    assert not 300 <= status < 400 or status == 304, f"a redirect, {status}"
    assert headers["X-Request-ID"], "no X-Request-ID"
    assert headers["X-Content-Type-Options"] == "nosniff", "no nosniff"
    if request.method == "HEAD" or status in BODYLESS:
        assert body == b"", "a body where there is none"
    elif status >= 400:
        assert headers["Content-Type"] == "application/json", headers["Content-Type"]
        check_shape("" if status in NOBODYS else path, json.loads(body))
    else:
        _check_kind(request, headers, body)


def check_shape(path: str, told: dict[str, object]) -> None:
    """Fails where an error is not told as the family of its path tells errors."""
    error = told.get("error")
    if path == "/v1" or path.startswith("/v1/"):
        assert isinstance(error, dict) and set(error) == OPENAI_ERROR_KEYS, told
        assert all(value is None or isinstance(value, str) for value in error.values()), told
        assert error["message"], told
    elif path == "/api" or path.startswith("/api/"):
        assert isinstance(told.get("detail"), str) or told["valid"] is False, told
    elif path == "/ask" or path.startswith("/ask/"):
        assert set(told) == {"role", "content", "error", "details"}, told
    else:
        assert isinstance(error, str) and error, told


def _check_kind(request: Request, headers: HTTPMessage, body: bytes) -> None:
    kind, _, charset = (headers["Content-Type"] or "").partition("; ")
    if kind == "application/json":
        json.loads(body)
    elif kind == "text/event-stream":
        assert headers["Content-Length"] is None and charset == "charset=utf-8"
        *frames, rest = body.split(b"\n\n")
        assert rest == b"", "half an event at the end"
        for frame in frames:
            _check_frame(frame)
    elif request.method == "OPTIONS":
        assert body == b"", "a body of OPTIONS"
    else:
        assert kind.startswith(("text/", "image/")) or "javascript" in kind, kind
        assert not kind.startswith("text/") or body.decode() is not None


def _check_frame(frame: bytes) -> None:
    for line in frame.split(b"\n"):
        name, _, value = line.partition(b": ")
        assert name in (b"event", b"data", b""), line
        if name == b"data" and value != b"[DONE]":
            assert isinstance(json.loads(value), dict), line
