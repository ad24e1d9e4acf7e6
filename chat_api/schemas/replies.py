"""What `/v1` answers. Upstreams write the first of these, and may write more than stands here:
these schemas document, they never load or dump a reply."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields

USAGE = {"prompt_tokens": 24, "completion_tokens": 8, "total_tokens": 32}
ANSWER = "The capital of France is Paris."


class _OpenSchema(Schema):
    class Meta:
        unknown = INCLUDE


class ChoiceSchema(_OpenSchema):
    """One answer."""

    index = fields.Integer(required=True, metadata={"description": "Its number, from 0."})
    message = fields.Dict(required=True, metadata={"description": "What the assistant says."})
    finish_reason = fields.String(
        allow_none=True, metadata={"description": "`stop`, `length`, `tool_calls`, …"}
    )


class ChatCompletionSchema(_OpenSchema):
    """OpenAI's chat completion, as the upstream wrote it."""

    EXAMPLE = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_767_225_600,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": ANSWER, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }

    id = fields.String(metadata={"description": "The completion's id."})
    object = fields.String(metadata={"description": "`chat.completion`."})
    created = fields.Integer(metadata={"description": "UTC epoch seconds."})
    model = fields.String(metadata={"description": "The model that answered."})
    choices = fields.List(
        fields.Nested(ChoiceSchema), required=True, metadata={"description": "The answers."}
    )
    usage = fields.Dict(allow_none=True, metadata={"description": "Tokens used."})


class ShortMessageSchema(Schema):
    """The answer as a message."""

    role = fields.Constant("assistant", required=True, metadata={"description": "`assistant`."})
    content = fields.String(required=True, metadata={"description": "The answer's text."})


class ShortResponseSchema(Schema):
    """The short form of a response."""

    EXAMPLE = {
        "model": "gpt-4o-mini-2024-07-18",
        "output": {"role": "assistant", "content": ANSWER},
    }

    model = fields.String(required=True, metadata={"description": "The model that answered."})
    output = fields.Nested(
        ShortMessageSchema, required=True, metadata={"description": "The answer."}
    )


class ResponseDeletedSchema(Schema):
    """The response is gone."""

    EXAMPLE = {"id": "resp_1", "object": "response", "deleted": True}

    id = fields.String(required=True, metadata={"description": "The response's id."})
    object = fields.Constant("response", required=True, metadata={"description": "`response`."})
    deleted = fields.Constant(True, required=True, metadata={"description": "true."})


class ResponseSchema(_OpenSchema):
    """OpenAI's response object. What the request said of itself is given back in it."""

    EXAMPLE = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_767_225_600,
        "completed_at": 1_767_225_601,
        "status": "completed",
        "incomplete_details": None,
        "error": None,
        "model": "gpt-4o-mini-2024-07-18",
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [
                    {"type": "output_text", "text": ANSWER, "annotations": [], "logprobs": []}
                ],
            }
        ],
        "usage": {
            "input_tokens": 24,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 8,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 32,
        },
    }

    id = fields.String(required=True, metadata={"description": "The response's id."})
    object = fields.Constant("response", required=True, metadata={"description": "`response`."})
    created_at = fields.Integer(required=True, metadata={"description": "UTC epoch seconds."})
    completed_at = fields.Integer(
        required=True, allow_none=True, metadata={"description": "UTC epoch seconds."}
    )
    status = fields.String(
        required=True,
        metadata={"description": "How it stands: `completed`, …"},
    )
    incomplete_details = fields.Dict(
        required=True, allow_none=True, metadata={"description": "Why it is not whole: `reason`."}
    )
    error = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "`code` and `message` of a failure."},
    )
    model = fields.String(required=True, metadata={"description": "The model that answered."})
    output = fields.List(
        fields.Dict(),
        required=True,
        metadata={"description": "Messages, calls, thoughts."},
    )
    usage = fields.Dict(required=True, allow_none=True, metadata={"description": "Tokens used."})
