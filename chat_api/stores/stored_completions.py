"""Chat completions in SQL. See `stored_completion_base.CompletionStore`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    delete,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)

from chat_api.stores.eviction import Room
from chat_api.stores.items import packed, same
from chat_api.stores.pages import Page, not_in_list
from chat_api.stores.response_base import ResponseBounds
from chat_api.stores.schema import chat_completions as completions
from chat_api.stores.sql import Database
from chat_api.stores.stored_completion_base import NO_PAIRS, StoredCompletion

STORED = completions.c.stored_at, completions.c.id
"""What they are ordered by; the second only tells those of one moment apart."""

# Of two with one id at the same moment either is the last one. Both databases know these words,
# SQLAlchemy has them for each apart.
ADD = text(
    f"INSERT INTO chat_completions ({', '.join(completions.c.keys())})"
    f" VALUES ({', '.join(f':{name}' for name in completions.c.keys())})"
    " ON CONFLICT (owner, completion_id) DO NOTHING"
)


class SqlCompletionStore:
    """Chat completions in SQLite or PostgreSQL.

    Args:
        clock: UTC epoch seconds.
    """

    def __init__(
        self, database: Database, bounds: ResponseBounds, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._bounds = bounds
        self._clock = clock
        self._room = Room(completions.c.id, completions.c.last_activity, bounds.most)

    def put(self, owner: str, stored: StoredCompletion) -> None:
        """See `CompletionStore.put`."""
        now = self._clock()
        row = {
            "id": secrets.token_hex(16),
            "owner": owner,
            "completion_id": stored.id,
            "stored_at": now,
            "last_activity": now,
            "model": packed(stored.model),
            "asked_model": packed(stored.asked_model),
            "metadata": packed(stored.metadata),
            "completion": packed(stored.completion),
            "messages": packed(stored.messages),
        }

        def work(connection: Connection) -> None:
            connection.execute(delete(completions).where(*_its(owner, stored.id)))
            self._room.make(connection, self._oldest_activity())
            connection.execute(ADD, row)

        self._database.write(work)

    def get(self, owner: str, completion_id: str) -> StoredCompletion | None:
        """See `CompletionStore.get`."""
        statement = select(completions).where(*_its(owner, completion_id), self._is_alive())
        row = self._database.read(lambda connection: connection.execute(statement).first())
        return _stored(row) if row is not None else None

    def update(
        self, owner: str, completion_id: str, metadata: Mapping[str, str]
    ) -> StoredCompletion | None:
        """See `CompletionStore.update`."""
        statement = (
            update(completions)
            .where(*_its(owner, completion_id), self._is_alive())
            .values(metadata=packed(metadata), last_activity=self._clock())
            .returning(completions)
        )
        row = self._database.write(lambda connection: connection.execute(statement).first())
        return _stored(row) if row is not None else None

    def delete(self, owner: str, completion_id: str) -> bool:
        """See `CompletionStore.delete`."""
        statement = delete(completions).where(*_its(owner, completion_id), self._is_alive())
        return self._database.write(lambda connection: connection.execute(statement).rowcount > 0)

    def page(
        self,
        owner: str,
        wanted: Page,
        model: str | None = None,
        metadata: Mapping[str, str] = NO_PAIRS,
    ) -> list[StoredCompletion]:
        """See `CompletionStore.page`."""
        after, limit, descending = wanted
        order = [column.desc() if descending else column for column in STORED]
        its = select(completions).where(completions.c.owner == owner, self._is_alive())
        its = its.where(*_filters(model, metadata)).order_by(*order).limit(limit)

        def work(connection: Connection) -> list[Row[Any]]:
            if after is None:
                return list(connection.execute(its))
            seen = select(*STORED).where(*_its(owner, after), self._is_alive())
            last = connection.execute(seen).first()
            if last is None:
                raise not_in_list()
            place = tuple_(*STORED)
            behind = place < tuple(last) if descending else place > tuple(last)
            return list(connection.execute(its.where(behind)))

        return [_stored(row) for row in self._database.read(work)]

    def _is_alive(self) -> ColumnElement[bool]:
        return completions.c.last_activity > self._oldest_activity()

    def _oldest_activity(self) -> float:
        return self._clock() - self._bounds.ttl_seconds


def _its(owner: str, completion_id: str) -> tuple[ColumnElement[bool], ...]:
    return completions.c.owner == owner, same(completions.c.completion_id, completion_id)


def _filters(model: str | None, metadata: Mapping[str, str]) -> list[ColumnElement[bool]]:
    filters = []
    if model is not None:
        name = packed(model)
        filters.append(or_(completions.c.model == name, completions.c.asked_model == name))
    for name, value in metadata.items():
        # Quotes inside JSON's strings are escaped: with its brace or comma a pair stands where it
        # is one, and nowhere else.
        pair = packed({name: value})[1:-1]
        filters.append(or_(_holds("{" + pair), _holds("," + pair)))
    return filters


def _holds(piece: str) -> ColumnElement[bool]:
    """Whether the metadata's text has that in it. Databases find it differently; all replace."""
    column = completions.c.metadata
    return func.replace(column, piece, "") != column


def _stored(row: Row[Any]) -> StoredCompletion:
    return StoredCompletion(
        row.completion_id,
        orjson.loads(row.model),
        orjson.loads(row.asked_model),
        orjson.loads(row.metadata),
        orjson.loads(row.completion),
        orjson.loads(row.messages),
    )
