"""The fields that queries are made of: each value is a text there."""

from __future__ import annotations

import re
from typing import Any

from chat_api.schemas.fields import Flag, Number

WHOLE = re.compile(r"[0-9]{1,9}")


class Count(Number):
    """A whole number, written in a query."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> float:
        is_number = type(value) is str and WHOLE.fullmatch(value)
        return super()._deserialize(int(value) if is_number else None, attr, data, **options)


class WrittenFlag(Flag):
    """`true` or `false`, written in a query."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        flag = {"true": True, "false": False}.get(value)
        return super()._deserialize(flag, attr, data, **options)
