"""What lists on `/v1` are asked for, in the query."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError

from chat_api.schemas.fields import Number, RequestSchema, StrictField, Text

MOST_AT_ONCE = 100
WHOLE = re.compile(r"[0-9]{1,9}")


class Count(Number):
    """A whole number, written in a query."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> float:
        is_number = type(value) is str and WHOLE.fullmatch(value)
        return super()._deserialize(int(value) if is_number else None, attr, data, **options)


class Order(StrictField[str]):
    """`asc` or `desc`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if value not in ("asc", "desc"):
            raise ValidationError("must be `asc` or `desc`.")
        return str(value)

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return {"type": "string", "enum": ["asc", "desc"]}


class PageSchema(RequestSchema):
    """A part of a list."""

    after = Text(description="The id of the last one seen; what comes behind it is told.")
    limit = Count(1, MOST_AT_ONCE, whole=True, load_default=20, description="How many, 1 to 100.")
    order = Order(load_default="asc", description="`asc`, oldest first, or `desc`.")
