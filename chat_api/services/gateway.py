"""The one way to the upstreams: choice, admission, retries, fallback, counting."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from chat_api.errors import ChatApiError
from chat_api.services import choices
from chat_api.services.admission import Admission, Admissions
from chat_api.services.clients import Client
from chat_api.services.fallbacks import PassBy, awake, first_success, open_first
from chat_api.services.health import Health
from chat_api.services.routing import Router, Target
from chat_api.services.streams import ChatStream, Opened, open_stream
from chat_api.services.tries import Tries, Whole
from chat_api.upstreams.base import Call, Completion, Embeddings, JsonObject

FIRST_PIECE_GRACE_SECONDS = 5.0
"""How long a stream waits for its first piece before its headers leave without it."""


class Gateway:
    """Sends chat completions, and texts whose vectors are wanted, to whom they are for.

    Args:
        heartbeat_seconds: longest silence of a stream towards its caller, 0 for no bound.
        most_calls: how many calls may be in flight at once; one for `n` answers counts as `n`.
        strict_params: whether a model's refusal of a parameter is the caller's to see.
    """

    def __init__(
        self,
        router: Router,
        health: Health,
        *,
        heartbeat_seconds: float,
        most_calls: int,
        strict_params: bool = False,
        grace_seconds: float = FIRST_PIECE_GRACE_SECONDS,
    ) -> None:
        self._router = router
        self._health = health
        self._heartbeat_seconds = heartbeat_seconds
        self._tries = Tries(strict_params=strict_params)
        self._grace_seconds = grace_seconds
        self.admissions = Admissions(most_calls)

    def complete(self, body: JsonObject, client: Client) -> Completion:
        """The whole answer to the body of a `POST /chat/completions`.

        Raises:
            ModelNotFound, Overloaded, NoUpstream, UpstreamError, CallerGone
        """
        n = body.get("n") or 1

        def ask(target: Target) -> Completion:
            upstream, call = target.upstream, self._tries.begin(target, body, client)

            def ask_one(call: Call) -> Completion:
                return self._tries.whole(upstream.complete, call, target, client.record)

            if n == 1:
                return ask_one(call)
            return choices.complete(ask_one, call, n, upstream.answers_one_choice)

        return self._first_answer(ask, n, body, client)

    def embed(self, body: JsonObject, client: Client) -> Embeddings:
        """The answer to the body of a `POST /embeddings`. Raises as `complete` does."""

        def ask(target: Target) -> Embeddings:
            call = self._tries.begin(target, body, client)
            return self._tries.whole(target.upstream.embed, call, target, client.record)

        return self._first_answer(ask, 1, body, client)

    def stream(
        self, body: JsonObject, client: Client, admission: Admission | None = None
    ) -> ChatStream:
        """The streamed answer to the body of a `POST /chat/completions`.

        Its first piece is there already, or the grace is over. Raises as `complete` does;
        later failures come from the stream.

        Args:
            admission: of a call that was let in before; from now on the stream's to release.
        """
        began_at = time.monotonic()
        grace_end = began_at + self._grace_seconds
        options = body.get("stream_options") or {}
        body = {**body, "stream": True, "stream_options": {**options, "include_usage": True}}
        n = body.get("n") or 1

        def open_target(target: Target, until: float) -> Opened:
            upstream, call = target.upstream, self._tries.begin(target, body, client)

            def try_once(call: Call) -> Opened:
                return open_stream(upstream, call, until, client.record)

            def open_one(call: Call) -> Opened:
                return self._tries.run(try_once, call, target, client.record, grace_end)

            if n == 1:
                return open_one(call)
            return choices.stream(open_one, call, n, upstream.answers_one_choice, until)

        admitted = admission or self.admissions.admit(n)

        def on_close(failure: ChatApiError | None) -> None:
            admitted.release()
            self._remember(client, failure, began_at)

        try:
            targets = self._targets(body, client)
            if len(targets) == 1:
                events, first = open_target(targets[0], grace_end)
            else:
                pass_by = self._pass_by(client, began_at)
                events, first = open_first(targets, open_target, pass_by, grace_end)
        except ChatApiError as failure:
            on_close(failure)
            raise
        except BaseException:
            admitted.release()
            raise

        if first:
            self._health.speaks(str(client.record.upstream))
        return ChatStream(
            events,
            first,
            record=client.record,
            shows_usage=options.get("include_usage") is True,
            heartbeat_seconds=self._heartbeat_seconds,
            on_close=on_close,
        )

    @property
    def default_model(self) -> str:
        """The model of calls that name none."""
        return self._router.default.default_model

    def check_model(self, model: str | None, client: Client) -> None:
        """Raises: ModelNotFound: nobody answers this client for that name."""
        self._router.route(model, openai_only=client.openai_only)

    def context_tokens(self, model: str | None, client: Client) -> int:
        """How long a conversation may be with everybody who may answer this client for that name.

        Raises:
            ModelNotFound: nobody does.
        """
        targets = self._router.route(model, openai_only=client.openai_only)
        return min(target.upstream.context_tokens for target in targets)

    def _first_answer(
        self, ask: Callable[[Target], Whole], n: int, body: JsonObject, client: Client
    ) -> Whole:
        """What the first target answers that does not fail."""
        began_at = time.monotonic()
        admission = self.admissions.admit(n)
        try:
            targets = self._targets(body, client)
            answer = first_success(targets, ask, self._pass_by(client, began_at))
        except ChatApiError as failure:
            self._remember(client, failure, began_at)
            raise
        finally:
            admission.release()
        self._remember(client, None, began_at)
        client.record.book(answer.data.get("usage"))
        return answer

    def _targets(self, body: JsonObject, client: Client) -> Sequence[Target]:
        """Who is to be asked, one after the other."""
        targets = self._router.route(body.get("model"), openai_only=client.openai_only)
        return awake(targets, self._health)

    def _pass_by(self, client: Client, began_at: float) -> PassBy:
        def pass_by(target: Target, error: ChatApiError) -> None:
            client.record.pass_by(target.upstream.name, error)
            self._health.remember(target.upstream.name, error, began_at)

        return pass_by

    def _remember(self, client: Client, failure: ChatApiError | None, began_at: float) -> None:
        if client.record.upstream is not None:  # somebody was asked
            self._health.remember(client.record.upstream, failure, began_at)
