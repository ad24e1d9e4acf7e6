"""Responses in SQL. See `response_base.ResponseStore`."""

from __future__ import annotations

import orjson
from sqlalchemy import CTE, Connection, and_, delete, func, literal, select

from chat_api.stores.conversation_rows import belongs_to
from chat_api.stores.eviction import renew
from chat_api.stores.items import check_length, newest, page, rows_of
from chat_api.stores.pages import Page
from chat_api.stores.response_base import Item, ResponseRow, StoredResponse
from chat_api.stores.response_rows import insert_response
from chat_api.stores.response_runs import HAS_ENDED, JOINING, SqlResponseRuns
from chat_api.stores.schema import conversation_items, response_items, responses


class SqlResponseStore(SqlResponseRuns):
    """Responses in SQLite or PostgreSQL, those that run included."""

    def put(self, row: ResponseRow) -> bool:
        """See `ResponseStore.put`."""
        now = self._clock()
        asked, answered = rows_of(row.input_items, now), rows_of(row.body["output"], now)

        def work(connection: Connection) -> bool:
            if row.conversation_id is not None and row.body["status"] in JOINING:
                both = [*asked, *answered]
                if not self._join(connection, row.conversation_id, row.owner, both, now):
                    return False
            self._room.make(connection, self._oldest_activity())
            insert_response(connection, row, asked, answered, now, beat_at=None)
            return True

        return self._database.write(work)

    def get(self, response_id: str, owner: str) -> StoredResponse | None:
        """See `ResponseStore.get`."""
        found = select(responses).where(*self._is(response_id, owner))
        row = self._database.read(lambda connection: connection.execute(found).first())
        if row is None:
            return None
        return StoredResponse(
            row.id, orjson.loads(row.body), row.is_background, row.conversation_id, row.previous_id
        )

    def input_items(self, response_id: str, owner: str, wanted: Page) -> list[Item] | None:
        """See `ResponseStore.input_items`."""

        def work(connection: Connection) -> list[Item] | None:
            found = select(responses.c.id).where(*self._is(response_id, owner))
            if connection.scalar(found) is None:
                return None
            is_asked = response_items.c.is_output.is_(False)
            return page(connection, response_items, response_id, wanted, is_asked)

        return self._database.read(work)

    def history(self, response_id: str, owner: str) -> list[Item] | None:
        """See `ResponseStore.history`."""
        bounds = self._bounds
        now = self._clock()
        chain = self._chain(response_id, owner)
        whole = chain.alias()  # the same again, or its sums would be those of a row
        fits = and_(
            select(func.sum(whole.c.item_count)).scalar_subquery() <= bounds.most_items,
            select(func.sum(whole.c.size_bytes)).scalar_subquery() <= bounds.most_bytes,
        )
        its = and_(response_items.c.container_id == chain.c.id, fits)
        # One statement: between two another transaction could remove a part of it.
        found = (
            select(chain, response_items.c.item)
            .select_from(chain.outerjoin(response_items, its))
            .order_by(chain.c.depth.desc(), response_items.c.position)
        )
        rows = self._database.read(lambda connection: connection.execute(found).all())
        if not rows or (rows[0].previous_id is not None and rows[0].depth <= bounds.most_items):
            return None
        members = {row.depth: row for row in rows}.values()
        item_count = max(rows[0].depth, sum(row.item_count for row in members))
        size_bytes = sum(row.size_bytes for row in members)
        check_length(bounds, item_count, size_bytes, "previous_response_id")
        if stale := [r.id for r in members if r.last_activity <= now - bounds.renewal_seconds]:
            self._database.write(lambda connection: renew(connection, responses, stale, now))
        return [orjson.loads(row.item) for row in rows if row.item is not None]

    def item(self, item_id: str, owner: str) -> Item | None:
        """See `ResponseStore.item`."""
        of_responses = self._belongs_to(owner)
        of_conversations = belongs_to(owner, self._oldest_activity())

        def work(connection: Connection) -> Item | None:
            found = (
                newest(connection, response_items, item_id, *of_responses),
                newest(connection, conversation_items, item_id, *of_conversations),
            )
            there = [row for row in found if row is not None]
            if not there:
                return None
            item: Item = orjson.loads(max(there, key=lambda row: row.created_at).item)
            return item

        return self._database.read(work)

    def delete(self, response_id: str, owner: str) -> bool:
        """See `ResponseStore.delete`."""
        statement = delete(responses).where(*self._is(response_id, owner))
        return self._database.write(lambda connection: connection.execute(statement).rowcount > 0)

    def _chain(self, response_id: str, owner: str) -> CTE:
        """The response and all before it that are there and have ended, `depth` 1 the newest."""
        columns = responses.c
        its = (
            columns.id,
            columns.previous_id,
            columns.last_activity,
            columns.item_count,
            columns.size_bytes,
        )
        first = select(*its, literal(1).label("depth"))
        first = first.where(*self._is(response_id, owner), HAS_ENDED)
        chain = first.cte("chain", recursive=True)
        before = select(*its, chain.c.depth + 1).join(chain, columns.id == chain.c.previous_id)
        longest = chain.c.depth <= self._bounds.most_items
        return chain.union_all(before.where(*self._belongs_to(owner), HAS_ENDED, longest))
