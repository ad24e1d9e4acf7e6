"""The fields that queries are made of: each value is a text there."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError

from chat_api.schemas.fields import Flag, Number, StrictField

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


class Order(StrictField[str]):
    """`asc` or `desc`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if value not in ("asc", "desc"):
            raise ValidationError("must be `asc` or `desc`.")
        return str(value)

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return {"type": "string", "enum": ["asc", "desc"]}
