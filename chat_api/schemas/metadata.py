"""Pairs of names and values that callers attach to what they have stored."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from chat_api.schemas.fields import StrictField

MOST_PAIRS = 16
LONGEST_NAME = 64
LONGEST_VALUE = 512


def check_metadata(pairs: Any) -> None:
    """Raises: ValidationError: these are no pairs as OpenAI takes them."""
    if type(pairs) is not dict:
        raise ValidationError("must be an object.")
    if len(pairs) > MOST_PAIRS:
        raise ValidationError(f"must have at most {MOST_PAIRS} pairs.")
    for name, value in pairs.items():
        if len(name) > LONGEST_NAME:
            raise ValidationError(f"must have names of at most {LONGEST_NAME} characters.")
        if type(value) is not str or len(value) > LONGEST_VALUE:
            text = f"must be a string of at most {LONGEST_VALUE} characters."
            raise ValidationError({name: [text]})


class Metadata(StrictField[dict[str, str]]):
    """Up to 16 pairs of strings."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> dict[str, str]:
        check_metadata(value)
        return value  # type: ignore[no-any-return]

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return {
            "type": "object",
            "maxProperties": MOST_PAIRS,
            "propertyNames": {"maxLength": LONGEST_NAME},
            "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE},
        }
