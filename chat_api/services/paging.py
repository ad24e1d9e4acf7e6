"""Lists that are read in pages, as OpenAI's are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chat_api.upstreams.base import JsonObject


class Page(NamedTuple):
    """Which part of a list is wanted: up to `limit` objects behind the one with the id `after`."""

    after: str | None
    limit: int
    descending: bool


def page(wanted: Page, read: Callable[[int], Sequence[JsonObject] | None]) -> dict[str, Any] | None:
    """OpenAI's list object.

    Args:
        read: finds so many objects; one more than wanted shows whether there are more. None where
            there is no such list.
    """
    found = read(wanted.limit + 1)
    if found is None:
        return None
    data = list(found[: wanted.limit])
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": len(found) > wanted.limit,
    }
