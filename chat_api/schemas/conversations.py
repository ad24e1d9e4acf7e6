"""`/v1/conversations`."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields

from chat_api.schemas.fields import RequestSchema, StrictField
from chat_api.schemas.metadata import Metadata
from chat_api.schemas.response_items import check_items
from chat_api.schemas.shapes import array_of

MOST_ITEMS = 20
"""That are added at once; OpenAI's bound."""
ITEM = {"type": "message", "role": "user", "content": "What is the capital of France?"}

CONVERSATION = {
    "id": "conv_1",
    "object": "conversation",
    "created_at": 1_767_225_600,
    "metadata": {"topic": "geography"},
}


class Items(StrictField[list[Any]]):
    """Items as they may stand in a response's input."""

    def __init__(self, *, least: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self._least = least

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> list[Any]:
        if type(value) is not list or not self._least <= len(value) <= MOST_ITEMS:
            raise ValidationError(f"must be an array of {self._least} to {MOST_ITEMS} items.")
        check_items(str(attr), value)
        return value

    def json_schema(self) -> dict[str, Any]:
        """See `StrictField.json_schema`."""
        shape = {**array_of("InputItem", self._least), "maxItems": MOST_ITEMS}
        return {"anyOf": [{"type": "null"}, shape]} if self.allow_none else shape


class ConversationRequestSchema(RequestSchema):
    """A conversation to be begun; an empty object, or no body, will do."""

    EXAMPLE = {"items": [ITEM], "metadata": {"topic": "geography"}}

    items = Items(allow_none=True, description="What it begins with, up to 20 items.")
    metadata = Metadata(allow_none=True, description="Up to 16 pairs of strings.")


class ConversationUpdateSchema(RequestSchema):
    """What a conversation is to be told of from now on."""

    EXAMPLE = {"metadata": {"topic": "capitals"}}

    metadata = Metadata(
        required=True, allow_none=True, description="Up to 16 pairs of strings; null for none."
    )


class ConversationItemsRequestSchema(RequestSchema):
    """Items to be added to a conversation."""

    EXAMPLE = {"items": [ITEM]}

    items = Items(least=1, required=True, description="Up to 20 items.")


class ConversationSchema(Schema):
    """OpenAI's conversation object."""

    EXAMPLE = CONVERSATION

    id = fields.String(required=True, metadata={"description": "The conversation's id."})
    object = fields.Constant(
        "conversation", required=True, metadata={"description": "`conversation`."}
    )
    created_at = fields.Integer(required=True, metadata={"description": "UTC epoch seconds."})
    metadata = fields.Dict(required=True, metadata={"description": "Pairs of strings of yours."})


class ConversationDeletedSchema(Schema):
    """The conversation is gone."""

    EXAMPLE = {"id": "conv_1", "object": "conversation.deleted", "deleted": True}

    id = fields.String(required=True, metadata={"description": "The conversation's id."})
    object = fields.Constant(
        "conversation.deleted", required=True, metadata={"description": "`conversation.deleted`."}
    )
    deleted = fields.Constant(True, required=True, metadata={"description": "true."})
