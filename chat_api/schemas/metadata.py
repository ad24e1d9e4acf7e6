"""Pairs of strings that callers attach to what is stored."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from chat_api.schemas.fields import Object

MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512


class Metadata(Object):
    """Up to 16 pairs, by OpenAI's bounds."""

    def __init__(self, **options: Any) -> None:
        inside = {
            "maxProperties": MOST_PAIRS,
            "propertyNames": {"maxLength": LONGEST_KEY},
            "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE},
        }
        super().__init__(inside=inside, **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **options: Any
    ) -> dict[str, Any]:
        pairs = super()._deserialize(value, attr, data, **options)
        fits = all(
            len(key) <= LONGEST_KEY and type(text) is str and len(text) <= LONGEST_VALUE
            for key, text in pairs.items()
        )
        if len(pairs) > MOST_PAIRS or not fits:
            wanted = f"must be up to {MOST_PAIRS} pairs of strings of up to {LONGEST_KEY} and "
            raise ValidationError(f"{wanted}{LONGEST_VALUE} characters.")
        return pairs
