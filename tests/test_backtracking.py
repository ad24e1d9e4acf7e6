"""Which patterns are let in: those that cannot go back and forth for long."""

from __future__ import annotations

import re

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
]


@pytest.mark.parametrize("pattern", BOUNDED)
def test_a_pattern_of_few_ways_is_let_in(pattern: str) -> None:
    assert is_bounded(re.compile(pattern))


@pytest.mark.parametrize("pattern", UNBOUNDED)
def test_a_pattern_that_may_try_for_long_is_not(pattern: str) -> None:
    assert not is_bounded(re.compile(pattern))


def test_no_key_is_longer_than_what_patterns_are_judged_by() -> None:
    assert LONGEST_KEY == LONGEST_TEXT
