"""`POST /v1/responses`: OpenAI's request, as far as it is ours to judge."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from chat_api.errors import InvalidRequest
from chat_api.schemas.fields import (
    REQUIRED,
    TEXT,
    Flag,
    Number,
    Object,
    PassThroughSchema,
    StrictField,
    Text,
)
from chat_api.schemas.shapes import INPUT_ROLES, TEXT_PARTS, array_of

MOST_TOKENS = 2**31 - 1
MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512

NOT_YET: dict[str, tuple[Any, ...]] = {
    "access_programs": (),
    "background": (False,),
    "context_management": ([],),
    "conversation": (),
    "image": (),
    "include": ([],),
    "max_tool_calls": (),
    "moderation": (),
    "previous_response_id": (),
    "prompt": (),
    "stream": (False,),
    "stream_options": (),
    "tool_choice": ("auto", "none"),
    "tools": ([],),
    "top_logprobs": (0,),
    "truncation": ("disabled",),
    # These belong to chat completions, and would change what is asked there:
    "messages": (),
    "n": (1,),
}
"""Parameters that are refused, but for values that mean the same as leaving them out."""


class Input(StrictField[Any]):
    """A text, or a conversation: messages of text. Items of another kind are refused by name."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if type(value) is list:
            if not value:
                raise ValidationError("must hold at least one item.")
            for index, item in enumerate(value):
                _check_item(f"input[{index}]", index, item)
        elif type(value) is not str:
            raise ValidationError("must be a string or an array of items.")
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return {"anyOf": [{"type": "string"}, array_of("InputMessage", 1)]}


class ResponseRequestSchema(PassThroughSchema):
    """OpenAI's request for a response. What is neither described here nor refused goes upstream
    untouched."""

    EXAMPLE = {"input": "What is the capital of France?"}
    ALSO = {
        "properties": {
            name: {"enum": [None, *values], "description": "Not supported yet."}
            for name, values in NOT_YET.items()
        }
    }

    input = Input(required=True, description="A text, or messages, oldest first.")
    model = Text(
        is_name=True, allow_none=True, description="Model name; the server's default when left out."
    )
    instructions = Text(allow_none=True, description="A system message before the input.")
    temperature = Number(0, 2, allow_none=True, description="Sampling temperature, 0 to 2.")
    top_p = Number(0, 1, allow_none=True, description="Nucleus sampling, 0 to 1.")
    max_output_tokens = Number(
        1, MOST_TOKENS, whole=True, allow_none=True, description="Most tokens of the answer."
    )
    metadata = Object(
        allow_none=True,
        description="Up to 16 pairs of strings, given back.",
        inside={
            "maxProperties": MOST_PAIRS,
            "propertyNames": {"maxLength": LONGEST_KEY},
            "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE},
        },
    )
    parallel_tool_calls = Flag(allow_none=True, description="Given back; there are no tools yet.")
    reasoning = Object(
        allow_none=True,
        description="`effort`: how long to think.",
        inside={"properties": {"effort": {}}, "additionalProperties": {"type": "null"}},
    )
    store = Flag(allow_none=True, description="Taken, but nothing is stored yet.")
    text = Object(
        allow_none=True,
        description="`verbosity`; `format` of type `text`.",
        inside={
            "properties": {"verbosity": {}, "format": {"enum": [None, {"type": "text"}]}},
            "additionalProperties": {"enum": [None, {"type": "text"}]},
        },
    )
    safety_identifier = Text(allow_none=True, description="Tells your users apart.")
    prompt_cache_key = Text(allow_none=True, description="Tells similar requests apart.")
    user = Text(allow_none=True, description="Tells your users apart; older name.")

    @validates_schema
    def check_metadata(self, data: dict[str, Any], **_: Any) -> None:
        """OpenAI's bounds."""
        pairs = data.get("metadata") or {}
        fits = all(
            len(key) <= LONGEST_KEY and type(value) is str and len(value) <= LONGEST_VALUE
            for key, value in pairs.items()
        )
        if len(pairs) > MOST_PAIRS or not fits:
            text = f"must be up to {MOST_PAIRS} pairs of strings of up to {LONGEST_KEY} and "
            raise ValidationError({"metadata": [f"{text}{LONGEST_VALUE} characters."]})

    @validates_schema
    def check_support(self, data: dict[str, Any], **_: Any) -> None:
        """What is not there yet is refused, never dropped."""
        for name, value in data.items():
            if name in NOT_YET and value is not None and not _is_one_of(value, NOT_YET[name]):
                _refuse(name)
        for name, value in (data.get("text") or {}).items():
            if name != "verbosity" and value not in (None, {"type": "text"}):
                _refuse(f"text.{name}")
        for name, value in (data.get("reasoning") or {}).items():
            if name != "effort" and value is not None:
                _refuse(f"reasoning.{name}")


def _is_one_of(value: Any, values: tuple[Any, ...]) -> bool:
    """As JSON sees it: to Python `false` is 0, and `true` is 1."""
    return any(type(value) is type(known) and value == known for known in values)


def _refuse(param: str) -> None:
    text = f"`{param}` is not supported by this server yet."
    raise InvalidRequest(text, param, "unsupported_parameter")


def _check_item(path: str, index: int, item: Any) -> None:
    if type(item) is not dict:
        raise ValidationError({index: ["must be an object."]})
    if item.get("type") not in (None, "message"):
        _refuse_value(f"{path}.type", item["type"])
    role = item.get("role")
    if role not in INPUT_ROLES:
        wanted = f"must be one of {', '.join(INPUT_ROLES)}."
        raise ValidationError({index: {"role": [REQUIRED if role is None else wanted]}})
    content = item.get("content")
    if type(content) is list:
        for number, part in enumerate(content):
            _check_part(f"{path}.content[{number}]", index, number, part)
    elif type(content) is not str:
        wanted = "must be a string or an array of parts."
        raise ValidationError({index: {"content": [REQUIRED if content is None else wanted]}})


def _check_part(path: str, index: int, number: int, part: Any) -> None:
    problem: Any = None
    if type(part) is not dict:
        problem = ["must be an object."]
    elif part.get("type") is None:
        problem = {"type": [REQUIRED]}
    elif part["type"] not in TEXT_PARTS:
        _refuse_value(f"{path}.type", part["type"])
    elif type(part.get("text")) is not str:
        problem = {"text": [REQUIRED if part.get("text") is None else TEXT]}
    if problem is not None:
        raise ValidationError({index: {"content": {number: problem}}})


def _refuse_value(param: str, value: Any) -> None:
    text = f"`{param}`: `{str(value)[:100]}` is not supported by this server yet."
    raise InvalidRequest(text, param, "unsupported_value")
