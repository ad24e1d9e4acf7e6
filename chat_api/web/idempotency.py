"""`Idempotency-Key`: a call that is made again gets the first one's reply."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from flask import Response, make_response

from chat_api.errors import ChatApiError, InvalidRequest, UpstreamError
from chat_api.services.idempotency import KEPT_REFUSALS
from chat_api.web.errors import TOLD, error_reply
from chat_api.web.requests import current_client, services
from chat_api.web.state import request

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY = r"[\x21-\x7e]{1,255}"
_IS_KEY = re.compile(KEY).fullmatch

View = Callable[..., Any]


def idempotent(view: View) -> View:
    """A view that obeys the header: the decorator next to it, so that it is given what was loaded.
    A stream cannot be told again, so with `stream` the header says nothing."""

    @wraps(view)
    def wrapper(*body: Any, **path: Any) -> Any:
        key = request().environ.get("HTTP_IDEMPOTENCY_KEY")
        if key is None:
            return view(*body, **path)
        if not _IS_KEY(key):
            text = f"`{HEADER}` must have 1 to 255 visible ASCII characters."
            raise InvalidRequest(text, HEADER, "invalid_value")
        if body and body[0].get("stream"):
            return view(*body, **path)
        return _once(key, body, lambda: make_response(view(*body, **path)))

    wrapper.__dict__["is_idempotent"] = True
    return wrapper


def is_idempotent(view: View) -> bool:
    """Whether a view obeys the header."""
    return getattr(view, "is_idempotent", False)


def _once(key: str, body: tuple[Any, ...], answer: Callable[[], Response]) -> Response:
    made: list[Response] = []

    def work() -> tuple[int, str, bytes]:
        response = _judged(answer)
        made.append(response)
        return response.status_code, response.content_type, response.get_data()

    client, asked = current_client(), request()
    # Two callers with keys of their own are two, also where this server wants none.
    scope = _digest(client.owner, client.upstream_key, asked.method, asked.path, key)
    reply, is_replayed = services().idempotency.once(scope, _digest(*body), work, client.caller)
    if not is_replayed:
        return made[0]
    again = Response(reply.body, reply.status, content_type=reply.content_type)
    again.headers[REPLAYED] = "true"
    return again


def _judged(answer: Callable[[], Response]) -> Response:
    """The answer; a refusal of ours is one, since the same request would be refused again."""
    try:
        return answer()
    except UpstreamError:
        raise
    except ChatApiError as error:
        if TOLD[type(error)].relayed_status not in KEPT_REFUSALS:
            raise
        return error_reply(error)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
