"""Conversations in SQL. See `conversation_base.ConversationStore`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import orjson
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from chat_api.stores.conversation_base import Conversation
from chat_api.stores.conversation_rows import append_rows, belongs_to
from chat_api.stores.eviction import Room, renew
from chat_api.stores.items import (
    check_length,
    item_key,
    newest,
    packed,
    page,
    rows_of,
    same,
)
from chat_api.stores.pages import Page
from chat_api.stores.response_base import Item, JsonObject, ResponseBounds
from chat_api.stores.schema import conversation_items, conversations
from chat_api.stores.sql import Database

TOLD = (conversations.c.id, conversations.c.created_at, conversations.c.metadata)


class SqlConversationStore:
    """Conversations in SQLite or PostgreSQL.

    Args:
        clock: UTC epoch seconds.
    """

    def __init__(
        self, database: Database, bounds: ResponseBounds, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._bounds = bounds
        self._clock = clock
        self._room = Room(conversations.c.id, conversations.c.last_activity, bounds.most)

    def create(
        self, conversation_id: str, owner: str, metadata: JsonObject, items: Sequence[Item]
    ) -> Conversation:
        """See `ConversationStore.create`."""
        now = self._clock()
        row = {
            "id": conversation_id,
            "owner": owner,
            "metadata": packed(metadata),
            "created_at": now,
            "last_activity": now,
            "item_count": 0,
            "size_bytes": 0,
            "last_position": 0,
        }

        def work(connection: Connection) -> None:
            self._room.make(connection, self._oldest_activity())
            connection.execute(insert(conversations).values(row))
            append_rows(connection, conversation_id, rows_of(items, now), now)

        self._database.write(work)
        return Conversation(conversation_id, now, metadata)

    def get(self, conversation_id: str, owner: str) -> Conversation | None:
        """See `ConversationStore.get`."""
        statement = select(*TOLD).where(*self._is(conversation_id, owner))
        return _told(self._database.read(lambda connection: connection.execute(statement).first()))

    def update(self, conversation_id: str, owner: str, metadata: JsonObject) -> Conversation | None:
        """See `ConversationStore.update`."""
        statement = (
            update(conversations)
            .where(*self._is(conversation_id, owner))
            .values(metadata=packed(metadata), last_activity=self._clock())
            .returning(*TOLD)
        )
        return _told(self._database.write(lambda connection: connection.execute(statement).first()))

    def delete(self, conversation_id: str, owner: str) -> bool:
        """See `ConversationStore.delete`."""
        statement = delete(conversations).where(*self._is(conversation_id, owner))
        return self._database.write(lambda connection: connection.execute(statement).rowcount > 0)

    def history(self, conversation_id: str, owner: str) -> list[Item] | None:
        """See `ConversationStore.history`."""
        bounds = self._bounds
        now = self._clock()

        def work(connection: Connection) -> tuple[list[Item], float] | None:
            found = select(conversations).where(*self._is(conversation_id, owner))
            row = connection.execute(found).first()
            if row is None:
                return None
            check_length(bounds, row.item_count, row.size_bytes, "conversation")
            whole = Page(limit=bounds.most_items)
            return page(connection, conversation_items, conversation_id, whole), row.last_activity

        found = self._database.read(work)
        if found is None:
            return None
        its, last_activity = found
        if last_activity <= now - bounds.renewal_seconds:
            self._database.write(lambda c: renew(c, conversations, [conversation_id], now))
        return its

    def items(self, conversation_id: str, owner: str, wanted: Page) -> list[Item] | None:
        """See `ConversationStore.items`."""

        def work(connection: Connection) -> list[Item] | None:
            found = select(conversations.c.id).where(*self._is(conversation_id, owner))
            if connection.scalar(found) is None:
                return None
            return page(connection, conversation_items, conversation_id, wanted)

        return self._database.read(work)

    def add(self, conversation_id: str, owner: str, items: Sequence[Item]) -> bool:
        """See `ConversationStore.add`."""
        now = self._clock()
        rows = rows_of(items, now)
        belongs = belongs_to(owner, now - self._bounds.ttl_seconds)

        def work(connection: Connection) -> bool:
            grown = append_rows(connection, conversation_id, rows, now, *belongs)
            if grown is not None:  # what is too much is rolled back
                check_length(self._bounds, grown.item_count, grown.size_bytes, "items")
            return grown is not None

        return self._database.write(work)

    def item(self, conversation_id: str, owner: str, item_id: str) -> Item | None:
        """See `ConversationStore.item`."""
        its = self._is(conversation_id, owner)
        found = self._database.read(lambda c: newest(c, conversation_items, item_id, *its))
        return orjson.loads(found.item) if found else None

    def remove_item(self, conversation_id: str, owner: str, item_id: str) -> bool:
        """See `ConversationStore.remove_item`."""
        its = self._is(conversation_id, owner)
        items = conversation_items.c

        def work(connection: Connection) -> bool:
            # First of all, as in `append_rows`.
            held = update(conversations).where(*its).values(last_activity=self._clock())
            if not connection.execute(held).rowcount:
                return False
            removed = connection.scalars(
                delete(conversation_items)
                .where(items.container_id == conversation_id, items.item_key == item_key(item_id))
                .returning(items.size_bytes)
            ).all()
            left = {
                "item_count": conversations.c.item_count - len(removed),
                "size_bytes": conversations.c.size_bytes - sum(removed),
            }
            connection.execute(update(conversations).where(*its).values(left))
            return bool(removed)

        return self._database.write(work)

    def _oldest_activity(self) -> float:
        return self._clock() - self._bounds.ttl_seconds

    def _is(self, conversation_id: str, owner: str) -> tuple[ColumnElement[bool], ...]:
        belongs = belongs_to(owner, self._oldest_activity())
        return same(conversations.c.id, conversation_id), *belongs


def _told(row: Row[str, float, str] | None) -> Conversation | None:
    if row is None:
        return None
    return Conversation(row.id, row.created_at, orjson.loads(row.metadata))
