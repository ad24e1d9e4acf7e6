"""What every request goes through: its id, its body, who is asking."""

from __future__ import annotations

import re
import socket
import time
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import flask_smorest
import orjson
from flask import Flask, Response, current_app, g, request
from gunicorn.http.errors import ParseException
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import NotFound, RequestEntityTooLarge

from chat_api.errors import InvalidRequest, UnsupportedMediaType
from chat_api.schemas.fields import REQUIRED
from chat_api.services.clients import CallRecord, Client
from chat_api.upstreams.waiting import Caller
from chat_api.web.connections import end_connection
from chat_api.wiring import Services

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
UNFIT = re.compile(r"[^\x21-\x7e]")
CALLERS_KEY = re.compile(r"Bearer +(sk-[\x21-\x7e]+) *", re.IGNORECASE)
MOST_DEPTH = 100
EXTENSION = "chat_api"


def init_app(app: Flask) -> None:
    """Give each request its id and record, and each reply the headers that all have."""
    app.before_request(_begin)
    app.after_request(_add_headers)
    app.teardown_request(_close_lost_stream)


def services() -> Services:
    """What `wiring.build_services` made."""
    return cast(Services, current_app.extensions[EXTENSION])


def current_client() -> Client:
    """Who is asking: the connection, and the key brought along for the upstream."""
    sock = request.environ.get("gunicorn.socket")
    bearer = CALLERS_KEY.fullmatch(request.headers.get("Authorization", ""))
    key = bearer[1] if bearer and not g.get("key_is_ours") else None
    caller = Caller(sock if isinstance(sock, socket.socket) else None)
    return Client(caller=caller, owner=g.get("owner", ""), upstream_key=key, record=g.record)


def preferred_return() -> str | None:
    """What the caller's `Prefer` says of the reply (RFC 7240, 4.2): `minimal`,
    `representation`, or nothing; the first one counts."""
    for preference in request.headers.get("Prefer", "").lower().split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        value = value.strip().strip('"')
        if name.strip() == "return" and value in ("minimal", "representation"):
            return value
    return None


def _begin() -> None:
    """Refuses a doubled first slash too, which Werkzeug's routing passes over."""
    g.started = time.monotonic()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    g.record = CallRecord(request_id=g.request_id)
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-ID"] = g.request_id
    headers["X-Content-Type-Options"] = "nosniff"
    record = g.record
    if record.upstream:
        headers["x-upstream"] = record.upstream
        headers["x-upstream-attempts"] = str(record.attempts)
    if record.alias:
        # Header values are visible ASCII; a reply whose headers are refused is never closed.
        headers["x-model-alias"] = UNFIT.sub("?", record.alias)
    return response


def _close_lost_stream(error: BaseException | None) -> None:
    """A stream whose reply was made and then lost to an error: nobody else would close it."""
    if error is not None and "stream" in g:
        g.stream.close()


def needs_body(schema: Schema | type[Schema]) -> bool:
    """Whether a field is required. Where none is, no body is fine: `curl -X POST` sends none,
    and no type."""
    loader = schema() if isinstance(schema, type) else schema
    return any(field.required for field in loader.fields.values())


class BodyParser:
    """Loads the JSON body into the view's first argument. Stands in for webargs' parser, which
    costs more than the rest of the request; flask-smorest documents it all the same."""

    DEFAULT_VALIDATION_STATUS = 400

    def use_args(self, schema: type[Schema], **_: Any) -> Callable[[Callable[..., Any]], Any]:
        """A decorator for views."""
        loader = schema()
        may_be_empty = not needs_body(loader)

        def decorator(view: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(view)
            def wrapper(**path: Any) -> Any:
                return view(_load(loader, may_be_empty), **path)

            return wrapper

        return decorator


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint whose `arguments` are read by `BodyParser`."""

    ARGUMENTS_PARSER = BodyParser()


def _load(schema: Schema, may_be_empty: bool) -> dict[str, Any]:
    has_no_body = not request.content_length and "Transfer-Encoding" not in request.headers
    given = {} if may_be_empty and has_no_body else _read_object()
    try:
        return cast(dict[str, Any], schema.load(given))
    except ValidationError as error:
        raise _invalid(error) from None


def _read_object() -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        UnsupportedMediaType, InvalidRequest
        RequestEntityTooLarge: over the limit; the connection is then closed.
    """
    kind = request.mimetype
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType("The body must be JSON: send `Content-Type: application/json`.")
    raw = _read_body(current_app.config["SETTINGS"].max_body_bytes)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # orjson refuses NaN, lone surrogates and numbers beyond a double by itself.
        raise InvalidRequest(f"The body is not valid JSON: {error}.", code="invalid_json") from None
    if type(value) is not dict:
        raise InvalidRequest("The body must be a JSON object.")
    if raw.count(b"{") + raw.count(b"[") > MOST_DEPTH:
        _check_depth(value)
    return value


def _read_body(limit: int) -> bytes:
    """The bytes of the body; refused before it is read where its length is declared, else as
    soon as the limit is passed. (Werkzeug's own limit takes a chunked body that is too long
    for one that ended.)"""
    pieces: list[bytes] = []
    size = request.content_length or 0
    try:
        while size <= limit and (piece := request.stream.read(limit + 1)):
            pieces.append(piece)
            size = sum(map(len, pieces))
    except (OSError, ParseException) as error:  # cut short, or badly chunked
        end_connection(request.environ)
        raise InvalidRequest("The body did not come whole.") from error
    if size > limit:
        end_connection(request.environ)
        raise RequestEntityTooLarge
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _check_depth(value: dict[str, Any]) -> None:
    """Level by level, since recursion is what deep nesting breaks."""
    level: list[Any] = [value]
    for _ in range(MOST_DEPTH):
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise InvalidRequest(f"The body is nested deeper than {MOST_DEPTH} levels.")


def _invalid(error: ValidationError) -> InvalidRequest:
    """The first thing that is wrong, with its path as OpenAI writes it."""
    found: Any = error.messages
    path = ""
    while isinstance(found, dict):
        key, found = next(iter(found.items()))
        path += f"[{key}]" if isinstance(key, int) else f".{key}" if path else str(key)
    text = found[0] if isinstance(found, list) else str(found)
    code = "missing_required_parameter" if text == REQUIRED else "invalid_value"
    return InvalidRequest(f"`{path}` {text}", path, code)
