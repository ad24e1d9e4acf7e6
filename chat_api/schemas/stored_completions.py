"""What the routes of stored chat completions take and answer."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields

from chat_api.schemas.fields import RequestSchema, Text
from chat_api.schemas.lists import ListSchema
from chat_api.schemas.metadata import Metadata
from chat_api.schemas.paging import PageSchema
from chat_api.schemas.replies import ChatCompletionSchema

METADATA = {"topic": "capitals"}


class CompletionUpdateSchema(RequestSchema):
    """What of a stored chat completion can be changed."""

    EXAMPLE = {"metadata": METADATA}

    metadata = Metadata(
        required=True, allow_none=True, description="Up to 16 pairs of strings; null for none."
    )


class CompletionListSchema(PageSchema):
    """Which of the stored chat completions are wanted."""

    model = Text(description="The model that answered, or was asked for.")
    metadata = Metadata(description="Pairs that they all have: `metadata[topic]=capitals`.")


class StoredCompletionSchema(ChatCompletionSchema):
    """A stored chat completion. What the request said of itself is given back in it."""

    EXAMPLE = {**ChatCompletionSchema.EXAMPLE, "metadata": METADATA}

    metadata = fields.Dict(required=True, metadata={"description": "Its pairs of strings."})


class StoredCompletionListSchema(ListSchema):
    """Stored chat completions."""

    EXAMPLE = {
        "object": "list",
        "data": [StoredCompletionSchema.EXAMPLE],
        "first_id": "chatcmpl-1",
        "last_id": "chatcmpl-1",
        "has_more": False,
    }

    data = fields.List(
        fields.Nested(StoredCompletionSchema),
        required=True,
        metadata={"description": "The completions."},
    )


class StoredMessageSchema(Schema):
    """A message of the conversation that a stored chat completion answers."""

    class Meta:
        unknown = INCLUDE

    id = fields.String(required=True, metadata={"description": "Its id."})
    role = fields.String(required=True, metadata={"description": "Who says it."})
    content = fields.String(
        required=True, allow_none=True, metadata={"description": "Its text; null with parts."}
    )
    content_parts = fields.List(
        fields.Dict(), required=True, allow_none=True, metadata={"description": "Its parts."}
    )


class StoredMessageListSchema(ListSchema):
    """The conversation that a stored chat completion answers."""

    EXAMPLE = {
        "object": "list",
        "data": [
            {
                "id": "chatcmpl-1-0",
                "role": "user",
                "content": "What is the capital of France?",
                "name": None,
                "content_parts": None,
            }
        ],
        "first_id": "chatcmpl-1-0",
        "last_id": "chatcmpl-1-0",
        "has_more": False,
    }

    data = fields.List(
        fields.Nested(StoredMessageSchema),
        required=True,
        metadata={"description": "The messages."},
    )


class CompletionDeletedSchema(Schema):
    """A stored chat completion is gone."""

    EXAMPLE = {"object": "chat.completion.deleted", "id": "chatcmpl-1", "deleted": True}

    object = fields.Constant(
        "chat.completion.deleted",
        required=True,
        metadata={"description": "`chat.completion.deleted`."},
    )
    id = fields.String(required=True, metadata={"description": "Its id."})
    deleted = fields.Boolean(required=True, metadata={"description": "true."})
