"""Lists that are read in pages: which part is wanted."""

from __future__ import annotations

from typing import NamedTuple

from chat_api.errors import InvalidRequest


class Page(NamedTuple):
    """Which part of a list is wanted: up to `limit` objects behind the one with the id `after`."""

    after: str | None = None
    limit: int = 20
    descending: bool = False


def not_in_list() -> InvalidRequest:
    """The error that says that `after` is no object of the list."""
    return InvalidRequest("`after` is no item of this list.", "after", "item_not_found")
