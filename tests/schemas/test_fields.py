"""Fields take what they say they take."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from chat_api.schemas.fields import Flag, Number, Object, StrictField, Text
from tests.schemas.shapes import shape

NAME = Text(is_name=True, description="A name.")
SPOKEN = Text(not_blank=True, description="What is said.")
WHOLE = Number(1, 16, whole=True, description="How many.")
PART = Number(0, 2, description="How much.")
FLAG = Flag(description="Whether.")
OBJECT = Object(description="What else.")
MAYBE = Text(allow_none=True, description="What is said, or null.")

GOOD: list[tuple[StrictField[Any], Any]] = [
    (NAME, "gpt-4o-mini"),
    (NAME, "ollama/llama3:8b"),
    (NAME, "模型 é 🐚 \ue000"),
    (NAME, "x" * 256),
    (SPOKEN, " x "),
    (WHOLE, 1),
    (WHOLE, 16),
    (PART, 0.5),
    (PART, 2),
    (FLAG, False),
    (OBJECT, {}),
    (MAYBE, None),
]
BAD: list[tuple[StrictField[Any], Any]] = [
    *((NAME, f"gpt{odd}") for odd in "\0\r\x1b\x7f\x85\xad\u200b\u200e\u2028\u202e\u2066\ufeff"),
    (NAME, "x" * 257),
    (NAME, 1),
    (SPOKEN, ""),
    (SPOKEN, " \t\n\u2003"),
    (WHOLE, 0),
    (WHOLE, 17),
    (WHOLE, True),
    (WHOLE, "1"),
    (WHOLE, 1.5),
    (PART, 2.1),
    (PART, None),
    (FLAG, 0),
    (FLAG, "true"),
    (OBJECT, []),
    (OBJECT, None),
]


@pytest.mark.parametrize(("field", "value"), GOOD, ids=repr)
def test_what_is_taken_is_described_as_taken(field: StrictField[Any], value: Any) -> None:
    assert field.deserialize(value) == value
    assert shape(field).is_valid(value)


@pytest.mark.parametrize(("field", "value"), BAD, ids=repr)
def test_what_is_refused_is_described_as_refused(field: StrictField[Any], value: Any) -> None:
    with pytest.raises(ValidationError):
        field.deserialize(value)
    assert not shape(field).is_valid(value)


def test_a_name_ends_with_no_line_end() -> None:
    with pytest.raises(ValidationError):  # described as refused too, but Python's `$` lets it pass
        NAME.deserialize("gpt\n")
