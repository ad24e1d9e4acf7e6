"""The JSON of an upstream's: read as far as it can be written again."""

from __future__ import annotations

import orjson
import pytest

from chat_api.upstreams.json_values import MOST_DEPTH, loads


@pytest.mark.parametrize("form", [bytes, bytearray])
def test_the_depth_has_a_limit(form: type) -> None:
    def nested(levels: int) -> bytes:
        return b"[" * levels + b"]" * levels

    value = loads(form(nested(MOST_DEPTH)))
    assert orjson.dumps({"event": {"delta": [value]}})
    for levels in (254, 1_000, 100_000):
        with pytest.raises(orjson.JSONDecodeError):
            loads(form(nested(levels)))


def test_what_is_long_or_has_many_brackets_is_not_deep() -> None:
    for value in ("x" * 10_000, "[" * 10_000, [[]] * 10_000):
        assert loads(orjson.dumps(value)) == value
