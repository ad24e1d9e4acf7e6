"""A field's description, ready to judge values."""

from __future__ import annotations

from typing import Any

from jsonschema_rs import Draft202012Validator

from chat_api.schemas.fields import StrictField
from chat_api.schemas.response_shapes import RESPONSE_SHAPES
from chat_api.schemas.shapes import SHAPES


def shape(field: StrictField[Any]) -> Draft202012Validator:
    """What the documentation says of a field."""
    components = {"components": {"schemas": SHAPES | RESPONSE_SHAPES}}
    return Draft202012Validator({**components, **field.json_schema()})
