"""Replies kept for calls that are made again, in SQL. See `base.IdempotencyStore`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, text, update

from chat_api.stores.base import Claim, KeptReply, ReplyBounds
from chat_api.stores.eviction import Room
from chat_api.stores.schema import idempotency_records as records
from chat_api.stores.sql import Database

HAS_ENDED = records.c.held_until.is_(None)

# Both databases know these words, SQLAlchemy has them for each apart.
TAKE = text(
    "INSERT INTO idempotency_records"
    " (key, fingerprint, holder, created_at, held_until, size_bytes)"
    " VALUES (:key, :fingerprint, :holder, :created_at, :held_until, 0)"
    " ON CONFLICT (key) DO NOTHING"
)


class SqlIdempotencyStore:
    """Kept replies in SQLite or PostgreSQL.

    Args:
        clock: UTC epoch seconds.
    """

    def __init__(
        self, database: Database, bounds: ReplyBounds, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._bounds = bounds
        self._clock = clock
        # One that is held is in use, however old.
        self._room = Room(records.c.key, records.c.created_at, bounds.most_records, HAS_ENDED)

    def claim(self, key: str, fingerprint: str, holder: str) -> Claim:
        """See `IdempotencyStore.claim`."""

        def work(connection: Connection) -> Claim:
            now = self._clock()
            self._room.make(connection, now - self._bounds.ttl_seconds)
            held = {"holder": holder, "fingerprint": fingerprint, "created_at": now}
            held["held_until"] = now + self._bounds.lease_seconds
            if connection.execute(TAKE, {"key": key, **held}).rowcount:
                return Claim(True, fingerprint, None)
            is_it = records.c.key == key
            found = connection.execute(select(records).where(is_it).with_for_update()).first()
            if found is None:  # another machine has let it go in between
                return work(connection)
            if self._is_free(found, now):
                nothing: dict[str, Any] = {"status": None, "content_type": None, "body": None}
                values = {**held, **nothing, "size_bytes": 0}
                connection.execute(update(records).where(is_it).values(values))
                return Claim(True, fingerprint, None)
            if found.held_until is not None:
                return Claim(False, found.fingerprint, None)
            reply = KeptReply(found.status, found.content_type, bytes(found.body))
            return Claim(False, found.fingerprint, reply)

        return self._database.write(work)

    def renew(self, key: str, holder: str) -> None:
        """See `IdempotencyStore.renew`."""
        until = self._clock() + self._bounds.lease_seconds
        statement = update(records).where(_holds(key, holder)).values(held_until=until)
        self._database.write(lambda connection: connection.execute(statement))

    def finish(self, key: str, holder: str, reply: KeptReply) -> None:
        """See `IdempotencyStore.finish`."""
        size = len(reply.body)
        if size > self._bounds.most_bytes_each:
            self.release(key, holder)
            return
        values = {**reply._asdict(), "size_bytes": size, "held_until": None}

        def work(connection: Connection) -> None:
            self._make_bytes(connection, size)
            connection.execute(update(records).where(_holds(key, holder)).values(values))

        self._database.write(work)

    def release(self, key: str, holder: str) -> None:
        """See `IdempotencyStore.release`."""
        statement = delete(records).where(_holds(key, holder))
        self._database.write(lambda connection: connection.execute(statement))

    def _is_free(self, found: Any, now: float) -> bool:
        """Whether whoever held it is gone, or what it keeps is too old."""
        if found.held_until is not None:
            return bool(found.held_until <= now)
        return bool(found.created_at <= now - self._bounds.ttl_seconds)

    def _make_bytes(self, connection: Connection, size: int) -> None:
        """For one more reply of that size."""
        total = connection.scalar(select(func.sum(records.c.size_bytes))) or 0
        surplus = int(total) + size - self._bounds.most_bytes
        if surplus <= 0:
            return
        by_age = select(records.c.created_at, records.c.size_bytes).where(HAS_ENDED)
        newest_leaving = 0.0
        for created_at, its_bytes in connection.execute(
            by_age.order_by(records.c.created_at)
        ).all():
            newest_leaving = created_at
            surplus -= its_bytes
            if surplus <= 0:
                break
        leaves = records.c.created_at <= newest_leaving
        connection.execute(delete(records).where(HAS_ENDED, leaves))


def _holds(key: str, holder: str) -> ColumnElement[bool]:
    held = records.c.held_until.is_not(None)
    return and_(records.c.key == key, records.c.holder == holder, held)
