"""Which patterns are let in: those that cannot go back and forth for long."""

from __future__ import annotations

import re
import time

import pytest

from chat_api.backtracking import LONGEST_TEXT, is_bounded
from chat_api.services.caller_keys import LONGEST_KEY

BOUNDED = [
    "sk-proj-[A-Za-z0-9_-]{156}",
    "(sk|pk)-(live|test)-[0-9a-f]{20,}",
    r"gsk_\w+",
    r"sk-(proj-|svcacct-)?[\w-]+",
    "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    r"\S+-\S+",
    r"(?i)key-\w*?",
    r"[\w-]++\.[\w-]++\.[\w-]+",
    r"(?>\w+-)*\w+",
    "(?:ab++)*+c",
    r"(?=sk-)\S+(?<!-)",
    "(a)?(?(1)b|c)",
    "(a)-\\1",
    r"\w+-\w+-live",
    "[a-z]*[a-z]*(?:[a-z][a-z]){2}!",
    "(?:a?){18}!",
]
UNBOUNDED = [
    "(a+)+$",
    "(a*)*",
    r"(sk-[\w-]+)+",
    r"([a-z]+-?)+",
    "(a|a?){30}",
    "(a|bc|d?){20,40}",
    "a?" * 30 + "a" * 30,
    r"\S+\S+\S+!",
    r"(?=(\w+)+$)x",
    r"(?>(a+)+)",
    "(?:(?:b?)+)*+c",
    "((((a?){9}){9}){9}){9}",
    r"(a+?)+?",
    "[a-z]*[a-z]*(?:[a-z][a-z]){100}!",
    r"(\w+)\w+\1",
    "(?:a?){19}!",
    "(?:a|aa){19}!",
]


@pytest.mark.parametrize("pattern", BOUNDED)
def test_a_pattern_of_few_ways_is_let_in(pattern: str) -> None:
    assert is_bounded(re.compile(pattern))


@pytest.mark.parametrize("pattern", UNBOUNDED)
def test_a_pattern_that_may_try_for_long_is_not(pattern: str) -> None:
    assert not is_bounded(re.compile(pattern))


@pytest.mark.parametrize("pattern", BOUNDED)
@pytest.mark.parametrize("text", ["a" * LONGEST_TEXT, "a-" * (LONGEST_TEXT // 2)])
def test_what_is_let_in_is_over_soon(pattern: str, text: str) -> None:
    began = time.process_time()
    re.compile(pattern).fullmatch(text)
    assert time.process_time() - began < 0.5  # 0.02 where nobody else is at work


def test_no_key_is_longer_than_what_patterns_are_judged_by() -> None:
    assert LONGEST_KEY == LONGEST_TEXT
