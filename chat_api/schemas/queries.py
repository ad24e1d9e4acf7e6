"""What may stand behind the `?` of a path."""

from __future__ import annotations

import re
from typing import Any

from chat_api.schemas.fields import Flag, Number, RequestSchema, Text
from chat_api.schemas.response_fields import OneOf

MOST_ON_A_PAGE = 100
LAST_NUMBER = 2**53 - 1  # beyond it JSON's readers lose count
DIGITS = re.compile(r"-?[0-9]{1,17}")


class WrittenNumber(Number):
    """A whole number, written in decimal digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> float:
        number = int(value) if DIGITS.fullmatch(str(value)) else value
        return super()._deserialize(number, attr, data, **options)


class WrittenFlag(Flag):
    """`true` or `false`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        flag = {"true": True, "false": False}.get(value, value)
        return super()._deserialize(flag, attr, data, **options)


class PageQuerySchema(RequestSchema):
    """Which part of a list is wanted."""

    after = Text(load_default=None, description="The id that the page begins behind.")
    limit = WrittenNumber(
        1, MOST_ON_A_PAGE, whole=True, load_default=20, description="Most objects, 1 to 100."
    )
    order = OneOf("asc", "desc", load_default="desc", description="Oldest or newest first.")


class ResponseQuerySchema(RequestSchema):
    """How a stored response is wanted."""

    stream = WrittenFlag(load_default=False, description="As events, where it ran in background.")
    starting_after = WrittenNumber(
        0,
        LAST_NUMBER,
        whole=True,
        description="With `stream`: the `sequence_number` of the last event that you have.",
    )
