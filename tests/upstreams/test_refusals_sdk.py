"""Every exception of the SDK is one of ours. A new one fails here by its name."""

from __future__ import annotations

import inspect
from typing import Any

import httpx2
import openai
import openai._exceptions
import pytest

from chat_api import errors
from chat_api.upstreams.refusals import SDK_ERRORS, from_sdk

REQUEST = httpx2.Request("GET", "http://upstream.test/v1/models")
ARGUMENTS: dict[str, Any] = {
    "message": "Words.",
    "request": REQUEST,
    "body": {"message": "Words.", "type": "t"},
    "completion": openai.types.chat.ChatCompletion.construct(usage=None),
    "unsent_messages": [],
}
EXPECTED: dict[str, type[errors.UpstreamError]] = {
    "OpenAIError": errors.UpstreamBroken,
    "APIError": errors.UpstreamBroken,
    "APIResponseValidationError": errors.UpstreamBroken,
    "APIStatusError": errors.UpstreamFailed,
    "APIConnectionError": errors.UpstreamUnreachable,
    "APITimeoutError": errors.UpstreamTimeout,
    "BadRequestError": errors.UpstreamRefused,
    "AuthenticationError": errors.UpstreamKeyRefused,
    "OAuthError": errors.UpstreamKeyRefused,
    "PermissionDeniedError": errors.UpstreamKeyRefused,
    "NotFoundError": errors.UpstreamRefused,
    "ConflictError": errors.UpstreamRefused,
    "UnprocessableEntityError": errors.UpstreamRefused,
    "RateLimitError": errors.UpstreamRateLimited,
    "InternalServerError": errors.UpstreamFailed,
    "LengthFinishReasonError": errors.UpstreamBroken,
    "ContentFilterFinishReasonError": errors.UpstreamBroken,
    "InvalidWebhookSignatureError": errors.UpstreamBroken,
    "SubjectTokenProviderError": errors.UpstreamBroken,
    "WebSocketConnectionClosedError": errors.UpstreamBroken,
    "WebSocketQueueFullError": errors.UpstreamBroken,
}
CORE = ("openai", "openai._exceptions")
OTHERS = errors.UpstreamBroken
"""What subclasses elsewhere in the package become: they come from nothing that is called here."""


def subclasses(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


def exceptions_of_the_sdk() -> list[type[Exception]]:
    named = [*vars(openai._exceptions).values(), *vars(openai).values()]
    kinds = [kind for kind in named if isinstance(kind, type) and issubclass(kind, Exception)]
    found = set().union(*(subclasses(kind) for kind in kinds))
    ours = {kind for kind in found if kind.__module__.partition(".")[0] == "openai"}
    return sorted(ours, key=lambda kind: (kind.__module__, kind.__name__))


def instance_of(kind: type[Exception]) -> Any:
    """One of them, by the arguments that its constructor asks for. Those of the SDK's helpers,
    which bring results of theirs, are made without it."""
    if kind.__module__ not in CORE:
        return kind.__new__(kind)
    status = getattr(kind, "status_code", 500)
    values = {**ARGUMENTS, "response": httpx2.Response(status, request=REQUEST)}
    if kind.__init__ in (Exception.__init__, ValueError.__init__):
        return kind("Words.")
    parameters = inspect.signature(kind).parameters.values()
    needed = [item for item in parameters if item.default is item.empty]
    unknown = [item.name for item in needed if item.name not in values]
    assert not unknown, f"{kind.__name__} wants {unknown}: teach this test how to make it"
    positional = [values[item.name] for item in needed if item.kind is item.POSITIONAL_OR_KEYWORD]
    named = {item.name: values[item.name] for item in needed if item.kind is item.KEYWORD_ONLY}
    return kind(*positional, **named)


def test_each_exception_is_one_of_ours() -> None:
    """All in one test: finding them loads the whole SDK, which no collection of tests should."""
    found = exceptions_of_the_sdk()
    core = {kind.__name__ for kind in found if kind.__module__ in CORE}
    new = {name for name in core - set(EXPECTED) if not name.startswith("_")}
    assert not new, "decide what they mean to us"
    assert set(EXPECTED) <= {kind.__name__ for kind in found}
    for kind in found:
        ours = from_sdk(instance_of(kind))
        assert type(ours) is EXPECTED.get(kind.__name__, OTHERS), kind
        assert "upstream" in str(ours).lower() or str(ours) == "Words.", kind


def test_the_table_holds_no_exception_twice() -> None:
    kinds = [kind for kind, _, _ in SDK_ERRORS]
    assert len(kinds) == len(set(kinds))


def test_what_is_not_mapped_is_a_defect_that_names_itself() -> None:
    class NovelError(Exception):
        pass

    with pytest.raises(TypeError, match="NovelError"):
        from_sdk(NovelError())  # type: ignore[arg-type]


def test_a_status_error_keeps_the_upstreams_words_and_wait() -> None:
    body = {"message": "Slow down.", "type": "t", "param": None, "code": "rate_limit_exceeded"}
    response = httpx2.Response(
        429, request=REQUEST, headers={"Retry-After": "3"}, json={"error": body}
    )
    error = from_sdk(openai.RateLimitError("x", response=response, body=body))
    assert isinstance(error, errors.UpstreamRateLimited)
    found = (str(error), error.status, error.type, error.code, error.retry_after_seconds)
    assert found == ("Slow down.", 429, "t", "rate_limit_exceeded", 3.0)
    assert error.retryable
