"""Asking one target, as often as it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from chat_api.errors import UpstreamRefused
from chat_api.services.clients import CallRecord, Client
from chat_api.services.parameters import MOST_CHANGES, Parameters
from chat_api.services.retries import with_retries
from chat_api.services.routing import Target
from chat_api.upstreams.base import Call, Completion, Embeddings, JsonObject

T = TypeVar("T")
Whole = TypeVar("Whole", Completion, Embeddings)


class Tries:
    """Makes calls to targets, and repeats them where that may help.

    Args:
        strict_params: whether a model's refusal of a parameter is the caller's to see.
    """

    def __init__(self, *, strict_params: bool) -> None:
        self._parameters = Parameters(is_strict=strict_params)

    def begin(self, target: Target, body: JsonObject, client: Client) -> Call:
        """The call to a target; the record says that it is the one who is asked."""
        upstream, record = target.upstream, client.record
        record.model, record.alias, record.upstream = target.model, target.alias, upstream.name
        record.upstream_headers = None
        key = client.upstream_key if upstream.accepts_caller_keys else None
        fitted = self._parameters.fitted({**body, "model": target.model}, upstream, record)
        return Call(fitted, client.caller, key)

    def whole(
        self, attempt: Callable[[Call], Whole], call: Call, target: Target, record: CallRecord
    ) -> Whole:
        """A whole answer; the record gets the headers that came with it."""
        answer = self.run(attempt, call, target, record)
        record.upstream_headers = answer.headers
        return answer

    def run(
        self,
        attempt: Callable[[Call], T],
        call: Call,
        target: Target,
        record: CallRecord,
        until: float = float("inf"),
    ) -> T:
        """Retry, and count the tries. What the model refuses is left out and it is asked anew: a
        refusal costs nothing, and is no failure that might pass by waiting.

        Args:
            until: a moment of `time.monotonic()` behind which no try begins.
        """

        def counted() -> T:
            nonlocal call
            for _ in range(MOST_CHANGES):
                record.attempts += 1
                try:
                    return attempt(call)
                except UpstreamRefused as refusal:
                    call = self._parameters.adapted(call, target.upstream, refusal, record)
            record.attempts += 1
            return attempt(call)

        return with_retries(
            counted,
            call.caller.wait,
            first_pause_seconds=target.upstream.retry_pause_seconds,
            until=until,
        )
