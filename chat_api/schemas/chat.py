"""`POST /chat` and `POST /chat/stream`."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from chat_api.schemas.fields import Messages, Number, RequestSchema, Text

MOST_TOKENS = 2**31 - 1


class ChatRequestSchema(RequestSchema):
    """One message, and what was said before."""

    EXAMPLE = {
        "message": "And of Italy?",
        "messages": [
            {"role": "user", "content": "What is the capital of France?"},
            {"role": "assistant", "content": "The capital of France is Paris."},
        ],
    }
    ALSO = {
        "not": {
            "required": ["session_id", "messages"],
            "properties": {"session_id": {"type": "string"}, "messages": {"minItems": 1}},
        }
    }

    message = Text(required=True, not_blank=True, description="What the user says now.")
    messages = Messages(
        may_be_empty=True,
        description="The conversation so far, oldest first, as the last reply gave it.",
    )
    session_id = Text(
        allow_none=True,
        description="A session of `POST /api/sessions`: its history is what was said before.",
    )
    model = Text(
        is_name=True, allow_none=True, description="Model name; the server's default when left out."
    )
    temperature = Number(
        0, 2, allow_none=True, description="Sampling temperature, 0 to 2; the model's own default."
    )
    max_tokens = Number(
        1, MOST_TOKENS, whole=True, allow_none=True, description="Most tokens of the answer."
    )

    @validates_schema
    def check_history(self, data: dict[str, Any], **_: Any) -> None:
        """What was said before comes from one place."""
        if data.get("session_id") is not None and data.get("messages"):
            raise ValidationError({"session_id": ["must not be sent together with `messages`."]})


class UsageSchema(Schema):
    """Tokens, as the upstream counted them; null where it did not."""

    prompt_tokens = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Tokens of the conversation."}
    )
    completion_tokens = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Tokens of the answer."}
    )
    total_tokens = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Their sum."}
    )


class ChatReplySchema(Schema):
    """The answer, and the conversation with it: send that back as `messages`."""

    EXAMPLE = {
        "response": "The capital of Italy is Rome.",
        "model": "gpt-4o-mini-2024-07-18",
        "conversation": [
            *ChatRequestSchema.EXAMPLE["messages"],
            {"role": "user", "content": "And of Italy?"},
            {"role": "assistant", "content": "The capital of Italy is Rome."},
        ],
        "usage": {"prompt_tokens": 33, "completion_tokens": 8, "total_tokens": 41},
    }

    response = fields.String(required=True, metadata={"description": "The answer's text."})
    model = fields.String(required=True, metadata={"description": "The model that answered."})
    conversation = Messages(required=True, description="The history, this message, and the answer.")
    usage = fields.Nested(UsageSchema, required=True, metadata={"description": "Tokens used."})
