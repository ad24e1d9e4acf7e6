"""Small fields that only a response's request has."""

from __future__ import annotations

from typing import Any

from chat_api.schemas.checks import OBJECT, may, need, one_of, unsupported, wrong
from chat_api.schemas.fields import StrictField

INCLUDABLE = (
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
)


class Conversation(StrictField[Any]):
    """A conversation's id, bare or in an object."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if type(value) is dict:
            need(str, "conversation", value, "id")
        elif type(value) is not str:
            raise wrong("conversation", "must be a string, or an object with an `id`.")
        return value

    def json_schema(self) -> dict[str, Any]:
        """See `StrictField.json_schema`."""
        held = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
        return {"anyOf": [{"type": ["string", "null"]}, held]}


class Include(StrictField[list[str]]):
    """What else the response shall hold."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if type(value) is not list:
            raise wrong("include", "must be an array.")
        for number, name in enumerate(value):
            one_of(f"include[{number}]", name, INCLUDABLE)
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return {"type": "array", "items": {"enum": list(INCLUDABLE)}}


class OneOf(StrictField[str]):
    """One of a few words."""

    def __init__(self, *words: str, **options: Any) -> None:
        super().__init__(**options)
        self._words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        one_of(str(attr), value, self._words)
        return value

    def json_schema(self) -> dict[str, Any]:
        """See `StrictField.json_schema`."""
        return {"enum": [*([None] if self.allow_none else ()), *self._words]}


class Members(StrictField[dict[str, Any]]):
    """An object of which the named members are known, and no others.

    Args:
        members: their names and the types of their values; all may be left out, or null.
    """

    def __init__(self, members: dict[str, type], **options: Any) -> None:
        super().__init__(**options)
        self._members = members

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if type(value) is not dict:
            raise wrong(str(attr), OBJECT)
        for name, inner in value.items():
            if name in self._members:
                may(self._members[name], str(attr), value, name)
            elif inner is not None:
                raise unsupported(f"{attr}.{name}")
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        names = {str: "string", bool: "boolean"}
        return {
            "type": "object",
            "properties": {n: {"type": [names[kind], "null"]} for n, kind in self._members.items()},
            "additionalProperties": {"type": "null"},
        }
