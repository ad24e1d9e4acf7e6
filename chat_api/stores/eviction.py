"""Who goes when there is no more room, and who is kept from going."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, func, select, update

MOST_EXPIRED_AT_ONCE = 250
"""Rows that one call clears away for their age: nobody waits for the sins of a month."""
MOST_BETWEEN = 100
"""Rows after which a process makes room again, at the latest: to count 100,000 of them takes
PostgreSQL 10 ms. So several processes may pass a large bound by a thousandth each."""


class Room:
    """Room in a table, made before a row is stored there.

    Args:
        key: the table's.
        age: the moment that its rows go by, in UTC epoch seconds.
        most: the rows that are kept.
        may_go: what is said of the rows that may go at all.
    """

    def __init__(
        self, key: Column[Any], age: Column[Any], most: int, *may_go: ColumnElement[bool]
    ) -> None:
        self._key = key
        self._age = age
        self._most = most
        self._oldest = select(key).where(*may_go).order_by(age).with_for_update(skip_locked=True)
        self._between = max(1, min(MOST_BETWEEN, most // 1000))
        self._stored = itertools.count()

    def make(self, connection: Connection, oldest_age: float) -> None:
        """Remove what is older, and the oldest of what would be above the bound with those that
        come until this is done again. Another machine's transaction may hold some of them; they
        are left to it."""
        if next(self._stored) % self._between:
            return
        table, key = self._key.table, self._key
        leaving = self._oldest.where(self._age <= oldest_age).limit(MOST_EXPIRED_AT_ONCE)
        connection.execute(delete(table).where(key.in_(leaving)))
        count = connection.scalar(select(func.count()).select_from(table)) or 0
        if (surplus := count + self._between - self._most) > 0:
            connection.execute(delete(table).where(key.in_(self._oldest.limit(surplus))))


def renew(connection: Connection, table: Table, ids: Sequence[str], now: float) -> None:
    """Note that these are in use. Those that another transaction holds are in use anyway, and who
    waited for them could wait for ever: two may hold what the other wants."""
    free = select(table.c.id).where(table.c.id.in_(ids)).with_for_update(skip_locked=True)
    connection.execute(update(table).where(table.c.id.in_(free)).values(last_activity=now))
