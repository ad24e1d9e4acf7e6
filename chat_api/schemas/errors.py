"""How each family of routes tells of errors; `web.errors` writes them."""

from __future__ import annotations

from marshmallow import Schema, fields


class OpenAIErrorDetailSchema(Schema):
    """OpenAI's four keys."""

    message = fields.String(required=True, metadata={"description": "What is wrong."})
    type = fields.String(required=True, metadata={"description": "The kind of error."})
    param = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The field that is wrong: `messages[2].role`."},
    )
    code = fields.String(
        required=True, allow_none=True, metadata={"description": "A word for programs."}
    )


class OpenAIErrorSchema(Schema):
    """An error on `/v1`."""

    error = fields.Nested(
        OpenAIErrorDetailSchema, required=True, metadata={"description": "The error."}
    )


class AskErrorSchema(Schema):
    """An error on `/ask`: a message that a chat can show."""

    role = fields.Constant("assistant", required=True, metadata={"description": "`assistant`."})
    content = fields.String(required=True, metadata={"description": "The text to be shown."})
    error = fields.String(required=True, metadata={"description": "The kind of error."})
    details = fields.String(
        required=True, metadata={"description": "Code, field and request, where known."}
    )


class ApiErrorSchema(Schema):
    """An error on `/api`."""

    detail = fields.String(required=True, metadata={"description": "What is wrong."})


class PlainErrorSchema(Schema):
    """An error on all other routes."""

    error = fields.String(required=True, metadata={"description": "What is wrong."})
    request_id = fields.String(
        metadata={"description": "What the log has it under; for defects of the server."}
    )
