"""Responses that run in the background, in SQL: the half of `SqlResponseStore` that is theirs.

One runs as long as it has a `beat_at`. Whoever ends it takes that away, in one transaction with
the rest of the end. So there is one end: who comes second finds that it does not run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, or_, select, update

from chat_api.stores.conversation_rows import append_rows, belongs_to
from chat_api.stores.eviction import Room
from chat_api.stores.items import ItemRow, insert_items, packed, rows_of, same, size_of, stored_rows
from chat_api.stores.response_base import JsonObject, ResponseBounds, ResponseRow
from chat_api.stores.response_rows import events_behind, insert_events, insert_response, next_number
from chat_api.stores.schema import response_items, responses
from chat_api.stores.sql import Database

MOST_ABANDONED_AT_ONCE = 100
JOINING = ("completed", "incomplete")
"""Ends after which input and output come into the conversation."""
RUNS = responses.c.beat_at.is_not(None)
HAS_ENDED = responses.c.beat_at.is_(None)


class SqlResponseRuns:
    """Running responses in SQLite or PostgreSQL.

    Args:
        clock: UTC epoch seconds.
    """

    def __init__(
        self, database: Database, bounds: ResponseBounds, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._bounds = bounds
        self._clock = clock
        self._room = Room(responses.c.id, responses.c.last_activity, bounds.most, HAS_ENDED)

    def begin(self, row: ResponseRow, events: Sequence[JsonObject] = ()) -> None:
        """See `ResponseStore.begin`."""
        now = self._clock()
        asked = rows_of(row.input_items, now)

        def work(connection: Connection) -> None:
            self._room.make(connection, self._oldest_activity())
            insert_response(connection, row, asked, (), now, beat_at=now)
            insert_events(connection, row.id, events)

        self._database.write(work)

    def finish(self, response_id: str, body: JsonObject, events: Sequence[JsonObject] = ()) -> bool:
        """See `ResponseStore.finish`."""
        now = self._clock()
        answered = rows_of(body["output"], now)

        def work(connection: Connection) -> bool:
            ended = connection.execute(
                update(responses)
                .where(same(responses.c.id, response_id), RUNS)
                .values(
                    body=packed(body),
                    beat_at=None,
                    last_activity=now,
                    item_count=responses.c.item_count + len(answered),
                    size_bytes=responses.c.size_bytes + size_of(answered),
                )
                .returning(responses.c.owner, responses.c.conversation_id, responses.c.item_count)
            ).first()
            if ended is None:
                return False
            last = ended.item_count
            insert_items(connection, response_items, response_id, answered, last, is_output=True)
            insert_events(connection, response_id, events)
            if ended.conversation_id is not None and body["status"] in JOINING:
                asked_and_answered = stored_rows(connection, response_items, response_id, now)
                self._join(connection, ended.conversation_id, ended.owner, asked_and_answered, now)
            return True

        return self._database.write(work)

    def append_events(self, response_id: str, events: Sequence[JsonObject]) -> bool:
        """See `ResponseStore.append_events`."""
        running = select(responses.c.id).where(same(responses.c.id, response_id), RUNS)

        def work(connection: Connection) -> bool:
            # Held, so that none comes behind an end.
            if connection.scalar(running.with_for_update(read=True)) is None:
                return False
            insert_events(connection, response_id, events)
            return True

        return self._database.write(work)

    def events(
        self, response_id: str, owner: str, after: int, most: int
    ) -> list[JsonObject] | None:
        """See `ResponseStore.events`."""

        def work(connection: Connection) -> list[JsonObject] | None:
            its = select(responses.c.id).where(*self._is(response_id, owner))
            if connection.scalar(its) is None:
                return None
            return events_behind(connection, response_id, after, most)

        return self._database.read(work)

    def beat(self, response_ids: Sequence[str]) -> set[str]:
        """See `ResponseStore.beat`."""
        statement = (
            update(responses)
            .where(responses.c.id.in_(response_ids), RUNS)
            .values(beat_at=self._clock())
            .returning(responses.c.id)
        )
        return self._database.write(lambda c: set(c.scalars(statement)))

    def cancel(self, response_id: str, owner: str) -> JsonObject | None:
        """See `ResponseStore.cancel`."""
        found = select(responses.c.id, responses.c.body, responses.c.beat_at)
        found = found.where(*self._is(response_id, owner)).with_for_update()

        def work(connection: Connection) -> JsonObject | None:
            row = connection.execute(found).first()
            if row is None:
                return None
            if row.beat_at is None:
                ended: JsonObject = orjson.loads(row.body)
                return ended
            return self._end(connection, row, {"status": "cancelled"}, "response.incomplete")

        return self._database.write(work)

    def fail_abandoned(self, silent_seconds: float, error: JsonObject) -> int:
        """See `ResponseStore.fail_abandoned`."""
        silent = responses.c.beat_at <= self._clock() - silent_seconds
        found = select(responses.c.id, responses.c.body).where(silent)
        found = found.order_by(responses.c.beat_at).limit(MOST_ABANDONED_AT_ONCE)
        found = found.with_for_update(skip_locked=True)  # somebody else ends those

        def work(connection: Connection) -> int:
            rows = connection.execute(found).all()
            change = {"status": "failed", "error": error}
            for row in rows:
                self._end(connection, row, change, "response.failed")
            return len(rows)

        return self._database.write(work)

    def _end(
        self, connection: Connection, row: Any, change: JsonObject, last_event: str
    ) -> JsonObject:
        """End a running response without output, its events with one of that type: its body,
        changed."""
        body: JsonObject = {**orjson.loads(row.body), **change}
        values = {"body": packed(body), "beat_at": None, "last_activity": self._clock()}
        connection.execute(update(responses).where(responses.c.id == row.id).values(values))
        number = next_number(connection, row.id)
        event = {"type": last_event, "sequence_number": number, "response": body}
        insert_events(connection, row.id, [event])
        return body

    def _join(
        self,
        connection: Connection,
        conversation_id: str,
        owner: str,
        rows: Sequence[ItemRow],
        now: float,
    ) -> bool:
        """Add items to a conversation; False when it is gone."""
        belongs = belongs_to(owner, self._oldest_activity())
        return append_rows(connection, conversation_id, rows, now, *belongs) is not None

    def _oldest_activity(self) -> float:
        return self._clock() - self._bounds.ttl_seconds

    def _is(self, response_id: str, owner: str) -> tuple[ColumnElement[bool], ...]:
        return same(responses.c.id, response_id), *self._belongs_to(owner)

    def _belongs_to(self, owner: str) -> tuple[ColumnElement[bool], ...]:
        alive = or_(responses.c.last_activity > self._oldest_activity(), RUNS)
        return responses.c.owner == owner, alive
