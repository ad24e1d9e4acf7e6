"""Whatever bytes come: the same in all splits, and nothing raised that nobody expects.

`make fuzz-deep` looks for more of them, guided by the lines that they reach.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzzing import parsers, seeds
from tests.fuzzing.bodies import good_body, mutated, spoilt
from tests.fuzzing.values import written

settings.register_profile("parsers", deadline=None, derandomize=True, database=None)
CUTS = st.lists(st.integers(0, 2_000), max_size=8)
PARSERS = [
    (parsers.openai_events_are_the_same_in_all_splits, seeds.EVENTS),
    (parsers.ollama_events_are_the_same_in_all_splits, seeds.OLLAMA_LINES),
    (parsers.http_is_the_same_in_all_splits, seeds.RESPONSES),
]
BITS = [b"\r", b"\n", b"\r\n", b"\n\n", b"data: ", b"data:", b": ", b"{", b"}", b'"', b"\\", b"0"]
BITS += [b"[DONE]", b"\xff", b"\xed\xa0\x80", b"\x00", b",", b"null", b"1e999", b"chunked", b" "]


def damaged(pieces: list[bytes]) -> st.SearchStrategy[bytes]:
    """These, with something else in between or instead."""
    parts = [part for piece in pieces for part in piece.splitlines(keepends=True)]
    return st.lists(st.sampled_from(parts + pieces + BITS) | st.binary(max_size=4)).map(b"".join)


@pytest.mark.parametrize(("holds", "pieces"), PARSERS, ids=lambda it: getattr(it, "__name__", ""))
def test_what_comes_is_the_same_in_all_splits(
    holds: Callable[[bytes, parsers.Cuts], None], pieces: list[bytes]
) -> None:
    @settings(settings.get_profile("parsers"), max_examples=400)
    @given(damaged(pieces), CUTS)
    def check(data: bytes, cuts: list[int]) -> None:
        holds(data, cuts)

    check()
    for piece in pieces:
        for cut in range(len(piece)):
            holds(piece, [cut])


@settings(settings.get_profile("parsers"), max_examples=400)
@given(damaged(seeds.BODIES) | st.binary(max_size=20))
def test_a_body_is_what_the_standard_library_says_it_is(data: bytes) -> None:
    parsers.objects_are_those_of_the_standard_library(data)


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions", "/v1/responses", "/ask"])
def test_so_is_what_was_a_good_body_before(path: str) -> None:
    taken = 0
    for number in range(300):
        rng = Random(number)
        body = good_body(rng, path)
        for _ in range(number % 4):
            body = mutated(rng, body)
        raw = written(body)
        parsers.objects_are_those_of_the_standard_library(raw)
        parsers.objects_are_those_of_the_standard_library(spoilt(rng, raw))
        taken += parsers.taken(raw) is not None
    assert 100 < taken < 300
