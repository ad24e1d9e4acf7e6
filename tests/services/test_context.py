"""What of a long conversation goes upstream."""

from __future__ import annotations

from typing import Any

from chat_api.services.context import fitted

ROOM = 100  # tokens: about 300 bytes


def said(*turns: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"role": role, "content": text} for role, text in turns]


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["content"] for message in messages]


def test_what_fits_goes_as_it_is() -> None:
    messages = said(("developer", "Be brief."), ("user", "Hi"), ("assistant", "Hello!"))
    assert fitted(messages, ROOM) == messages
    assert fitted([], ROOM) == []


def test_the_oldest_exchanges_are_left_out_whole() -> None:
    messages = said(
        ("system", "Be brief."),
        ("user", "one"),
        ("assistant", "x" * 100),
        ("user", "two"),
        ("assistant", "y" * 100),
        ("user", "three"),
    )
    assert texts(fitted(messages, ROOM)) == ["Be brief.", "two", "y" * 100, "three"]


def test_calls_go_with_their_results() -> None:
    """A result without its call is refused by every upstream."""
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "x": "x" * 200}]}
    result = {"role": "tool", "tool_call_id": "1", "content": "y" * 100}
    messages = [*said(("user", "one")), call, result, *said(("assistant", "1"), ("user", "two"))]
    assert texts(fitted(messages, ROOM)) == ["two"]
    assert fitted([*said(("user", "one")), call, result], ROOM)[-1] == result


def test_the_last_exchange_and_what_is_told_first_go_in_any_case() -> None:
    messages = said(("system", "z" * 900), ("user", "one"), ("user", "w" * 900))
    assert fitted(messages, ROOM) == [messages[0], messages[2]]
