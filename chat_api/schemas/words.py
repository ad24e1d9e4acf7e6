"""Fields that take one of a few words."""

from __future__ import annotations

from typing import Any

from chat_api.schemas.checks import one_of
from chat_api.schemas.fields import StrictField


class OneOf(StrictField[str]):
    """One of a few words."""

    def __init__(self, *words: str, **options: Any) -> None:
        super().__init__(**options)
        self._words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        one_of(str(attr), value, self._words)
        return value

    def json_schema(self) -> dict[str, Any]:
        """See `StrictField.json_schema`."""
        return {"enum": [*([None] if self.allow_none else ()), *self._words]}
