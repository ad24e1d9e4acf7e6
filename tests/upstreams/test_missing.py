"""The upstream that stands in where none is set up."""

from __future__ import annotations

import pytest

from chat_api.errors import NoUpstream
from chat_api.upstreams.base import Call
from chat_api.upstreams.missing import MissingUpstream


def test_it_says_what_to_set() -> None:
    upstream = MissingUpstream(default_model="gpt-4o-mini")
    for ask in (upstream.complete, upstream.stream, upstream.embed):
        with pytest.raises(NoUpstream, match="OPENAI_API_KEY"):
            ask(Call({}))


def test_it_offers_no_models_and_is_not_set_up() -> None:
    upstream = MissingUpstream(default_model="gpt-4o-mini")
    assert (upstream.models(), upstream.is_set_up) == ([], False)
    assert upstream.default_model == "gpt-4o-mini"
    upstream.close()
