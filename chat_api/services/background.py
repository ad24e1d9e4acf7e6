"""Responses that are made while nobody waits, and their events for whoever comes to see."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import structlog

from chat_api.errors import CallerGone, ChatApiError, InvalidRequest, ObjectNotFound
from chat_api.services.clients import CallRecord, Client
from chat_api.services.gateway import Gateway
from chat_api.services.streams import FOREVER
from chat_api.services.turns import Turn, Turns, failure_code
from chat_api.stores.response_base import ResponseStore, StoredResponse
from chat_api.upstreams.base import JsonObject
from chat_api.upstreams.waiting import Caller

RUNNING = ("queued", "in_progress")
LAST = ("response.completed", "response.failed", "response.incomplete")
BEAT_SECONDS = 1.0
"""How often a worker says that its runs are alive, and learns which of them were cancelled."""
ABANDONED_SECONDS = 6.0
"""A run without a beat for so long died with its worker."""
WRITE_SECONDS = 0.1
"""Events are stored in batches, each a transaction: so far behind the upstream others may see
them."""
POLL_SECONDS = 0.1
LOOK_SECONDS = 1.0
"""How often a silent run is looked at: cancelled, deleted, abandoned?"""
MOST_EVENTS = 500

ABANDONED = {"code": "server_error", "message": "The server stopped while it made this response."}

log = structlog.get_logger()


class BackgroundRuns:
    """The runs of this worker. Each has a thread, which gevent's patching makes a greenlet."""

    def __init__(
        self, gateway: Gateway, turns: Turns, store: ResponseStore, *, heartbeat_seconds: float
    ) -> None:
        self._gateway = gateway
        self._turns = turns
        self._store = store
        self._heartbeat_seconds = heartbeat_seconds or FOREVER
        self._runs: dict[str, socket.socket] = {}
        self._lock = threading.Lock()

    def start(self, turn: Turn) -> JsonObject:
        """Begin a response that goes on when its caller has left; what it is then.

        Raises:
            StoreUnavailable: nobody could find it afterwards, so it is not begun.
        """
        queued = turn.response
        first = turn.builder.begin()
        self._store.begin(turn.row)
        self._store.append_events(turn.id, first)
        # The far end is the *caller* whom the upstream's connection watches: closing the near end
        # calls the run off at once, wherever it waits.
        near, far = socket.socketpair()
        with self._lock:
            self._runs[turn.id] = near
            is_first = len(self._runs) == 1
        record = CallRecord(request_id=turn.client.record.request_id)
        client = Client(Caller(far), turn.client.owner, turn.client.upstream_key, record=record)
        threading.Thread(target=self._run, args=(turn, client, far), daemon=True).start()
        if is_first:
            threading.Thread(target=self._beat, daemon=True).start()
        return queued

    def cancel(self, response_id: str, client: Client) -> JsonObject | None:
        """Stop a run, on whichever worker it is; the response as it then stands, None where there
        is none."""
        body = self._store.cancel(response_id, client.owner)
        if body is not None:
            self._call_off(response_id)
        return body

    def settled(self, response_id: str, client: Client) -> StoredResponse | None:
        """A stored response. One whose worker has died is a failed one from now on."""
        found = self._store.get(response_id, client.owner)
        if found is None or found.body["status"] not in RUNNING:
            return found
        if not self._store.fail_abandoned(ABANDONED_SECONDS, ABANDONED):
            return found
        return self._store.get(response_id, client.owner)

    def follow(self, response_id: str, client: Client, after: int) -> EventReplay:
        """The events behind number `after`, -1 for all of them.

        Raises:
            InvalidRequest: there never were so many.
            ObjectNotFound, StoreUnavailable
        """
        events = self._store.events(response_id, client.owner, max(-1, after - 1), 1)
        if after >= 0 and not events:
            text = "`starting_after` is past the last event of this response."
            raise InvalidRequest(text, "starting_after", "invalid_value")
        return EventReplay(self, self._store, response_id, client, after, self._heartbeat_seconds)

    def _run(self, turn: Turn, client: Client, far: socket.socket) -> None:
        record = client.record
        try:
            with far:
                self._answer(turn, client)
        except CallerGone:
            record.outcome = "cancelled"
        except Exception as error:  # a thread's own would be printed, with what is in it
            record.outcome = type(error).__name__
            log.error("background", request_id=record.request_id, error=type(error).__name__)
        finally:
            self._call_off(turn.id)
            log.info(
                "background",
                request_id=record.request_id,
                model=record.model,
                upstream=record.upstream,
                attempts=record.attempts,
                prompt_tokens=record.prompt_tokens,
                completion_tokens=record.completion_tokens,
                outcome=record.outcome,
            )

    def _answer(self, turn: Turn, client: Client) -> None:
        builder, response_id = turn.builder, turn.id
        try:
            events: list[JsonObject] = []
            with contextlib.closing(self._gateway.stream(turn.body, client)) as stream:
                stream.heartbeat_seconds = WRITE_SECONDS  # what came is written in a silence too
                written = time.monotonic()
                for batch in stream:
                    events += [event for chunk in batch for event in builder.feed(chunk.data)]
                    if events and time.monotonic() - written >= WRITE_SECONDS:
                        if not self._store.append_events(response_id, events):
                            return  # cancelled, or deleted
                        events, written = [], time.monotonic()
            events += builder.finish()
            self._turns.keep_in_session(turn)
        except CallerGone:
            raise
        except ChatApiError as failure:
            events += builder.fail(failure_code(failure), str(failure))
        self._store.finish(response_id, builder.response, events)

    def _call_off(self, response_id: str) -> None:
        with self._lock:
            near = self._runs.pop(response_id, None)
        if near is not None:
            near.close()

    def _beat(self) -> None:
        """Until this worker has no run left."""
        while True:
            time.sleep(BEAT_SECONDS)
            with self._lock:
                running = list(self._runs)
            if not running:
                return
            with contextlib.suppress(ChatApiError):  # logged; the next beat may get through
                for gone in set(running) - self._store.beat(running):
                    self._call_off(gone)


class EventReplay:
    """The events of a background response, those that were and those that come; [] while there are
    none. Leaving it stops nothing."""

    def __init__(
        self,
        runs: BackgroundRuns,
        store: ResponseStore,
        response_id: str,
        client: Client,
        after: int,
        heartbeat_seconds: float,
    ) -> None:
        self.record = client.record
        self.heartbeat_seconds = heartbeat_seconds
        self._runs = runs
        self._store = store
        self._id = response_id
        self._client = client
        self._after = after

    def __iter__(self) -> Iterator[list[JsonObject]]:
        look_at = 0.0
        spoke_at = time.monotonic()
        while True:
            if events := self._read():
                yield events
                if events[-1]["type"] in LAST:
                    return
                spoke_at = time.monotonic()
                continue
            now = time.monotonic()
            if now >= look_at:
                look_at = now + LOOK_SECONDS
                if body := self._ended():
                    yield [*self._read(), *self._cancelled(body)]
                    return
            if now - spoke_at >= self.heartbeat_seconds:
                spoke_at = now
                yield []
            self._client.caller.wait(POLL_SECONDS)

    def _read(self) -> list[JsonObject]:
        events = self._store.events(self._id, self._client.owner, self._after, MOST_EVENTS)
        if events is None:
            raise ObjectNotFound("Response", self._id)  # deleted meanwhile
        if events:
            self._after = events[-1]["sequence_number"]
        return events

    def _ended(self) -> JsonObject | None:
        """The response, where it runs no more."""
        found = self._runs.settled(self._id, self._client)
        if found is None:
            raise ObjectNotFound("Response", self._id)
        return None if found.body["status"] in RUNNING else found.body

    def fail(self, error: ChatApiError) -> list[JsonObject]:
        """What is told where the events cannot be read any more. The response goes on."""
        return [
            {
                "type": "error",
                "sequence_number": self._after + 1,
                "code": failure_code(error),
                "message": str(error),
                "param": None,
            }
        ]

    def close(self) -> None:
        """Nothing is open."""

    def _cancelled(self, body: JsonObject) -> list[JsonObject]:
        """The end of a cancelled response. The protocol has no event for it; its object says which
        end it is."""
        if body["status"] != "cancelled":
            return []
        number = self._after + 1
        return [{"type": "response.incomplete", "sequence_number": number, "response": body}]
