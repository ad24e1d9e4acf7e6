"""What hand-written checks take, in JSON Schema: the documentation's `components`."""

from __future__ import annotations

from typing import Any

ROLES = ("developer", "system", "user", "assistant", "tool", "function")
INPUT_ROLES = ("user", "assistant", "system", "developer")
TEXT_PARTS = ("input_text", "output_text")


def array_of(name: str, least: int) -> dict[str, Any]:
    """An array of at least so many of what `SHAPES` has under that name."""
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}, "minItems": least}


def events_of(name: str, last: str | None = None) -> dict[str, Any]:
    """Server-sent events whose data is what `SHAPES` has under that name, in JSON.

    Args:
        last: the data of the last event, where that is no JSON.
    """
    data: dict[str, Any] = {
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": f"#/components/schemas/{name}"},
    }
    if last is not None:
        data = {"anyOf": [{"const": last}, data]}
    # OpenAPI 3.1 says nothing of streams. Some readers take the schema for the whole text, others
    # for each event as an object of its fields: without a `type` it is true for both.
    return {"description": "Each event.", "properties": {"data": data}}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


SHAPES: dict[str, dict[str, Any]] = {
    "Message": {
        "description": "One message of a conversation. Further fields go upstream untouched.",
        **_object(
            ("role",),
            role={"enum": list(ROLES), "description": "Who says it."},
            content={
                "description": "What is said: a text, or an array of parts.",
                "anyOf": [{"type": ["string", "null"]}, array_of("MessagePart", 0)],
            },
        ),
    },
    "MessagePart": {
        "description": "A part of a message. Parts that are no text are the upstream's to judge.",
        "anyOf": [
            _object(("type", "text"), type={"const": "text"}, text={"type": "string"}),
            _object(("type",), type={"type": "string", "not": {"const": "text"}}),
        ],
    },
    "InputMessage": {
        "description": "One message of a response's input.",
        **_object(
            ("role", "content"),
            type={"enum": ["message", None], "description": "May be left out."},
            role={"enum": list(INPUT_ROLES), "description": "Who says it."},
            content={
                "description": "What is said: a text, or an array of text parts.",
                "anyOf": [{"type": "string"}, array_of("InputPart", 0)],
            },
        ),
    },
    "InputPart": {
        "description": "A part of an input message.",
        **_object(("type", "text"), type={"enum": list(TEXT_PARTS)}, text={"type": "string"}),
    },
    "ChatEvent": {
        "description": "A piece of the answer, its end, or why it broke off.",
        "anyOf": [
            _object(("content",), content={"type": "string"}),
            _object(
                ("done", "model", "usage"),
                done={"const": True},
                model={"type": "string"},
                usage={"type": ["object", "null"]},
            ),
            _object(("error",), error={"type": "string"}),
        ],
    },
    "ChatCompletionChunk": {
        "description": "OpenAI's chunk, as the upstream wrote it, or why the answer broke off.",
        "anyOf": [
            _object(("choices",), choices={"type": "array"}),
            _object(("error",), error={"$ref": "#/components/schemas/OpenAIErrorDetail"}),
        ],
    },
}
