"""Headers of the upstream's that callers on `/v1` get as they came."""

from __future__ import annotations

import re

from werkzeug.datastructures import Headers

from chat_api.errors import ChatApiError, IdempotencyKeyInUse, UpstreamError
from chat_api.services.clients import CallRecord
from chat_api.web.limits import OPENAI_HEADERS

PASSED = ("openai-processing-ms", "openai-version", "openai-organization")
LIMITS = "x-ratelimit-"
# A header with anything else in it would be refused by our own server, and the reply be lost.
FIT = re.compile(r"[\x20-\x7e]{1,256}").fullmatch
SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?").fullmatch


def pass_on(headers: Headers, record: CallRecord) -> None:
    """Add those of the upstream that answered. Its limits are left out where ours are told: two
    of a kind would contradict each other."""
    ours = OPENAI_HEADERS[0] in headers
    for name, value in (record.upstream_headers or {}).items():
        wanted = name in PASSED or (name.startswith(LIMITS) and not ours)
        if wanted and FIT(value):
            headers[name] = value


def advice(error: ChatApiError) -> dict[str, str]:
    """What OpenAI's clients go by when they decide whether and when to ask again. Without
    `x-should-retry` they would multiply our own tries."""
    told: dict[str, str] = {}
    if isinstance(error, IdempotencyKeyInUse):
        told["retry-after-ms"] = str(1000 * error.retry_after_seconds)
    if isinstance(error, UpstreamError):
        wait = (error.headers or {}).get("retry-after-ms", "")
        told |= {"retry-after-ms": wait} if SECONDS(wait) else {}
    if error.is_final:
        told["x-should-retry"] = "false"
    return told
