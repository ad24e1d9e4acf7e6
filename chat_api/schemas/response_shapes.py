"""What the checks of a response's items and tools take, in JSON Schema."""

from __future__ import annotations

from typing import Any

from chat_api.schemas.shapes import array_of, object_of

INPUT_ROLES = ("user", "assistant", "system", "developer")
STATUSES = ("in_progress", "completed", "incomplete")
MOST_TOOLS = 128
"""OpenAI's bound for chat completions."""
SCHEMA_NAME = r"^[a-zA-Z0-9_-]{1,64}$"

STRING = {"type": "string"}
MAYBE_STRING = {"type": ["string", "null"]}
MAYBE_OBJECT = {"type": ["object", "null"]}
MAYBE_FLAG = {"type": ["boolean", "null"]}
NOTHING = {"type": "null"}
ANY_ITEM = {"id": MAYBE_STRING, "status": {"enum": [None, *STATUSES]}}
ANY_PART = {"prompt_cache_breakpoint": MAYBE_OBJECT}
TEXT_PART = object_of(
    ("type", "text"), type={"enum": ["input_text", "output_text"]}, text=STRING, **ANY_PART
)


def _of_kind(kind: str, *required: str, **properties: Any) -> dict[str, Any]:
    return object_of(("type", *required), type={"const": kind}, **properties)


def _texts(kind: str) -> dict[str, Any]:
    """An array of texts of that type, or null."""
    return {"type": ["array", "null"], "items": _of_kind(kind, "text", text=STRING)}


A_FUNCTION = _of_kind("function", "name", name={"type": "string", "minLength": 1})

TOOL_CHOICE: dict[str, Any] = {
    "anyOf": [
        {"enum": [None, "auto", "none", "required"]},
        A_FUNCTION,
        _of_kind(
            "allowed_tools",
            *("mode", "tools"),
            mode={"enum": ["auto", "required"]},
            tools={"type": "array", "items": A_FUNCTION, "minItems": 1},
        ),
    ]
}

TEXT_FORMAT: dict[str, Any] = {
    "anyOf": [
        {"type": "null"},
        object_of(("type",), type={"enum": ["text", "json_object"]}),
        _of_kind(
            "json_schema",
            *("name", "schema"),
            name={"type": "string", "pattern": SCHEMA_NAME},
            schema={"type": "object"},
            strict=MAYBE_FLAG,
            description=MAYBE_STRING,
        ),
    ]
}


def _never(**together: Any) -> dict[str, Any]:
    """That properties of these forms are not sent together."""
    return {"not": {"required": list(together), "properties": together}}


NOT_TOGETHER = [
    _never(previous_response_id={"type": "string"}, conversation={"not": NOTHING}),
    _never(background={"const": True}, store={"const": False}),
    {
        "not": {
            "required": ["stream_options"],
            "properties": {
                "stream_options": {"type": "object"},
                "stream": {"enum": [False, None]},  # or left out
            },
        }
    },
]

RESPONSE_SHAPES: dict[str, dict[str, Any]] = {
    "ResponseEvent": {
        "description": "One of OpenAI's events of a response; the last one has it whole.",
        **object_of(
            ("type", "sequence_number"),
            type={"type": "string", "description": "`response.output_text.delta`, say."},
            sequence_number={"type": "integer", "description": "From 0, without a gap."},
        ),
    },
    "InputItem": {
        "description": "One item of a response's input. Those of hosted tools are not supported.",
        "anyOf": [
            object_of(
                ("role", "content"),
                type={"enum": ["message", None], "description": "May be left out."},
                role={"enum": list(INPUT_ROLES), "description": "Who says it."},
                content={
                    "description": "What is said: a text, or an array of parts.",
                    "anyOf": [STRING, array_of("InputPart", 0)],
                },
                **ANY_ITEM,
            ),
            _of_kind(
                "function_call",
                *("call_id", "name", "arguments"),
                call_id=STRING,
                name=STRING,
                arguments={"type": "string", "description": "A JSON object, as a text."},
                **ANY_ITEM,
            ),
            _of_kind(
                "function_call_output",
                *("call_id", "output"),
                call_id=STRING,
                output={"anyOf": [STRING, {"type": "array", "items": TEXT_PART}]},
                **ANY_ITEM,
            ),
            _of_kind(
                "reasoning",
                summary=_texts("summary_text"),
                content=_texts("reasoning_text"),
                encrypted_content=MAYBE_STRING,
                **ANY_ITEM,
            ),
            {
                **object_of(("id",), type={"enum": ["item_reference", None]}, id=STRING),
                "not": object_of(("role",), type=NOTHING),
            },
        ],
    },
    "InputPart": {
        "description": "A part of an input message.",
        "anyOf": [
            TEXT_PART,
            _of_kind("refusal", "refusal", refusal=STRING, **ANY_PART),
            _of_kind(
                "input_image",
                "image_url",
                image_url={"type": "string", "description": "A data URL, or where it lies."},
                detail=MAYBE_STRING,
                file_id=NOTHING,
                **ANY_PART,
            ),
            _of_kind(
                "input_file",
                "file_data",
                file_data={"type": "string", "description": "A data URL."},
                filename=MAYBE_STRING,
                detail=MAYBE_STRING,
                file_id=NOTHING,
                file_url=NOTHING,
                **ANY_PART,
            ),
            _of_kind(
                "input_audio",
                "input_audio",
                input_audio=object_of(("data", "format"), data=STRING, format=STRING),
                **ANY_PART,
            ),
        ],
    },
    "FunctionTool": {
        "description": "A function that the model may call. Hosted tools are not supported.",
        **object_of(
            ("type", "name"),
            type={"const": "function", "description": "`function`."},
            name={"type": "string", "minLength": 1, "description": "What it is called by."},
            description={**MAYBE_STRING, "description": "What it does, for the model."},
            parameters={**MAYBE_OBJECT, "description": "Its arguments, in JSON Schema."},
            strict={**MAYBE_FLAG, "description": "Whether arguments must fit the schema."},
        ),
    },
}
