"""The one way to the upstreams: choice, admission, retries, counting."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from chat_api.errors import (
    CallerGone,
    ChatApiError,
    Overloaded,
    UpstreamError,
    UpstreamKeyRefused,
    UpstreamRefused,
)
from chat_api.services import choices
from chat_api.services.clients import CallRecord, Client
from chat_api.services.models import Choice, Models
from chat_api.services.retries import with_retries
from chat_api.services.streams import ChatStream, Opened, open_stream
from chat_api.upstreams.base import (
    Call,
    Completion,
    JsonObject,
    Upstream,
)

FIRST_PIECE_GRACE_SECONDS = 5.0
"""How long a stream waits for its first piece before its headers leave without it."""

FAILURE_SECONDS = 30.0
"""How long a failed call makes an upstream look down."""

T = TypeVar("T")


class Gateway:
    """Sends chat completions to whom they are for.

    Args:
        openai_models: makes, or finds, the models of the one upstream that keys in the body are
            for.
        heartbeat_seconds: longest silence of a stream towards its caller, 0 for no bound.
        most_calls: how many calls may be in flight at once; one for `n` answers counts as `n`.
    """

    def __init__(
        self,
        models: Models,
        openai_models: Callable[[], Models],
        *,
        heartbeat_seconds: float,
        most_calls: int,
        grace_seconds: float = FIRST_PIECE_GRACE_SECONDS,
    ) -> None:
        self._models = models
        self._openai_models = openai_models
        self._heartbeat_seconds = heartbeat_seconds
        self._most_calls = most_calls
        self._grace_seconds = grace_seconds
        self.in_flight = 0
        """Answers that were admitted and have not ended."""
        self._failures: dict[str, tuple[UpstreamError, float]] = {}

    def complete(self, body: JsonObject, client: Client) -> Completion:
        """The whole answer to the body of a `POST /chat/completions`, which is changed.

        Raises:
            ModelNotFound, Overloaded, NoUpstream, UpstreamError, CallerGone
        """
        choice, call = self._prepare(body, client)
        upstream, n = choice.upstream, body.get("n") or 1

        def ask(call: Call) -> Completion:
            return self._with_retries(upstream.complete, call, upstream, client.record)

        self._admit(n)
        try:
            if n == 1:
                completion = ask(call)
            else:
                completion = choices.complete(ask, call, n, upstream.answers_one_choice)
        finally:
            self._release(n)
        self._remember(upstream, None)
        client.record.book(completion.data.get("usage"))
        return completion

    def stream(self, body: JsonObject, client: Client) -> ChatStream:
        """The streamed answer to the body of a `POST /chat/completions`, which is changed.

        Its first piece is there already, or the grace is over. Raises as `complete` does;
        later failures come from the stream.
        """
        grace_end = time.monotonic() + self._grace_seconds
        options = body.get("stream_options") or {}
        body["stream"] = True
        body["stream_options"] = {**options, "include_usage": True}
        choice, call = self._prepare(body, client)
        upstream, n = choice.upstream, body.get("n") or 1

        def try_once(call: Call) -> Opened:
            return open_stream(upstream, call, grace_end)

        def open_one(call: Call) -> Opened:
            return self._with_retries(try_once, call, upstream, client.record, grace_end)

        self._admit(n)
        try:
            if n == 1:
                events, first = open_one(call)
            else:
                one_each = upstream.answers_one_choice
                events, first = choices.stream(open_one, call, n, one_each, grace_end)
        except BaseException:
            self._release(n)
            raise

        def on_close(failure: ChatApiError | None) -> None:
            self._release(n)
            self._remember(upstream, failure)

        return ChatStream(
            events,
            first,
            record=client.record,
            shows_usage=options.get("include_usage") is True,
            heartbeat_seconds=self._heartbeat_seconds,
            on_close=on_close,
        )

    def context_tokens(self, model: str | None, client: Client) -> int:
        """How long a conversation may be with who answers this client for that name.

        Raises:
            ModelNotFound: nobody does.
        """
        return self._choose(model, client).upstream.context_tokens

    def readiness(self) -> tuple[bool, str]:
        """Whether the upstream answered when it was last asked, and a word on it. Asks nobody: a
        failure is forgotten after a while, since who is sent no calls can show no success."""
        upstream = self._models.upstream
        if not upstream.is_set_up:
            return False, "none is set up"
        failure, since = self._failures.get(upstream.name, (None, 0.0))
        if failure and time.monotonic() - since < FAILURE_SECONDS:
            return False, str(failure)
        return True, upstream.name

    def _choose(self, model: str | None, client: Client) -> Choice:
        models = self._openai_models() if client.openai_only else self._models
        return models.choose(model)

    def _prepare(self, body: JsonObject, client: Client) -> tuple[Choice, Call]:
        choice = self._choose(body.get("model"), client)
        body["model"] = choice.model
        record = client.record
        record.model, record.alias = choice.model, choice.alias
        record.upstream = choice.upstream.name
        key = client.upstream_key if choice.upstream.accepts_caller_keys else None
        return choice, Call(body, client.caller, key)

    def _with_retries(
        self,
        attempt: Callable[[Call], T],
        call: Call,
        upstream: Upstream,
        record: CallRecord,
        until: float = float("inf"),
    ) -> T:
        """Retry, count the tries, and remember failures."""

        def counted() -> T:
            record.attempts += 1
            return attempt(call)

        try:
            return with_retries(
                counted,
                call.caller.wait,
                first_pause_seconds=upstream.retry_pause_seconds,
                until=until,
            )
        except UpstreamError as error:
            self._remember(upstream, error)
            raise

    def _remember(self, upstream: Upstream, error: ChatApiError | None) -> None:
        """How the upstream does, by what the last call showed."""
        judged = isinstance(error, UpstreamRefused) or (
            isinstance(error, UpstreamKeyRefused) and error.callers_own
        )
        if isinstance(error, UpstreamError) and not judged:
            self._failures[upstream.name] = (error, time.monotonic())
        elif not isinstance(error, CallerGone):  # who left early learned nothing
            self._failures.pop(upstream.name, None)

    def _admit(self, n: int) -> None:
        """Let a call in that wants `n` answers: it counts for as many, since each may take a call
        upstream. One that is alone is let in however many it wants."""
        if self.in_flight and self.in_flight + n > self._most_calls:
            raise Overloaded("This server has all hands full. Please try again.")
        self.in_flight += n

    def _release(self, n: int) -> None:
        self.in_flight -= n
