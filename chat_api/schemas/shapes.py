"""What hand-written checks take, in JSON Schema: the documentation's `components`."""

from __future__ import annotations

from typing import Any

ROLES = ("developer", "system", "user", "assistant", "tool", "function")


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


def object_of(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    """An object with these properties, some of them required, and any others."""
    return {"type": "object", "required": list(required), "properties": properties}


SHAPES: dict[str, dict[str, Any]] = {
    "Message": {
        "description": "One message of a conversation. Further fields go upstream untouched.",
        **object_of(
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
            object_of(("type", "text"), type={"const": "text"}, text={"type": "string"}),
            object_of(("type",), type={"type": "string", "not": {"const": "text"}}),
        ],
    },
    "ChatEvent": {
        "description": "A piece of the answer, its end, or why it broke off.",
        "anyOf": [
            object_of(("content",), content={"type": "string"}),
            object_of(
                ("done", "model", "usage"),
                done={"const": True},
                model={"type": "string"},
                usage={"type": ["object", "null"]},
            ),
            object_of(("error",), error={"type": "string"}),
        ],
    },
    "ChatCompletionChunk": {
        "description": "OpenAI's chunk, as the upstream wrote it, or why the answer broke off.",
        "anyOf": [
            object_of(("choices",), choices={"type": "array"}),
            object_of(("error",), error={"$ref": "#/components/schemas/OpenAIErrorDetail"}),
        ],
    },
}
