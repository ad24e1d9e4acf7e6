"""What an OpenAI-compatible upstream's refusals, and the SDK's exceptions, mean to us."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from chat_api.errors import (
    UpstreamBroken,
    UpstreamError,
    UpstreamFailed,
    UpstreamKeyRefused,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)

JUDGED = (400, 404, 409, 413, 422)
KEY_LIKE = re.compile(r"\b(?:sk|rk|pk)-[\w*.-]{8,}")
MAX_TEXT = 4_000
MAX_NAME = 256
SHORTEST_KEY = 8
LONGEST_WAIT_SECONDS = 365 * 86_400.0
# How upstreams name what OpenAI calls `context_length_exceeded`.
CONTEXT_TYPES = ("exceed_context_size_error",)  # llama.cpp
# What llama.cpp says with a 500 though it judges the request, and what of it.
JUDGED_AS_FAILURE = {
    "image input is not supported": "messages",
    "audio input is not supported": "messages",
    "Failed to parse tools": "tools",
    "Failed to parse messages": "messages",
}


def from_status(
    status: int,
    headers: Mapping[str, str],
    body: Any,
    *,
    callers_key: str | None = None,
    keys: Iterable[str | None] = (),
) -> UpstreamError:
    """The error that an HTTP status other than 200 stands for (contract: failures behind us).

    Args:
        headers: names in lower case.
        body: the parsed JSON body, None when it was none.
        callers_key: the caller's own key where it was used.
        keys: keys to be masked wherever the upstream repeats them.
    """
    error = _of_status(status, body, callers_key, keys)
    error.headers = headers
    error.retry_after_seconds = retry_after(headers)
    # 501 and 505 will be no other the next time, and a quota does not come back by waiting.
    if headers.get("x-should-retry") == "false" or status in (501, 505):
        error.retryable = False
        error.is_final = True
    elif status == 429 and not error.retryable:
        error.is_final = True
    return error


def _of_status(
    status: int, body: Any, callers_key: str | None, keys: Iterable[str | None]
) -> UpstreamError:
    if status == 500 and (judged := _judged_as_failure(body, keys)):
        return judged
    if status in JUDGED or status == 429:
        error = _judged(status, body, keys)
        if isinstance(error, UpstreamRateLimited):
            error.callers_own = callers_key is not None
        return error
    if status in (401, 403):
        # OpenAI's words: by these LiteLLM and others know a wrong key from a bad request.
        incorrect = "Incorrect API key provided: the upstream refused it."
        is_wrong = callers_key is not None and status == 401
        text = incorrect if is_wrong else "The upstream refused the key."
        return UpstreamKeyRefused(text, status, callers_key is not None)
    if status in (408, 504):
        return UpstreamTimeout("The upstream took too long.")
    if status in (503, 529):
        return UpstreamOverloaded("The upstream is overloaded. Please try again.")
    if status >= 500:
        return UpstreamFailed("The upstream failed.")
    if 300 <= status < 400:
        return UpstreamBroken("The upstream redirects elsewhere, which is not followed.")
    return UpstreamBroken(f"The upstream answered with status {status}.")


def from_sdk(error: openai.OpenAIError, keys: Iterable[str | None] = ()) -> UpstreamError:
    """The error that an exception of the SDK stands for; `keys` as in `from_status`."""
    if isinstance(error, openai.APIStatusError):
        response = error.response
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = {"error": error.body} if isinstance(error.body, dict) else None
        return from_status(response.status_code, headers, body, keys=keys)
    for foreign, ours, text in SDK_ERRORS:
        if isinstance(error, foreign):
            return ours(text)
    raise TypeError(f"{type(error).__name__} is not in SDK_ERRORS") from error


_ANSWER = "The upstream's answer is not what it should be."
# The first that fits wins: a time-out is a connection error too.
SDK_ERRORS: tuple[tuple[type[Exception], type[UpstreamError], str], ...] = (
    (openai.APITimeoutError, UpstreamTimeout, "The upstream stayed silent for too long."),
    (openai.APIConnectionError, UpstreamUnreachable, "The upstream could not be reached."),
    (openai.APIError, UpstreamBroken, _ANSWER),
    (openai.OpenAIError, UpstreamBroken, _ANSWER),
    # The SDK's webhook error is a ValueError and comes from nothing that is called here.
    (openai.InvalidWebhookSignatureError, UpstreamBroken, _ANSWER),
)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the upstream wants us to wait; None where it says nothing usable.

    `retry-after-ms` is OpenAI's own; `Retry-After` is seconds or a date (RFC 9110, 10.2.3).
    """
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return _bounded(float(headers.get(name, "")) / scale)
        except ValueError:
            pass
    try:
        return _bounded(parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError, OverflowError):
        return None


def _bounded(seconds: float) -> float:
    return max(0.0, min(seconds, LONGEST_WAIT_SECONDS))


def _judged(status: int, body: Any, keys: Iterable[str | None]) -> UpstreamRefused:
    """The upstream's own words on a request that it does not take."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):  # {"error": "text"}, {"message": "text"}, {"detail": …}
        error = {"message": error} if error else body if isinstance(body, dict) else {}
    text = _string(error.get("message")) or _string(error.get("detail"))
    named = [_string(error.get(name)) for name in ("type", "param", "code")]
    kind, param, code = (mask(name, keys)[:MAX_NAME] if name else None for name in named)
    if kind in CONTEXT_TYPES:
        kind, param, code = "invalid_request_error", "messages", "context_length_exceeded"
    found = UpstreamRateLimited if status == 429 else UpstreamRefused
    refused = found(
        mask(text or f"The upstream refused the request ({status}).", keys)[:MAX_TEXT],
        status,
        kind,
        param,
        code,
    )
    # An exhausted quota does not come back by waiting.
    refused.retryable = status == 429 and "insufficient_quota" not in (kind, code)
    return refused


def _judged_as_failure(body: Any, keys: Iterable[str | None]) -> UpstreamRefused | None:
    """The refusal in a body that came with a 500, None where it is none."""
    error = body.get("error") if isinstance(body, dict) else None
    text = _string(error.get("message")) if isinstance(error, dict) else None
    for beginning, param in JUDGED_AS_FAILURE.items():
        if text and text.startswith(beginning):
            told = mask(text, keys)[:MAX_TEXT]
            return UpstreamRefused(told, 400, "invalid_request_error", param)
    return None


def _string(value: Any) -> str | None:
    """A text, or None: some servers give the status as `code`, which says nothing more."""
    return value if isinstance(value, str) and value else None


def mask(text: str, keys: Iterable[str | None]) -> str:
    """The text without keys: those given, and what looks like one."""
    for key in keys:
        if key and len(key) >= SHORTEST_KEY:  # a shorter one would take words apart
            text = text.replace(key, "***")
    return KEY_LIKE.sub("***", text)
