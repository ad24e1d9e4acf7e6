"""The fields that requests are made of: strict, described, cheap on long conversations."""

from __future__ import annotations

import re
from typing import Any, NoReturn, TypeVar

from marshmallow import EXCLUDE, INCLUDE, Schema, ValidationError, fields

from chat_api.schemas.shapes import ROLES, array_of

REQUIRED = "is required."
TEXT = "must be a string."
LONGEST_NAME = 256
# No control characters, nothing without a width, nothing that turns the direction of writing: a
# name stands in headers and log lines. Spelt out, so that the documentation can say the same.
NAME = (
    r"^[^\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
    rf"{{0,{LONGEST_NAME}}}$"
)
_ROLES = frozenset(ROLES)
_IS_NAME = re.compile(NAME).fullmatch

T = TypeVar("T")


class RequestSchema(Schema):
    """A request body; unknown fields are ignored.

    Schemas may carry two things for the documentation (`web.openapi`): an `EXAMPLE`, and under
    `ALSO` what no single field can say, in JSON Schema.
    """

    class Meta:
        unknown = EXCLUDE


class PassThroughSchema(Schema):
    """A request body whose unknown fields go upstream untouched."""

    class Meta:
        unknown = INCLUDE


class StrictField(fields.Field[T]):
    """A field that says what is wrong in the same words as all others, and describes itself."""

    def __init__(self, *, description: str, **options: Any) -> None:
        messages: dict[str, Any] = {"required": REQUIRED, "null": "must not be null."}
        metadata = {"description": description}
        super().__init__(**options, error_messages=messages, metadata=metadata)

    def shape(self) -> dict[str, Any]:
        """What is taken, in JSON Schema, null left out."""
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        """What is taken, in JSON Schema."""
        shape = self.shape()
        return {**shape, "type": [shape["type"], "null"]} if self.allow_none else shape


class Text(StrictField[str]):
    """A string; `not_blank` for one that must say something, `is_name` for one that goes into
    headers and log lines."""

    def __init__(self, *, not_blank: bool = False, is_name: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._not_blank = not_blank
        self._is_name = is_name

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if type(value) is not str:
            raise ValidationError(TEXT)
        if self._not_blank and not value.strip():
            raise ValidationError("must not be blank.")
        if self._is_name and not _IS_NAME(value):
            raise ValidationError(f"must have at most {LONGEST_NAME} characters, all visible.")
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        blank = {"minLength": 1, "pattern": r"\S"} if self._not_blank else {}
        name = {"pattern": NAME} if self._is_name else {}
        return {"type": "string", **blank, **name}


class Number(StrictField[float]):
    """A number in a range; `whole` for integers only. Neither "1" nor true is a number."""

    def __init__(self, low: float, high: float, *, whole: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.low = low
        self.high = high
        self.whole = whole

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:
        right_type = type(value) is int or (type(value) is float and not self.whole)
        if not right_type or not self.low <= value <= self.high:
            kind = "a whole number" if self.whole else "a number"
            raise ValidationError(f"must be {kind} from {self.low:g} to {self.high:.12g}.")
        return value  # type: ignore[no-any-return]

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        kind = "integer" if self.whole else "number"
        return {"type": kind, "minimum": self.low, "maximum": self.high}


class Flag(StrictField[bool]):
    """true or false, and nothing that only looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if type(value) is not bool:
            raise ValidationError("must be true or false.")
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return {"type": "boolean"}


class Object(StrictField[dict[str, Any]]):
    """A JSON object whose inside is the upstream's to judge, or a schema's own.

    `inside` describes it, in JSON Schema, and checks nothing.
    """

    def __init__(self, *, inside: dict[str, Any] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._inside = inside or {}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise ValidationError("must be an object.")
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return {"type": "object", **self._inside}


class Messages(StrictField[list[dict[str, Any]]]):
    """A conversation, checked where it lies: nothing is copied, a microsecond a message.

    Marshmallow's nested schemas cost ten times that.
    """

    def __init__(self, *, may_be_empty: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._may_be_empty = may_be_empty

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **_: Any
    ) -> list[dict[str, Any]]:
        if type(value) is not list:
            raise ValidationError("must be an array of messages.")
        if not value and not self._may_be_empty:
            raise ValidationError("must hold at least one message.")
        for index, message in enumerate(value):
            if type(message) is not dict:
                raise ValidationError({index: ["must be an object."]})
            role = message.get("role")
            if type(role) is not str or role not in _ROLES:
                _refuse_role(index, role)
            content = message.get("content")
            if type(content) is not str and content is not None:
                _check_parts(index, content)
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return array_of("Message", 0 if self._may_be_empty else 1)


def _refuse_role(index: int, role: Any) -> NoReturn:
    text = REQUIRED if role is None else TEXT
    if type(role) is str:
        text = f"must be one of {', '.join(ROLES)}."
    raise ValidationError({index: {"role": [text]}})


def _check_parts(index: int, content: Any) -> None:
    if type(content) is not list:
        raise ValidationError({index: {"content": ["must be a string or an array of parts."]}})
    for number, part in enumerate(content):
        problem: Any = None
        if type(part) is not dict:
            problem = ["must be an object."]
        elif type(part.get("type")) is not str:
            problem = {"type": [REQUIRED if part.get("type") is None else TEXT]}
        elif part["type"] == "text" and type(part.get("text")) is not str:
            problem = {"text": [REQUIRED if part.get("text") is None else TEXT]}
        if problem is not None:
            raise ValidationError({index: {"content": {number: problem}}})
