"""How deeply JSON is nested."""

from __future__ import annotations

import orjson
import pytest

from chat_api.nesting import is_deeper

CHAINS = {
    "arrays": (b"[", b"]"),
    "objects": (b'{"a":', b"}"),
    "both": (b'[{"a":', b"}]"),
    "beside others": (b'[{"a":[]},', b"]"),
}


@pytest.mark.parametrize("kind", CHAINS)
@pytest.mark.parametrize("levels", [2, 10, 100])
def test_the_levels_of_containers_count(kind: str, levels: int) -> None:
    begin, end = CHAINS[kind]
    times = levels // 2 if kind == "both" else levels
    text = begin * times + (b"[]" if kind == "beside others" else b"1") + end * times
    deepest = levels + (2 if kind == "beside others" else 0)
    value = orjson.loads(text)
    for form in (text, text.decode(), bytearray(text)):
        assert is_deeper(value, form, deepest - 1)
        assert not is_deeper(value, form, deepest)


@pytest.mark.parametrize(
    "text", [b"1", b"null", b'"[[[[{{{{"', b"[[],[],[],[],[]]", b'{"a":"[[[[","b":[{}]}']
)
def test_many_brackets_are_no_depth(text: bytes) -> None:
    assert not is_deeper(orjson.loads(text), text, 3)
