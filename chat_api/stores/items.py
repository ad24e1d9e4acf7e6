"""Items in SQL: what responses and conversations do with theirs alike."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Table, false, func, insert, select

from chat_api.errors import InvalidRequest
from chat_api.stores.pages import Page, not_in_list
from chat_api.stores.response_base import Item, ResponseBounds

ItemRow = dict[str, Any]
"""An item on its way into a table; its container and position come last."""


def same(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether it is that id. PostgreSQL takes no NUL in a text, and no id of ours has one."""
    return false() if "\x00" in text else column == text


def packed(value: Any) -> str:
    """JSON text: PostgreSQL would lose the NUL characters and the order of anything else."""
    return orjson.dumps(value).decode()


def item_key(item_id: str) -> str:
    """What stands for an item's id in the tables."""
    return hashlib.blake2b(item_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def rows_of(items: Sequence[Item], now: float) -> list[ItemRow]:
    """Items, ready to be stored."""
    texts = [packed(item) for item in items]
    return [
        {
            "item_key": item_key(item["id"]),
            "created_at": now,
            "size_bytes": len(text.encode()),
            "item": text,
        }
        for item, text in zip(items, texts, strict=True)
    ]


def size_of(rows: Sequence[ItemRow]) -> int:
    """Their size in bytes."""
    return sum(row["size_bytes"] for row in rows)


def insert_items(
    connection: Connection,
    table: Table,
    container_id: str,
    rows: Sequence[ItemRow],
    last_position: int,
    **more: Any,
) -> None:
    """Store rows whose last one comes to `last_position`, with what `more` the table has."""
    first = last_position - len(rows) + 1
    placed = [
        {**row, "container_id": container_id, "position": first + index, **more}
        for index, row in enumerate(rows)
    ]
    if placed:  # of nothing at all SQLAlchemy would make a row of defaults
        connection.execute(insert(table), placed)


def page(
    connection: Connection,
    table: Table,
    container_id: str,
    wanted: Page,
    *which: ColumnElement[bool],
) -> list[Item]:
    """A part of a container's items.

    Raises:
        InvalidRequest: there is no item `after`.
    """
    after, limit, descending = wanted
    its = [table.c.container_id == container_id, *which]
    position = table.c.position
    if after is not None:
        # Of several with that id the last one on the way, or pages would go round in a circle.
        last = func.min(position) if descending else func.max(position)
        passed = connection.scalar(select(last).where(*its, table.c.item_key == item_key(after)))
        if passed is None:
            raise not_in_list()
        its.append(position < passed if descending else position > passed)
    order = position.desc() if descending else position
    texts = connection.scalars(select(table.c.item).where(*its).order_by(order).limit(limit))
    return [orjson.loads(text) for text in texts]


def stored_rows(
    connection: Connection, table: Table, container_id: str, now: float
) -> list[ItemRow]:
    """A container's items, ready to be stored in another one too."""
    found = select(table.c.item_key, table.c.size_bytes, table.c.item)
    found = found.where(table.c.container_id == container_id).order_by(table.c.position)
    return [{**row, "created_at": now} for row in connection.execute(found).mappings()]


def newest(
    connection: Connection, table: Table, item_id: str, *belongs: ColumnElement[bool]
) -> Row[float, str] | None:
    """The newest item of that id in any container that `belongs` lets through: when it came, and
    its text."""
    (container,) = (key.column.table for key in table.foreign_keys)
    found = select(table.c.created_at, table.c.item).join(container)
    found = found.where(table.c.item_key == item_key(item_id), *belongs)
    found = found.order_by(table.c.created_at.desc(), table.c.position.desc()).limit(1)
    return connection.execute(found).first()


def check_length(bounds: ResponseBounds, item_count: int, size_bytes: int, param: str) -> None:
    """Whether so much can be gone on from.

    Raises:
        InvalidRequest: it cannot.
    """
    if item_count <= bounds.most_items and size_bytes <= bounds.most_bytes:
        return
    limits = f"more than {bounds.most_items} items or {bounds.most_bytes} bytes"
    text = f"With `{param}` this comes to {limits}. Begin a new conversation."
    raise InvalidRequest(text, param, "context_length_exceeded")
