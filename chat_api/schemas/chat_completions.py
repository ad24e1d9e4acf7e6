"""`POST /v1/chat/completions`: OpenAI's request, as far as it is ours to judge."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from chat_api.errors import InvalidRequest
from chat_api.schemas.fields import Flag, Messages, Number, Object, PassThroughSchema, Text
from chat_api.schemas.metadata import Metadata, check_metadata

MOST_CHOICES = 16
MOST_TOOLS = 128


class ChatCompletionRequestSchema(PassThroughSchema):
    """OpenAI's chat completion request. Fields not named here go upstream untouched."""

    EXAMPLE = {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Answer in one sentence."},
            {"role": "user", "content": "What is the capital of France?"},
        ],
    }
    # No fields of the schema's: each would cost every request a microsecond, sent or not.
    ALSO = {
        "properties": {
            "tools": {
                "type": ["array", "null"],
                "maxItems": MOST_TOOLS,
                "description": "What the model may call; each is the upstream's to judge.",
            },
            "store": {
                "type": ["boolean", "null"],
                "description": "Keep the completion here: `GET /v1/chat/completions`.",
            },
            "metadata": {
                **Metadata(allow_none=True, description="").json_schema(),
                "description": "Up to 16 pairs of strings, kept with it.",
            },
        },
        "not": {
            "required": ["stream_options"],
            "properties": {"stream_options": {"type": "object"}, "stream": {"enum": [False, None]}},
        },
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
        inside={
            "properties": {
                "include_usage": {"type": "boolean"},
                "include_obfuscation": {"type": "boolean"},
            }
        },
    )

    @validates_schema
    def check_what_fields_do_not(self, data: dict[str, Any], **_: Any) -> None:
        """What goes by several fields, and fields that have no object of their own."""
        if data.get("stream_options") is not None:
            _check_stream_options(data["stream_options"], data.get("stream"))
        if data.get("tools") is not None:
            _check_tools(data["tools"])
        if data.get("store") is not None and type(data["store"]) is not bool:
            raise ValidationError({"store": ["must be true or false."]})
        if data.get("metadata") is not None:
            try:
                check_metadata(data["metadata"])
            except ValidationError as error:
                raise ValidationError({"metadata": error.messages}) from None


def _check_stream_options(options: dict[str, Any], stream: bool | None) -> None:
    """They say something about a stream, and nothing where there is none."""
    if not stream:
        raise ValidationError({"stream_options": ["is allowed only with `stream`: true."]})
    for name in ("include_usage", "include_obfuscation"):
        if type(options.get(name, False)) is not bool:
            raise ValidationError({"stream_options": {name: ["must be true or false."]}})


def _check_tools(tools: Any) -> None:
    if type(tools) is not list:
        raise ValidationError({"tools": ["must be an array."]})
    if len(tools) > MOST_TOOLS:
        text = f"`tools` must have at most {MOST_TOOLS} items, not {len(tools)}."
        raise InvalidRequest(text, "tools", "array_above_max_length")
    for number, tool in enumerate(tools):
        if type(tool) is not dict:
            raise ValidationError({"tools": {number: ["must be an object."]}})
