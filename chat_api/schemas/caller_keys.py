"""`POST /api/test-key`."""

from __future__ import annotations

from marshmallow import Schema, fields

from chat_api.schemas.fields import RequestSchema, Text


class KeyRequestSchema(RequestSchema):
    """A key to be tested."""

    EXAMPLE = {"api_key": "sk-proj-" + 156 * "x"}

    api_key = Text(required=True, description="An OpenAI key of the caller's own. It is not kept.")


class KeyVerdictSchema(Schema):
    """What OpenAI says of the key."""

    EXAMPLE = {"valid": True, "message": "The API key is valid."}

    valid = fields.Boolean(required=True, metadata={"description": "Whether OpenAI takes it."})
    message = fields.String(required=True, metadata={"description": "The same for people."})
