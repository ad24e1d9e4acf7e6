"""Lists that are read in pages, as OpenAI's are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chat_api.stores.pages import Page, not_in_list
from chat_api.upstreams.base import JsonObject


def page(query: JsonObject, read: Callable[[Page], Sequence[JsonObject]]) -> JsonObject:
    """OpenAI's list object.

    Args:
        query: a loaded `PageSchema`.
        read: finds the objects; it is asked for one more, which shows whether there are more.
    """
    limit = query["limit"]
    found = read(Page(query.get("after"), limit + 1, query["order"] == "desc"))
    return listed(found[:limit], len(found) > limit)


def listed(data: Sequence[JsonObject], has_more: bool) -> JsonObject:
    """OpenAI's list object of these."""
    ends = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    told = {"first_id": ends[0], "last_id": ends[1], "has_more": has_more}
    return {"object": "list", "data": list(data), **told}


def part_of(data: Sequence[JsonObject], wanted: Page) -> Sequence[JsonObject]:
    """The wanted part of a list that is all there, oldest first.

    Raises:
        InvalidRequest: `after` is none of them.
    """
    ordered = data[::-1] if wanted.descending else data
    ids = [each["id"] for each in ordered]
    if wanted.after is None:
        return ordered[: wanted.limit]
    if wanted.after not in ids:
        raise not_in_list()
    first = ids.index(wanted.after) + 1
    return ordered[first : first + wanted.limit]
