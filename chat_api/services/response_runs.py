"""Responses that are made while nobody waits."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import socket
import threading
import time
from collections.abc import Callable

import structlog

from chat_api.errors import CallerGone, ChatApiError, InvalidRequest, StoreUnavailable
from chat_api.services.admission import Admission
from chat_api.services.clients import CallRecord, Client
from chat_api.services.finding import there
from chat_api.services.gateway import Gateway
from chat_api.services.kept_streams import within_bounds
from chat_api.services.response_replay import RUNNING, EventReplay
from chat_api.services.response_turns import Turn, Turns, failure_code
from chat_api.stores.response_base import ResponseStore, StoredResponse
from chat_api.upstreams.base import JsonObject
from chat_api.upstreams.waiting import Caller

BEAT_SECONDS = 1.0
"""How often a worker says that its runs are alive, and learns which of them were cancelled."""
ABANDONED_SECONDS = 6.0
"""A run without a beat for so long died with its worker."""
WRITE_SECONDS = 0.1
"""Events are stored in batches, each a transaction: so far behind the upstream others may see
them."""
PAUSE_SECONDS = 0.1
FAREWELL_SECONDS = 1.0
"""For telling the store that a run has failed because its worker leaves."""

ABANDONED = {"code": "server_error", "message": "The server stopped while it made this response."}

log = structlog.get_logger()


class BackgroundRuns:
    """The runs of this worker. Each has a thread, which gevent's patching makes a greenlet."""

    def __init__(
        self,
        gateway: Gateway,
        turns: Turns,
        store: ResponseStore,
        *,
        heartbeat_seconds: float,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        self._gateway = gateway
        self._turns = turns
        self._store = store
        self._heartbeat_seconds = heartbeat_seconds
        self._beat_seconds = beat_seconds
        self.on_end: Callable[[CallRecord], object] = lambda record: None
        """Takes note of a run that has ended: no reply of any request's tells of it."""
        self._runs: dict[str, socket.socket] = {}
        self._beats = False
        self._gives_up = False
        self._lock = threading.Lock()

    def start(self, turn: Turn) -> JsonObject:
        """Begin a response that goes on when its caller has left; what it is then.

        Raises:
            ModelNotFound
            Overloaded: told at once, for the caller to try again; a thread could only fail the
                response, which the caller was told is queued.
            StoreUnavailable: nobody could find it afterwards, so it is not begun.
        """
        self._gateway.check_model(turn.body.get("model"), turn.client)
        admission = self._gateway.admissions.admit()
        try:
            queued = turn.response
            first = turn.builder.begin()
            # Nobody may ever look at those that died with a worker, and running ones make no room.
            self._store.fail_abandoned(ABANDONED_SECONDS, ABANDONED)
            self._store.begin(turn.row, first)
            self._start_thread(turn, admission)
        except BaseException:
            admission.release()
            raise
        return queued

    def cancel(self, response_id: str, client: Client) -> JsonObject | None:
        """Stop a run, on whichever worker it is; the response as it then stands, None where there
        is none."""
        body = self._store.cancel(response_id, client.owner)
        if body is not None:
            self._call_off(response_id)  # where it is this worker's; others learn it by their beat
        return body

    def end(self, seconds: float) -> None:
        """This worker leaves: its runs get so long to end by themselves, the rest have failed."""
        self._wait_for_all(seconds)
        self._gives_up = True
        for response_id in list(self._runs):
            self._call_off(response_id)
        self._wait_for_all(FAREWELL_SECONDS)

    def settled(self, response_id: str, client: Client) -> StoredResponse | None:
        """A stored response. One whose worker has died is a failed one from now on."""
        found = self._store.get(response_id, client.owner)
        if found is None or found.body["status"] not in RUNNING:
            return found
        if not self._store.fail_abandoned(ABANDONED_SECONDS, ABANDONED):
            return found
        return self._store.get(response_id, client.owner)

    def follow(
        self, response_id: str, client: Client, after: int = -1, *, is_padded: bool = True
    ) -> EventReplay:
        """The events behind number `after`, -1 for all of them; unless `is_padded` without the
        padding that they may have.

        Raises:
            InvalidRequest: there never were so many.
            ObjectNotFound, StoreUnavailable
        """
        last = self._store.events(response_id, client.owner, max(-1, after - 1), 1)
        if not there(last, "Response", response_id) and after >= 0:
            text = "`starting_after` is past the last event of this response."
            raise InvalidRequest(text, "starting_after", "invalid_value")
        read = functools.partial(self._store.events, response_id, client.owner)
        look = functools.partial(self.settled, response_id, client)
        heartbeat = self._heartbeat_seconds
        return EventReplay(read, look, client, after, heartbeat, is_padded=is_padded)

    def _start_thread(self, turn: Turn, admission: Admission) -> None:
        # The far end is the *caller* whom the upstream's connection watches: closing the near end
        # calls the run off at once, wherever it waits.
        near, far = socket.socketpair()
        with self._lock:
            self._runs[turn.id] = near
            beats, self._beats = self._beats, True
        record = CallRecord(request_id=turn.client.record.request_id)
        client = dataclasses.replace(turn.client, caller=Caller(far), record=record)
        run = functools.partial(self._run, turn, client, far, admission)
        threading.Thread(target=run, daemon=True).start()
        if not beats:
            threading.Thread(target=self._beat, daemon=True).start()

    def _run(self, turn: Turn, client: Client, far: socket.socket, admission: Admission) -> None:
        record = client.record
        try:
            with far:
                self._answer(turn, client, admission)
        except Exception as error:  # a thread's own would be printed, with what is in it
            record.outcome = type(error).__name__
            log.error("background", request_id=record.request_id, error=record.outcome)
        finally:
            admission.release()  # where it came to no stream
            self.on_end(record)
            with self._lock:
                self._runs.pop(turn.id).close()
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

    def _answer(self, turn: Turn, client: Client, admission: Admission) -> None:
        builder = turn.builder
        pending: list[JsonObject] = []  # events that are not stored yet
        try:
            opened = self._gateway.stream(turn.streamed_body, client, admission)
            with contextlib.closing(opened) as stream:
                stream.heartbeat_seconds = WRITE_SECONDS  # what came is written in a silence too
                written = time.monotonic()
                for batch in within_bounds(stream):
                    pending += [event for chunk in batch for event in builder.feed(chunk.data)]
                    if pending and time.monotonic() - written >= WRITE_SECONDS:
                        if not self._write(turn, pending):
                            return  # cancelled, or deleted
                        written = time.monotonic()
            pending += builder.finish()
            self._turns.keep_in_session(turn)
            pending += builder.end()
        except CallerGone:
            client.record.outcome = "cancelled"
            if not self._gives_up:
                return
            pending += builder.fail(**ABANDONED)
        except ChatApiError as failure:
            client.record.outcome = type(failure).__name__
            pending += builder.fail(failure_code(failure), str(failure))
        self._finish(turn, pending)

    def _write(self, turn: Turn, pending: list[JsonObject]) -> bool:
        """Store the events that came. While the store is away they wait for the next try: the
        answer is paid for. False when the response does not run any more."""
        with contextlib.suppress(StoreUnavailable):
            if not self._store.append_events(turn.id, pending):
                return False
            pending.clear()
        return True

    def _finish(self, turn: Turn, pending: list[JsonObject]) -> None:
        """Store the end. A store that is away may come back before others give the run up."""
        until = time.monotonic() + ABANDONED_SECONDS
        while True:
            try:
                self._store.finish(turn.id, turn.response, pending)
                return
            except StoreUnavailable:
                if self._gives_up or time.monotonic() > until:
                    raise
                time.sleep(PAUSE_SECONDS)

    def _call_off(self, response_id: str) -> None:
        with self._lock:
            near = self._runs.get(response_id)
        if near is not None:
            near.close()

    def _wait_for_all(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._runs and time.monotonic() < until:
            time.sleep(PAUSE_SECONDS)

    def _beat(self) -> None:
        """Until this worker has no run left."""
        while True:
            time.sleep(self._beat_seconds)
            with self._lock:
                running = list(self._runs)
                self._beats = bool(running)
            if not running:
                return
            with contextlib.suppress(ChatApiError):  # logged; the next beat may get through
                for gone in set(running) - self._store.beat(running):
                    self._call_off(gone)
