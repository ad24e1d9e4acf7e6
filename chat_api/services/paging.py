"""Lists that are read in pages, as OpenAI's are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chat_api.upstreams.base import JsonObject


class Page(NamedTuple):
    """Which part of a list is wanted: up to `limit` objects behind the one with the id `after`."""

    after: str | None
    limit: int
    descending: bool


def page(wanted: Page, read: Callable[[int], Sequence[JsonObject] | None]) -> JsonObject | None:
    """OpenAI's list object.

    Args:
        read: finds so many objects; one more than wanted shows whether there are more. None where
            there is no such list.
    """
    found = read(wanted.limit + 1)
    if found is None:
        return None
    return listed(found[: wanted.limit], len(found) > wanted.limit)


def listed(data: Sequence[JsonObject], has_more: bool) -> JsonObject:
    """OpenAI's list object of these."""
    ends = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    told = {"first_id": ends[0], "last_id": ends[1], "has_more": has_more}
    return {"object": "list", "data": list(data), **told}
