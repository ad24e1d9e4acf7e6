"""Who goes when there is no more room, and who is kept from going. The tables that can be asked
have an `id` and a `last_activity`, in UTC epoch seconds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, update

MOST_EXPIRED_AT_ONCE = 250
"""Rows that one call clears away for their age: nobody waits for the sins of a month."""


def make_room(
    connection: Connection,
    table: Table,
    oldest_activity: float,
    most: int,
    *may_go: ColumnElement[bool],
    coming: int = 1,
) -> None:
    """Remove what has expired, and the oldest of what would be above `most` with those that are
    coming. Another machine's transaction may hold some of them; they are left to it."""
    oldest = select(table.c.id).where(*may_go).order_by(table.c.last_activity)
    oldest = oldest.with_for_update(skip_locked=True)
    expired = oldest.where(table.c.last_activity <= oldest_activity)
    leaving = expired.limit(MOST_EXPIRED_AT_ONCE)
    connection.execute(delete(table).where(table.c.id.in_(leaving)))
    count = connection.scalar(select(func.count()).select_from(table)) or 0
    if (surplus := count + coming - most) > 0:
        connection.execute(delete(table).where(table.c.id.in_(oldest.limit(surplus))))


def renew(connection: Connection, table: Table, ids: Sequence[str], now: float) -> None:
    """Note that these are in use. Those that another transaction holds are in use anyway, and who
    waited for them could wait for ever: two may hold what the other wants."""
    free = select(table.c.id).where(table.c.id.in_(ids)).with_for_update(skip_locked=True)
    connection.execute(update(table).where(table.c.id.in_(free)).values(last_activity=now))
