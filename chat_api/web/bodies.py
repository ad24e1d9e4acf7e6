"""JSON bodies, and queries: what is read of them, what is refused, and what becomes of bodies that
nobody reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, cast

from flask import Request, current_app
from gunicorn.http.errors import ParseException
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from chat_api.errors import BodyTooSlow, InvalidRequest, UnsupportedMediaType
from chat_api.schemas.fields import REQUIRED
from chat_api.web.field_paths import error_path
from chat_api.web.json_objects import object_of
from chat_api.web.state import request, state

MOST_LEFT_BYTES = 65_536
"""Of a body that nobody read: more is not read for the sake of keeping its connection."""


def is_left_over(environ: Mapping[str, Any], limit: int) -> bool:
    """Whether a request brings a body that must not be read to its end just because nobody wants
    it (without a key, on a path that is none): it is large, or how large is not known, or it may
    never come, since who expects to be asked for it and is refused need not send it.

    Raises:
        RequestEntityTooLarge: it declares itself larger than the limit, whatever is asked.
    """
    length = environ.get("CONTENT_LENGTH") or "0"
    size = int(length) if length.isdecimal() else 0
    if size > limit:
        raise RequestEntityTooLarge
    if "HTTP_TRANSFER_ENCODING" in environ or "HTTP_EXPECT" in environ:
        return True
    return size > MOST_LEFT_BYTES


def needs_body(schema: Schema | type[Schema]) -> bool:
    """Whether a field is required. Where none is, no body is fine: `curl -X POST` sends none,
    and no type."""
    loader = schema() if isinstance(schema, type) else schema
    return any(field.required for field in loader.fields.values())


class BodyParser:
    """Loads the JSON body, or the query, into the view's next argument. Stands in for webargs'
    parser, which costs more than the rest of the request; flask-smorest documents it all the
    same."""

    DEFAULT_VALIDATION_STATUS = 400

    def use_args(
        self, schema: type[Schema], *, location: str = "json", **_: Any
    ) -> Callable[[Callable[..., Any]], Any]:
        """A decorator for views."""
        loader = schema()
        if location == "query":
            return _with_query(loader)
        may_be_empty = not needs_body(loader)

        def decorator(view: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(view)
            def wrapper(**path: Any) -> Any:
                return view(_load(loader, may_be_empty), **path)

            return wrapper

        return decorator


def _with_query(loader: Schema) -> Callable[[Callable[..., Any]], Any]:
    def decorator(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def wrapper(*loaded: Any, **path: Any) -> Any:
            return view(*loaded, _checked(loader, _query()), **path)

        return wrapper

    return decorator


def _query() -> dict[str, Any]:
    """The query's values by name, the first of each; `name[key]=value` makes an object."""
    found: dict[str, Any] = {}
    for name, value in request().args.items():
        outer, opened, key = name.partition("[")
        if opened and key.endswith("]"):
            inside = found.setdefault(outer, {})
            if isinstance(inside, dict):
                inside[key[:-1]] = value
        else:
            found[name] = value
    return found


def _load(schema: Schema, may_be_empty: bool) -> dict[str, Any]:
    asked = request()
    given = {} if may_be_empty and _has_no_body(asked) else _read_object(asked)
    return _checked(schema, given)


def _checked(schema: Schema, given: dict[str, Any]) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], schema.load(given))
    except ValidationError as error:
        raise _invalid(error) from None


def _has_no_body(asked: Request) -> bool:
    return not asked.content_length and "HTTP_TRANSFER_ENCODING" not in asked.environ


def _read_object(asked: Request) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        UnsupportedMediaType, InvalidRequest, BodyTooSlow
        RequestEntityTooLarge: over the limit; the connection is then closed.
    """
    kind = asked.mimetype
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType("The body must be JSON: send `Content-Type: application/json`.")
    return object_of(_read_body(asked, current_app.config["SETTINGS"].max_body_bytes))


def _read_body(asked: Request, limit: int) -> bytes:
    """The bytes of the body; refused as soon as the limit is passed. (Werkzeug's own limit takes
    a chunked body that is too long for one that ended.)"""
    pieces: list[bytes] = []
    size = 0
    here, whole = state(), asked.content_length
    # A server that ends the stream where the body ends says so; others need Werkzeug's care.
    ends = asked.environ.get("wsgi.input_terminated")
    body = asked.environ["wsgi.input"] if ends else asked.stream
    try:
        while size <= limit and size != whole and (piece := body.read(limit + 1)):
            pieces.append(piece)
            size += len(piece)
    except TimeoutError as error:  # of `web.timed_socket`
        here.leaves_body = True
        raise BodyTooSlow("The body came too slowly.") from error
    except (OSError, ParseException) as error:  # cut short, or badly chunked
        here.leaves_body = True
        raise InvalidRequest("The body did not come whole.") from error
    here.leaves_body = size > limit or size < (whole or 0)
    if size > limit:
        raise RequestEntityTooLarge
    if here.leaves_body:  # the caller's end came first (RFC 9112, 8)
        raise InvalidRequest("The body did not come whole.")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _invalid(error: ValidationError) -> InvalidRequest:
    """The first thing that is wrong, with its path as OpenAI writes it."""
    found: Any = error.messages
    keys = []
    while isinstance(found, dict):
        key, found = next(iter(found.items()))
        keys.append(key)
    path = error_path(keys)
    text = found[0] if isinstance(found, list) else str(found)
    code = "missing_required_parameter" if text == REQUIRED else "invalid_value"
    return InvalidRequest(f"`{path}` {text}", path, code)
