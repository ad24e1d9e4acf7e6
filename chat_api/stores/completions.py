"""Chat completions in SQL. See `completion_base.CompletionStore`."""

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
    insert,
    or_,
    select,
    tuple_,
    update,
)

from chat_api.errors import InvalidRequest
from chat_api.stores.completion_base import CompletionPage, CompletionQuery, StoredCompletion
from chat_api.stores.eviction import make_room
from chat_api.stores.items import packed
from chat_api.stores.response_base import ResponseBounds
from chat_api.stores.schema import chat_completions as completions
from chat_api.stores.sql import Database

STORED = completions.c.stored_at, completions.c.id
"""What they are ordered by; the second only tells those of one moment apart."""


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
            make_room(connection, completions, self._oldest_activity(), self._bounds.most)
            connection.execute(insert(completions).values(row))

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

    def page(self, owner: str, query: CompletionQuery) -> CompletionPage:
        """See `CompletionStore.page`."""
        order = [column.desc() if query.descending else column for column in STORED]
        wanted = select(completions).where(completions.c.owner == owner, self._is_alive())
        wanted = wanted.where(*_filters(query)).order_by(*order).limit(query.limit + 1)

        def work(connection: Connection) -> list[Row[Any]]:
            if query.after is None:
                return list(connection.execute(wanted))
            seen = select(*STORED).where(*_its(owner, query.after), self._is_alive())
            last = connection.execute(seen).first()
            if last is None:
                raise InvalidRequest("`after` is no item of this list.", "after", "item_not_found")
            place = tuple_(*STORED)
            behind = place < tuple(last) if query.descending else place > tuple(last)
            return list(connection.execute(wanted.where(behind)))

        rows = self._database.read(work)
        return CompletionPage(
            [_stored(row) for row in rows[: query.limit]], len(rows) > query.limit
        )

    def _is_alive(self) -> ColumnElement[bool]:
        return completions.c.last_activity > self._oldest_activity()

    def _oldest_activity(self) -> float:
        return self._clock() - self._bounds.ttl_seconds


def _its(owner: str, completion_id: str) -> tuple[ColumnElement[bool], ...]:
    return completions.c.owner == owner, completions.c.completion_id == completion_id


def _filters(query: CompletionQuery) -> list[ColumnElement[bool]]:
    filters = []
    if query.model is not None:
        model = packed(query.model)
        filters.append(or_(completions.c.model == model, completions.c.asked_model == model))
    for name, value in query.metadata.items():
        # Quotes inside JSON's strings are escaped: with its brace or comma a pair stands where it
        # is one, and nowhere else.
        pair = packed({name: value})[1:-1]
        filters.append(or_(_holds("{" + pair), _holds("," + pair)))
    return filters


def _holds(text: str) -> ColumnElement[bool]:
    """Whether the metadata's text has that in it. Databases find it differently; all replace."""
    column = completions.c.metadata
    return func.replace(column, text, "") != column


def _stored(row: Row[Any]) -> StoredCompletion:
    return StoredCompletion(
        row.completion_id,
        orjson.loads(row.model),
        orjson.loads(row.asked_model),
        orjson.loads(row.metadata),
        orjson.loads(row.completion),
        orjson.loads(row.messages),
    )
