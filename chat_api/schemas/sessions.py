"""`/api/sessions`."""

from __future__ import annotations

from marshmallow import Schema, fields

from chat_api.schemas.fields import Messages, RequestSchema, Text


class SessionRequestSchema(RequestSchema):
    """A session to be begun; an empty object, or no body, will do."""

    EXAMPLE = {"developer_message": "Answer in one word."}

    developer_message = Text(
        allow_none=True, description="What the model is told before all else, in every exchange."
    )


class SessionSchema(Schema):
    """A session."""

    EXAMPLE = {
        "session_id": "kqJ8v1Zr0bTn5xYwE3uHc2Lm",
        "developer_message": "Answer in one word.",
        "created_at": "2026-11-21T09:30:00.000000+00:00",
        "last_activity": "2026-11-21T09:30:00.000000+00:00",
        "message_count": 0,
    }

    session_id = fields.String(required=True, metadata={"description": "Its id, 24 characters."})
    developer_message = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What the model is told before all else."},
    )
    created_at = fields.String(
        required=True, metadata={"description": "When it was begun, ISO 8601, UTC."}
    )
    last_activity = fields.String(
        required=True,
        metadata={"description": "When it was begun or last added to, ISO 8601, UTC."},
    )
    message_count = fields.Integer(
        required=True,
        metadata={"description": "How many messages it holds; the developer's is not counted."},
    )


class SessionWithMessagesSchema(SessionSchema):
    """A session and what was said in it."""

    EXAMPLE = {
        **SessionSchema.EXAMPLE,
        "message_count": 2,
        "messages": [
            {"role": "user", "content": "What is the capital of France?"},
            {"role": "assistant", "content": "Paris."},
        ],
    }

    messages = Messages(required=True, may_be_empty=True, description="Oldest message first.")


class SessionTruncatedSchema(Schema):
    """The end of the session is gone."""

    EXAMPLE = {"message": "Messages deleted", "message_count": 2}

    message = fields.String(required=True, metadata={"description": "Says so."})
    message_count = fields.Integer(
        required=True, metadata={"description": "How many messages are left."}
    )


class SessionDeletedSchema(Schema):
    """The session is gone."""

    EXAMPLE = {"message": "Session deleted"}

    message = fields.String(required=True, metadata={"description": "Says so."})
