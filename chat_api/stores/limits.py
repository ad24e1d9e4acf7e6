"""Moving windows in SQL, as a storage of the `limits` library. See `base.LimitStore`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from limits.storage import MovingWindowSupport, Storage
from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_

from chat_api.errors import StoreUnavailable
from chat_api.stores.base import Window
from chat_api.stores.schema import limit_entries as entries
from chat_api.stores.sql import Database

CLEARING_EVERY = 50
"""Calls of this process after which one clears away what has expired, of all keys."""
MOST_CLEARED = 250
"""Entries that it clears away at most: more than were added meanwhile, so that none pile up, and
few enough for a call."""


def _oldest(column: Any) -> Any:
    """A column of a key's oldest entry that has not left its window."""
    alive = entries.c.expires_at > bindparam("now")
    found = select(column).where(entries.c.key == bindparam("key"), alive)
    return found.order_by(entries.c.expires_at, entries.c.number).limit(1).scalar_subquery()


def _newest(column: Any) -> Any:
    """A column of its newest entry, expired or not: numbers go on from there, so that they are
    still right when somebody sets the clock back and what had expired counts again."""
    order = entries.c.expires_at.desc(), entries.c.number.desc()
    found = select(column).where(entries.c.key == bindparam("key"))
    return found.order_by(*order).limit(1).scalar_subquery()


# Four seeks in an index, however many calls the window holds: counting them would cost as many.
ENDS = select(
    _oldest(entries.c.number).label("first"),
    _oldest(entries.c.expires_at).label("leaves_at"),
    _newest(entries.c.number).label("last"),
    _newest(entries.c.expires_at).label("last_leaves_at"),
)
TURN = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key"), 0)))
ADD = insert(entries)
EXPIRED = (
    select(entries.c.key, entries.c.expires_at, entries.c.number)
    .where(entries.c.expires_at <= bindparam("now"))
    .order_by(entries.c.expires_at)
    .limit(MOST_CLEARED)
    .with_for_update(skip_locked=True)  # another machine is clearing those away
)
CLEAR = delete(entries).where(
    tuple_(entries.c.key, entries.c.expires_at, entries.c.number).in_(EXPIRED)
)

AHEAD = delete(entries).where(
    entries.c.key == bindparam("of"), entries.c.expires_at > bindparam("latest")
)


class Entry(NamedTuple):
    """One call that counts: its number within its key, and its end in UTC epoch seconds."""

    number: int
    leaves_at: float


class SqlLimits(Storage, MovingWindowSupport):
    """Moving windows in SQLite or PostgreSQL.

    `limits`' own strategies work on it too. They cannot tell in one trip whether there was room
    and how much is left; `window` does.

    Args:
        clock: UTC epoch seconds. Machines that share a database go by their own: a window is off
            by as much as their clocks differ.
    """

    base_exceptions = StoreUnavailable

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.name = database.engine.dialect.name
        self._database = database
        self._clock = clock
        self._calls = itertools.count()

    def window(self, key: str, limit: int, seconds: int, amount: int) -> Window:
        """See `LimitStore.window`."""
        return self._window(key, limit, seconds, amount, at_least=1)

    def _window(self, key: str, limit: int, seconds: int, amount: int, at_least: int) -> Window:
        """As `window`, but no entry at all where there is room for fewer than `at_least`."""
        if amount == 0:
            return self._database.read(lambda connection: self._look(connection, key)[0])
        clears = next(self._calls) % CLEARING_EVERY == 0

        def work(connection: Connection) -> Window:
            if clears:
                connection.execute(CLEAR, {"now": self._clock()})
            if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
                connection.execute(TURN, {"key": key})
            found, newest = self._look(connection, key)
            latest = self._clock() + seconds
            if newest.leaves_at > latest + seconds:
                # Made before somebody set the clock back by more than a window: they would lock
                # their caller out until it is that late again.
                connection.execute(AHEAD, {"of": key, "latest": latest})
                found, newest = self._look(connection, key)
            granted = min(amount, limit - found.used)
            if granted < at_least:
                return found
            # Not before the one behind which it is numbered, whoever's clock that went by.
            leaves_at = max(newest.leaves_at, latest)
            rows = [
                {"key": key, "expires_at": leaves_at, "number": newest.number + added}
                for added in range(1, granted + 1)
            ]
            connection.execute(ADD, rows)
            room_in = found.room_in if found.used else float(seconds)
            return Window(granted, found.used + granted, room_in)

        return self._database.write(work)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """For `limits`: whether there was room for so many entries, which are then made."""
        return self._window(key, limit, expiry, amount, at_least=amount).granted == amount

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """For `limits`: when the window began (UTC epoch seconds), and what it holds."""
        found = self.window(key, limit, expiry, 0)
        return self._clock() - (expiry - found.room_in if found.used else 0), found.used

    def _fixed(self, *arguments: Any, **options: Any) -> NoReturn:
        """Of fixed windows, `limits`' other kind, which are not kept here."""
        raise NotImplementedError("moving windows only")

    incr = get = get_expiry = _fixed

    def check(self) -> bool:
        """For `limits`: whether it can be written to."""
        return self._database.readiness()[0]

    def reset(self) -> int:
        """For `limits`: forget everything."""
        return self._database.write(lambda connection: connection.execute(delete(entries)).rowcount)

    def clear(self, key: str) -> None:
        """For `limits`: forget a key's window."""
        statement = delete(entries).where(entries.c.key == key)
        self._database.write(lambda connection: connection.execute(statement))

    def warm_up(self) -> None:
        """See `LimitStore.warm_up`."""
        self._database.warm_up()

    def close(self) -> None:
        """See `LimitStore.close`."""
        self._database.close()

    def _look(self, connection: Connection, key: str) -> tuple[Window, Entry]:
        """The window and its newest entry."""
        now = self._clock()
        row = connection.execute(ENDS, {"key": key, "now": now}).one()
        newest = Entry(row.last or 0, row.last_leaves_at or 0.0)
        if row.first is None:
            return Window(0, 0, 0.0), newest
        return Window(0, newest.number - row.first + 1, row.leaves_at - now), newest
