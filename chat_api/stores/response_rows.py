"""The rows of one response in SQL: its own, its items and its events."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, func, insert, select, text

from chat_api.stores.items import ItemRow, insert_items, packed, size_of
from chat_api.stores.response_base import JsonObject, ResponseRow
from chat_api.stores.schema import response_events, response_items, responses

ITS_NUMBER = response_events.c.sequence_number

# Both databases know these words, SQLAlchemy has them for each apart.
ADD_EVENT = text(
    "INSERT INTO response_events (response_id, sequence_number, event)"
    " VALUES (:response_id, :sequence_number, :event) ON CONFLICT DO NOTHING"
)


def insert_response(
    connection: Connection,
    row: ResponseRow,
    asked: Sequence[ItemRow],
    answered: Sequence[ItemRow],
    now: float,
    *,
    beat_at: float | None,
) -> None:
    """Store a response with input and output. One with a `beat_at` runs."""
    item_count = len(asked) + len(answered)
    values = {
        "id": row.id,
        "owner": row.owner,
        "body": packed(row.body),
        "previous_id": row.previous_id,
        "conversation_id": row.conversation_id,
        "is_background": row.is_background,
        "last_activity": now,
        "beat_at": beat_at,
        "item_count": item_count,
        "size_bytes": size_of(asked) + size_of(answered),
    }
    connection.execute(insert(responses).values(values))
    insert_items(connection, response_items, row.id, asked, len(asked), is_output=False)
    insert_items(connection, response_items, row.id, answered, item_count, is_output=True)


def insert_events(connection: Connection, response_id: str, events: Sequence[JsonObject]) -> None:
    """Store events, each with a `sequence_number` of its own. Those that are there already stay:
    a commit whose answer got lost is tried again."""
    rows = [
        {
            "response_id": response_id,
            "sequence_number": event["sequence_number"],
            "event": packed(event),
        }
        for event in events
    ]
    if rows:
        connection.execute(ADD_EVENT, rows)


def events_behind(
    connection: Connection, response_id: str, after: int, most: int
) -> list[JsonObject]:
    """The first `most` events whose number is above `after`, ascending."""
    # The databases know no endless numbers.
    behind = ITS_NUMBER > max(-1, min(after, 2**62))
    found = select(response_events.c.event)
    found = found.where(response_events.c.response_id == response_id, behind)
    stored = connection.scalars(found.order_by(ITS_NUMBER).limit(most))
    return [orjson.loads(event) for event in stored]


def next_number(connection: Connection, response_id: str) -> int:
    """The `sequence_number` of the event that is to come."""
    its = response_events.c.response_id == response_id
    newest = connection.scalar(select(func.max(ITS_NUMBER)).where(its))
    return 0 if newest is None else newest + 1
