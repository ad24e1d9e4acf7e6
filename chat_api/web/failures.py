"""Which statuses a route can fail with: said by what it may raise, worked out by its family."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, TypeVar

from marshmallow import Schema
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from chat_api import errors
from chat_api.errors import ChatApiError
from chat_api.schemas.errors import (
    ApiErrorSchema,
    AskErrorSchema,
    OpenAIErrorSchema,
    PlainErrorSchema,
)
from chat_api.web.errors import (
    HTTP_CODES,
    HTTP_TEXTS,
    INVALID,
    TOLD,
    Family,
    Problem,
    ask_error,
    detail_error,
    openai_error,
    plain_error,
)

Failure = type[ChatApiError] | type[HTTPException]
View = TypeVar("View", bound=Callable[..., Any])

A_BODY: tuple[Failure, ...] = (
    errors.InvalidRequest,
    errors.BodyTooSlow,
    errors.UnsupportedMediaType,
    RequestEntityTooLarge,
)
"""What every route that reads a body may raise; `arguments` says it for them."""
A_MODEL_CALL: tuple[Failure, ...] = (
    errors.ModelNotFound,
    errors.Overloaded,
    errors.ServerStopping,
    errors.NoUpstream,
    errors.UpstreamError,
)
"""What everything that asks a model may raise."""
AN_OBJECT: tuple[Failure, ...] = (
    errors.ObjectNotFound,
    errors.InvalidRequest,
    errors.StoreUnavailable,
)
"""What everything that is stored under `/v1` may raise."""
A_SESSION: tuple[Failure, ...] = (errors.SessionNotFound, errors.StoreUnavailable)
A_KEYED_CALL: tuple[Failure, ...] = (
    errors.InvalidRequest,
    errors.IdempotencyKeyReused,
    errors.IdempotencyKeyInUse,
    errors.StoreUnavailable,
)
"""What every route may raise that obeys an `Idempotency-Key`; `idempotent` says it for them."""

ERROR_SCHEMAS: dict[Callable[[Problem], dict[str, Any]], type[Schema]] = {
    openai_error: OpenAIErrorSchema,
    detail_error: ApiErrorSchema,
    ask_error: AskErrorSchema,
    plain_error: PlainErrorSchema,
}

RELAYED = (400, 404, 409, 413, 422)
"""Statuses of an upstream's refusal (see `UpstreamRefused`)."""
CALLERS_KEY = (401, 403)
"""Statuses of its refusal of the caller's own key."""


def may_raise(*failures: Failure) -> Callable[[View], View]:
    """Say what a view may raise, besides what its body, its guard and defects of ours may bring.
    A class stands for its subclasses too. Only written down: nothing is wrapped."""

    def decorator(view: View) -> View:
        view.__dict__["may_raise"] = failures
        return view

    return decorator


def raised_by(view: Callable[..., Any]) -> tuple[Failure, ...]:
    """What `may_raise` was told."""
    found: tuple[Failure, ...] = getattr(view, "may_raise", ())
    return found


def error_responses(failures: tuple[Failure, ...], family: Family) -> dict[str, Any]:
    """OpenAPI's responses for these failures, by status, as this family tells of them."""
    found: dict[int, list[Failure]] = {}
    for failure in dict.fromkeys(kind for given in failures for kind in _kinds(given)):
        for status in sorted(_statuses(failure, family)):
            found.setdefault(status, []).append(failure)
    return {str(status): _response(status, found[status], family) for status in sorted(found)}


def _kinds(failure: Failure) -> Iterator[Failure]:
    """A failure and its subclasses, as far as they are told of."""
    if not issubclass(failure, ChatApiError) or failure in TOLD:
        yield failure
    if issubclass(failure, ChatApiError):
        for kind in failure.__subclasses__():
            yield from _kinds(kind)


def _statuses(failure: Failure, family: Family) -> set[int]:
    """As `web.errors` gives them."""
    if not issubclass(failure, ChatApiError):
        return {failure.code or 500}
    told = TOLD[failure]
    found = {told.relayed_status if family.keeps_statuses else told.plain_status}
    if failure is errors.UpstreamRefused and family.keeps_statuses:
        found.update(RELAYED)
    if failure is errors.UpstreamKeyRefused:
        found.update(CALLERS_KEY)
    return found


def _response(status: int, failures: list[Failure], family: Family) -> dict[str, Any]:
    content = {
        "schema": ERROR_SCHEMAS[family.render],
        "example": family.render(_example(status, failures[0])),
    }
    headers = {"Retry-After": "Retry-After"} if status in (429, 503) else {}
    if errors.IdempotencyKeyInUse in failures:
        headers["retry-after-ms"] = "retry-after-ms"
    if family.render is openai_error and any(_is_upstreams(failure) for failure in failures):
        headers |= {name: name for name in ("Retry-After", "retry-after-ms", "x-should-retry")}
    return {
        "description": " ".join(_sentence(status, failure) for failure in failures),
        "headers": headers,
        "content": {"application/json": content},
    }


def _is_upstreams(failure: Failure) -> bool:
    return issubclass(failure, errors.UpstreamError)


def _example(status: int, failure: Failure) -> Problem:
    if not issubclass(failure, ChatApiError):
        return Problem(HTTP_TEXTS[status], INVALID, None, HTTP_CODES[status])
    callers_own = failure is errors.UpstreamKeyRefused and status in CALLERS_KEY
    told = TOLD[errors.KeyMissing if callers_own else failure]
    return Problem(_sentence(status, failure), told.type, None, told.code, "4bf92f3577b34da6a3ce")


def _sentence(status: int, failure: Failure) -> str:
    """The first sentence of an error's text."""
    if failure is errors.UpstreamKeyRefused:
        whose = "your own" if status in CALLERS_KEY else "the server's"
        return f"The upstream refused {whose} key."
    if not issubclass(failure, ChatApiError):
        return HTTP_TEXTS.get(status, HTTPStatus(status).phrase)
    text = inspect.cleandoc(failure.__doc__ or "").replace("\n", " ")
    return re.split(r"(?<=\.) ", text)[0]
