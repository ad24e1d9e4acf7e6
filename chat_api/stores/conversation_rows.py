"""Conversations in SQL, as far as responses have to do with them too."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Row, update

from chat_api.stores.items import ItemRow, insert_items, same, size_of
from chat_api.stores.schema import conversation_items, conversations


def belongs_to(owner: str, oldest_activity: float) -> tuple[ColumnElement[bool], ...]:
    """Whether a conversation is this owner's, and has not expired."""
    return conversations.c.owner == owner, conversations.c.last_activity > oldest_activity


def append_rows(
    connection: Connection,
    conversation_id: str,
    rows: Sequence[ItemRow],
    now: float,
    *belongs: ColumnElement[bool],
) -> Row[int, int, int] | None:
    """Store items at the end of a conversation.

    Returns:
        What it has come to; None when there is none of that id that `belongs` lets through.
    """
    # First of all: it holds the conversation's row, so that those who add come one by one.
    grown = connection.execute(
        update(conversations)
        .where(same(conversations.c.id, conversation_id), *belongs)
        .values(
            last_activity=now,
            item_count=conversations.c.item_count + len(rows),
            size_bytes=conversations.c.size_bytes + size_of(rows),
            last_position=conversations.c.last_position + len(rows),
        )
        .returning(
            conversations.c.last_position, conversations.c.item_count, conversations.c.size_bytes
        )
    ).first()
    if grown is not None:
        insert_items(connection, conversation_items, conversation_id, rows, grown.last_position)
    return grown
