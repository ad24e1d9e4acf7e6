"""`POST /v1/chat/completions`: OpenAI's request, as far as it is ours to judge."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from chat_api.schemas.fields import Flag, Messages, Number, Object, PassThroughSchema, Text

MOST_CHOICES = 16


class ChatCompletionRequestSchema(PassThroughSchema):
    """OpenAI's chat completion request. Fields not named here go upstream untouched."""

    EXAMPLE = {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Answer in one sentence."},
            {"role": "user", "content": "What is the capital of France?"},
        ],
    }
    ALSO = {
        "not": {
            "required": ["stream_options"],
            "properties": {"stream_options": {"type": "object"}, "stream": {"enum": [False, None]}},
        }
    }

    messages = Messages(required=True, description="The conversation, oldest message first.")
    model = Text(
        is_name=True, allow_none=True, description="Model name; the server's default when left out."
    )
    temperature = Number(0, 2, allow_none=True, description="Sampling temperature, 0 to 2.")
    n = Number(
        1, MOST_CHOICES, whole=True, allow_none=True, description="How many answers, 1 to 16."
    )
    stream = Flag(allow_none=True, description="Stream the answer as server-sent events.")
    stream_options = Object(
        allow_none=True,
        description="With `stream` only; `include_usage` for a last usage chunk.",
        inside={"properties": {"include_usage": {"type": "boolean"}}},
    )

    @validates_schema
    def check_stream_options(self, data: dict[str, Any], **_: Any) -> None:
        """`stream_options` says something about a stream, and nothing where there is none."""
        options = data.get("stream_options")
        if options is None:
            return
        if not data.get("stream"):
            raise ValidationError({"stream_options": ["is allowed only with `stream`: true."]})
        if type(options.get("include_usage", False)) is not bool:
            problem = {"include_usage": ["must be true or false."]}
            raise ValidationError({"stream_options": problem})
