"""What every request goes through: its id, who is asking."""

from __future__ import annotations

import re
import secrets
import socket
import time
from typing import cast

import flask_smorest
from flask import Flask, Response, current_app
from werkzeug.exceptions import NotFound

from chat_api.services.clients import CallRecord, Client
from chat_api.upstreams.waiting import Caller
from chat_api.web import state as at_hand
from chat_api.web.bodies import BodyParser, is_left_over
from chat_api.web.connections import end_connection
from chat_api.web.state import RequestState, request
from chat_api.web.upstream_headers import pass_on
from chat_api.wiring import Services

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
UNFIT = re.compile(r"[^\x21-\x7e]")
CALLERS_KEY = re.compile(r"Bearer +(sk-[\x21-\x7e]+) *", re.IGNORECASE)
EXTENSION = "chat_api"


def init_app(app: Flask, max_body_bytes: int) -> None:
    """Give each request its id and record, and each reply the headers that all have."""

    def begin() -> None:
        _begin(max_body_bytes)

    app.before_request(begin)
    app.after_request(_end)
    app.teardown_request(_close_lost_stream)


def services() -> Services:
    """What `wiring.build_services` made."""
    return cast(Services, current_app.extensions[EXTENSION])


def current_client() -> Client:
    """Who is asking: the connection, and the key brought along for the upstream."""
    environ, state = request().environ, at_hand.state()
    sock = environ.get("gunicorn.socket")
    bearer = CALLERS_KEY.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    key = bearer[1] if bearer and not state.key_is_ours else None
    caller = Caller(sock if isinstance(sock, socket.socket) else None)
    return Client(caller=caller, owner=state.owner, upstream_key=key, record=state.record)


def preferred_return() -> str | None:
    """What the caller's `Prefer` says of the reply (RFC 7240, 4.2): `minimal`,
    `representation`, or nothing; the first one counts."""
    for preference in request().headers.get("Prefer", "").lower().split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        value = value.strip().strip('"')
        if name.strip() == "return" and value in ("minimal", "representation"):
            return value
    return None


def with_preference(reply: Response, applied: str) -> Response:
    """The reply, which says so where it is what the caller's `Prefer` asked for."""
    if preferred_return() == applied:
        reply.headers["Preference-Applied"] = f"return={applied}"
    return reply


def is_from_openai_client() -> bool:
    """Every OpenAI client sends the first of these, OpenAI's own the second too."""
    environ = request().environ
    return "HTTP_AUTHORIZATION" in environ or "HTTP_X_STAINLESS_LANG" in environ


def _begin(max_body_bytes: int) -> None:
    """Refuses a doubled first slash too, which Werkzeug's routing passes over, and no path at all
    (`GET http://host`), which it redirects."""
    environ = request().environ
    given = environ.get("HTTP_X_REQUEST_ID", "")
    request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
    state = RequestState(request_id, time.monotonic(), CallRecord(request_id=request_id))
    at_hand.begin(state)
    state.leaves_body = is_left_over(environ, max_body_bytes)
    if environ["PATH_INFO"][:2] in ("", "//"):
        raise NotFound


def _end(response: Response) -> Response:
    state = at_hand.state()
    if state.leaves_body:
        end_connection(request().environ)
    headers, record = response.headers, state.record
    headers["X-Request-ID"] = state.request_id
    headers["X-Content-Type-Options"] = "nosniff"
    if record.upstream:
        headers["x-upstream"] = record.upstream
        headers["x-upstream-attempts"] = str(record.attempts)
    if record.dropped_params:
        headers["x-dropped-params"] = ", ".join(record.dropped_params)
    if record.upstream_headers and request().path.startswith("/v1/"):
        pass_on(headers, record)
    if record.alias:
        # Header values are visible ASCII; a reply whose headers are refused is never closed.
        headers["x-model-alias"] = UNFIT.sub("?", record.alias)
    return response


def _close_lost_stream(error: BaseException | None) -> None:
    """A stream whose reply was made and then lost to an error: nobody else would close it."""
    if error is not None and (stream := at_hand.state().stream) is not None:
        stream.close()


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint whose `arguments` are read by `BodyParser`."""

    ARGUMENTS_PARSER = BodyParser()
