"""What every upstream is given."""

from __future__ import annotations

from chat_api.upstreams.base import Call


def test_a_call_does_not_show_the_callers_key() -> None:
    assert "sk-secret" not in repr(Call({"model": "m"}, caller_key="sk-secret"))


def test_calls_do_not_share_a_caller() -> None:
    assert Call({}).caller is not Call({}).caller
