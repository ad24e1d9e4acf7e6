"""`/api/sessions`."""

from __future__ import annotations

from marshmallow import Schema, fields

from chat_api.schemas.fields import RequestSchema, Text


class SessionRequestSchema(RequestSchema):
    """A session to be begun; an empty object, or no body, will do."""

    developer_message = Text(
        allow_none=True, description="What the model is told before all else, in every exchange."
    )


class SessionSchema(Schema):
    """A session."""

    session_id = fields.String(metadata={"description": "Its id, 24 characters."})
    developer_message = fields.String(
        allow_none=True, metadata={"description": "What the model is told before all else."}
    )
    created_at = fields.String(metadata={"description": "When it was begun, ISO 8601, UTC."})
    last_activity = fields.String(
        metadata={"description": "When it was begun or last added to, ISO 8601, UTC."}
    )
    message_count = fields.Integer(
        metadata={"description": "How many messages it holds; the developer's is not counted."}
    )


class SessionWithMessagesSchema(SessionSchema):
    """A session and what was said in it."""

    messages = fields.List(fields.Dict(), metadata={"description": "Its messages, oldest first."})


class SessionTruncatedSchema(Schema):
    """The end of the session is gone."""

    message = fields.String(metadata={"description": "Says so."})
    message_count = fields.Integer(metadata={"description": "How many messages are left."})


class SessionDeletedSchema(Schema):
    """The session is gone."""

    message = fields.String(metadata={"description": "Says so."})
