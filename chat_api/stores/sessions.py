"""Sessions in SQL. See `base.SessionStore`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from chat_api.stores.base import Bounds, Exchange, Session
from chat_api.stores.eviction import Room
from chat_api.stores.schema import session_messages as messages
from chat_api.stores.schema import sessions
from chat_api.stores.sql import Database


class SqlSessionStore:
    """Sessions in SQLite or PostgreSQL.

    Args:
        clock: UTC epoch seconds.
    """

    def __init__(
        self, database: Database, bounds: Bounds, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._bounds = bounds
        self._clock = clock
        self._room = Room(sessions.c.id, sessions.c.last_activity, bounds.most_sessions)

    def create(self, session_id: str, owner: str, developer_message: str | None) -> Session:
        """See `SessionStore.create`."""
        now = self._clock()
        row = {
            "id": session_id,
            "owner": owner,
            "developer_message": _packed(developer_message),
            "created_at": now,
            "last_activity": now,
            "message_count": 0,
            "size_bytes": 0,
            "last_position": 0,
        }

        def work(connection: Connection) -> None:
            self._room.make(connection, self._oldest_activity())
            connection.execute(insert(sessions).values(row))

        self._database.write(work)
        return Session(session_id, developer_message, now, now)

    def get(self, session_id: str, owner: str) -> Session | None:
        """See `SessionStore.get`."""

        def work(connection: Connection) -> Session | None:
            row = connection.execute(select(sessions).where(*self._is(session_id, owner))).first()
            if row is None:
                return None
            exchanges = _exchanges(connection, session_id)
            developer_message = orjson.loads(row.developer_message)
            return Session(row.id, developer_message, row.created_at, row.last_activity, exchanges)

        return self._database.read(work)

    def append(self, session_id: str, owner: str, exchange: Exchange) -> bool:
        """See `SessionStore.append`."""
        packed = [_packed(message) for message in exchange]
        sizes = [len(text.encode()) for text in packed]

        def work(connection: Connection) -> bool:
            # First of all: it holds the session's row, so that appends come one by one.
            grown = connection.execute(
                update(sessions)
                .where(*self._is(session_id, owner))
                .values(
                    last_activity=self._clock(),
                    message_count=sessions.c.message_count + len(packed),
                    size_bytes=sessions.c.size_bytes + sum(sizes),
                    last_position=sessions.c.last_position + len(packed),
                )
                .returning(
                    sessions.c.last_position, sessions.c.message_count, sessions.c.size_bytes
                )
            ).first()
            if grown is None:
                return False
            first = grown.last_position - len(packed) + 1
            rows = [
                {
                    "session_id": session_id,
                    "position": first + index,
                    "exchange": first,
                    "size_bytes": size,
                    "message": text,
                }
                for index, (text, size) in enumerate(zip(packed, sizes, strict=True))
            ]
            connection.execute(insert(messages), rows)
            self._drop_oldest(connection, session_id, grown.message_count, grown.size_bytes)
            return True

        return self._database.write(work)

    def set_developer_message(
        self, session_id: str, owner: str, developer_message: str | None
    ) -> bool:
        """See `SessionStore.set_developer_message`."""
        statement = (
            update(sessions)
            .where(*self._is(session_id, owner))
            .values(developer_message=_packed(developer_message))
        )
        return self._database.write(lambda connection: connection.execute(statement).rowcount > 0)

    def truncate(self, session_id: str, owner: str, index: int) -> int | None:
        """See `SessionStore.truncate`."""
        its_messages = messages.c.session_id == session_id

        def work(connection: Connection) -> int | None:
            # First of all, as in `append`: what is appended at the same time comes before or after.
            held = update(sessions).where(*self._is(session_id, owner))
            if not connection.execute(held.values(last_activity=self._clock())).rowcount:
                return None
            by_position = select(messages.c.exchange).where(its_messages)
            by_position = by_position.order_by(messages.c.position)
            # The databases know no endless numbers.
            first = connection.scalar(by_position.offset(min(index, 2**31)).limit(1))
            if first is not None:
                connection.execute(
                    delete(messages).where(its_messages, messages.c.exchange >= first)
                )
            count, size_bytes = connection.execute(
                select(func.count(), func.coalesce(func.sum(messages.c.size_bytes), 0)).where(
                    its_messages
                )
            ).one()
            left = {"message_count": count, "size_bytes": int(size_bytes)}
            connection.execute(update(sessions).where(sessions.c.id == session_id).values(left))
            return int(count)

        return self._database.write(work)

    def delete(self, session_id: str, owner: str) -> bool:
        """See `SessionStore.delete`."""
        statement = delete(sessions).where(*self._is(session_id, owner))
        return self._database.write(lambda connection: connection.execute(statement).rowcount > 0)

    def count(self) -> int:
        """See `SessionStore.count`."""
        alive = sessions.c.last_activity > self._oldest_activity()
        statement = select(func.count()).select_from(sessions).where(alive)
        return self._database.read(lambda connection: connection.scalar(statement) or 0)

    def _is(self, session_id: str, owner: str) -> tuple[ColumnElement[bool], ...]:
        alive = sessions.c.last_activity > self._oldest_activity()
        return sessions.c.id == session_id, sessions.c.owner == owner, alive

    def _oldest_activity(self) -> float:
        return self._clock() - self._bounds.ttl_seconds

    def _drop_oldest(
        self, connection: Connection, session_id: str, count: int, size_bytes: int
    ) -> None:
        """Bring a session that has grown by one exchange back within its bounds."""
        bounds = self._bounds
        if count <= bounds.most_messages and size_bytes <= bounds.most_bytes:
            return
        kept = count, size_bytes
        first_kept = 0
        by_age = connection.execute(
            select(messages.c.exchange, func.count(), func.sum(messages.c.size_bytes))
            .where(messages.c.session_id == session_id)
            .group_by(messages.c.exchange)
            .order_by(messages.c.exchange)
        ).all()
        for (_, its_count, its_bytes), (following, _, _) in zip(by_age, by_age[1:], strict=False):
            if kept[0] <= bounds.most_messages and kept[1] <= bounds.most_bytes:
                break
            kept = kept[0] - its_count, kept[1] - int(its_bytes)
            first_kept = following
        connection.execute(
            delete(messages).where(
                messages.c.session_id == session_id, messages.c.exchange < first_kept
            )
        )
        connection.execute(
            update(sessions)
            .where(sessions.c.id == session_id)
            .values(message_count=kept[0], size_bytes=kept[1])
        )


def _exchanges(connection: Connection, session_id: str) -> list[Exchange]:
    rows = connection.execute(
        select(messages.c.exchange, messages.c.message)
        .where(messages.c.session_id == session_id)
        .order_by(messages.c.position)
    )
    exchanges: dict[int, Exchange] = {}
    for number, message in rows:
        exchanges.setdefault(number, []).append(orjson.loads(message))
    return list(exchanges.values())


def _packed(value: Any) -> str:
    return orjson.dumps(value).decode()
