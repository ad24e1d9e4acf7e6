"""`POST /api/test-key`."""

from __future__ import annotations

from marshmallow import Schema, fields

from chat_api.schemas.fields import RequestSchema, Text


class KeyRequestSchema(RequestSchema):
    """A key to be tested."""

    api_key = Text(required=True, description="An OpenAI key of the caller's own. It is not kept.")


class KeyVerdictSchema(Schema):
    """What OpenAI says of the key."""

    valid = fields.Boolean(metadata={"description": "Whether OpenAI takes it."})
    message = fields.String(metadata={"description": "The same for people."})
