"""Items, and lists of them, as `/v1` answers with. These document; they never load or dump."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields

ITEM = {
    "id": "msg_1",
    "type": "message",
    "status": "completed",
    "role": "user",
    "content": [{"type": "input_text", "text": "What is the capital of France?"}],
}


class ItemSchema(Schema):
    """An item: a message, a function call, its output, a thought."""

    EXAMPLE = ITEM

    class Meta:
        unknown = INCLUDE

    id = fields.String(required=True, metadata={"description": "The item's id."})
    type = fields.String(required=True, metadata={"description": "What it is: `message`, say."})


class ListSchema(Schema):
    """A page of a list."""

    object = fields.Constant("list", required=True, metadata={"description": "`list`."})
    first_id = fields.String(
        required=True, allow_none=True, metadata={"description": "The first one's id."}
    )
    last_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The last one's id, for the next `after`."},
    )
    has_more = fields.Boolean(required=True, metadata={"description": "Whether more follow."})


class ItemListSchema(ListSchema):
    """A page of items."""

    EXAMPLE = {
        "object": "list",
        "data": [ITEM],
        "first_id": "msg_1",
        "last_id": "msg_1",
        "has_more": False,
    }

    data = fields.List(
        fields.Nested(ItemSchema), required=True, metadata={"description": "The items."}
    )
