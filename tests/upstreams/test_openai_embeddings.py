"""Vectors from OpenAI-compatible servers, and from those that have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chat_api.errors import (
    CallerGone,
    InvalidRequest,
    KeyMissing,
    UpstreamBroken,
    UpstreamError,
    UpstreamKeyRefused,
    UpstreamRefused,
)
from chat_api.upstreams.base import Call
from chat_api.upstreams.openai import OpenAIUpstream
from tests.fakes import vectors
from tests.scripted import Exchange, ScriptedUpstream
from tests.upstreams.helpers import Visitor, eventually, soon

BODY = {"model": "text-embedding-3-small", "input": ["Grüße", "🙂"], "task": "x"}
NO_MODEL = {"error": {"message": "No model.", "type": "invalid_request_error", "code": "x"}}


@pytest.fixture
def upstream(scripted: ScriptedUpstream, openai_at: Callable[..., OpenAIUpstream]) -> Any:
    scripted.script = lambda exchange: exchange.reply(200, vectors([0.5], [0.25]))
    return openai_at(scripted.url, name="tuned")


def refusing(scripted: ScriptedUpstream, status: int, body: Any) -> None:
    scripted.script = lambda exchange: exchange.reply(status, body)


def test_the_request_and_the_answer_go_as_they_are(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream
) -> None:
    found = upstream.embed(Call(BODY))
    sent = scripted.exchanges[0]
    assert sent.request_line == "POST /v1/embeddings HTTP/1.1"
    assert sent.json == BODY and sent.headers["authorization"] == "Bearer sk-server-key-0000"
    assert found.data == vectors([0.5], [0.25])
    assert found.raw is not None and b'"embedding": [0.5]' in found.raw


def test_a_callers_own_key_is_used(scripted: ScriptedUpstream, upstream: OpenAIUpstream) -> None:
    upstream.embed(Call(BODY, caller_key="sk-own"))
    assert scripted.exchanges[0].headers["authorization"] == "Bearer sk-own"


def test_without_a_key_nothing_is_asked(openai_at: Callable[..., OpenAIUpstream]) -> None:
    with pytest.raises(KeyMissing):
        openai_at(None, api_key=None).embed(Call(BODY))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"<h1>Not Found</h1>"),
        (404, {"detail": "Not Found"}),
        (405, {"detail": "Method Not Allowed"}),
        (501, {"error": {"message": "does not support embeddings", "type": "not_supported"}}),
    ],
)
def test_a_server_without_such_a_route_has_no_embeddings(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, status: int, body: Any
) -> None:
    refusing(scripted, status, body)
    with pytest.raises(InvalidRequest, match="`tuned` has no embeddings") as caught:
        upstream.embed(Call(BODY))
    assert (caught.value.param, caught.value.code) == ("model", "unsupported_value")


@pytest.mark.parametrize(
    ("status", "kind"), [(404, UpstreamRefused), (400, UpstreamRefused), (401, UpstreamKeyRefused)]
)
def test_other_refusals_are_what_they_are_to_chats(
    scripted: ScriptedUpstream,
    upstream: OpenAIUpstream,
    status: int,
    kind: type[UpstreamError],
) -> None:
    refusing(scripted, status, NO_MODEL)
    with pytest.raises(kind):
        upstream.embed(Call(BODY))


@pytest.mark.parametrize(
    "body",
    [b"x", [], {}, {"data": 1}, {"data": [1]}, {"data": [{}]}, {"data": [{"embedding": None}]}],
    ids=str,
)
def test_an_answer_that_is_none(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, body: Any
) -> None:
    refusing(scripted, 200, body)
    with pytest.raises(UpstreamBroken, match="no list of embeddings"):
        upstream.embed(Call(BODY))


def test_a_caller_who_leaves_ends_it(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, visitor: Visitor
) -> None:
    left: list[bool] = []

    def hang(exchange: Exchange) -> None:
        visitor.leave()
        left.append(exchange.wait_until_caller_leaves())

    scripted.script = hang
    with soon(), pytest.raises(CallerGone):
        upstream.embed(Call(BODY, visitor.caller))
    assert eventually(lambda: left == [True]), "the upstream works on"
