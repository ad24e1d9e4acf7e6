"""A caller's own key, judged by a list of models that costs nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from chat_api import errors
from chat_api.upstreams.openai import LISTING_TIMEOUT_SECONDS, OpenAIUpstream
from chat_api.upstreams.waiting import Caller
from tests.ports import free_port
from tests.scripted import Exchange, ScriptedUpstream
from tests.upstreams.helpers import Clock, HurriedCaller, Visitor, after

Upstreams = Callable[..., OpenAIUpstream]
KEY = "sk-proj-" + "k" * 156


@pytest.fixture
def upstream(scripted: ScriptedUpstream, openai_at: Upstreams) -> OpenAIUpstream:
    return openai_at(scripted.url)


def test_a_good_key_goes_alone_and_costs_nothing(
    scripted: ScriptedUpstream, openai_at: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-server")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-of-the-server")
    openai_at(scripted.url).check_key(KEY, Caller())
    (sent,) = scripted.exchanges
    assert (sent.request_line, sent.raw) == ("GET /v1/models HTTP/1.1", b"")
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert "content-type" not in sent.headers
    assert "of-the-server" not in str(sent.headers) and "server-key" not in str(sent.headers)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.UpstreamKeyRefused),
        (403, errors.UpstreamKeyRefused),
        (404, errors.UpstreamRefused),
        (429, errors.UpstreamRateLimited),
        (302, errors.UpstreamBroken),
        (500, errors.UpstreamFailed),
        (503, errors.UpstreamOverloaded),
        (504, errors.UpstreamTimeout),
    ],
)
def test_what_else_comes_is_one_of_our_errors_and_not_tried_again(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, status: int, kind: type[Exception]
) -> None:
    words = {"error": {"message": f"Not {KEY}."}}
    headers = f"Retry-After: 7\r\nLocation: {scripted.url}/elsewhere\r\n"
    scripted.script = lambda exchange: exchange.reply(status, words, headers)
    with pytest.raises(errors.UpstreamError) as caught:
        upstream.check_key(KEY, Caller())
    assert type(caught.value) is kind
    assert caught.value.retry_after_seconds == 7
    assert KEY not in str(caught.value)
    if isinstance(caught.value, errors.UpstreamKeyRefused):
        assert caught.value.callers_own
    assert len(scripted.exchanges) == 1


@pytest.mark.parametrize("body", [b"", b"<html>Welcome!</html>", b"{}", b'{"data": null}'])
def test_a_page_that_is_no_list_says_nothing_of_the_key(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, body: bytes
) -> None:
    scripted.script = lambda exchange: exchange.reply(200, body)
    with pytest.raises(errors.UpstreamBroken):
        upstream.check_key(KEY, Caller())


def test_nobody_listening_is_unreachable(openai_at: Upstreams) -> None:
    with pytest.raises(errors.UpstreamUnreachable):
        openai_at(f"http://127.0.0.1:{free_port()}/v1").check_key(KEY, Caller())


def test_silence_is_given_up_soon(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, clock: Clock
) -> None:
    scripted.script = Exchange.wait_until_caller_leaves  # type: ignore[assignment]
    caller = HurriedCaller(clock)
    with pytest.raises(errors.UpstreamTimeout):
        upstream.check_key(KEY, caller)
    assert sum(caller.waits) <= LISTING_TIMEOUT_SECONDS < 10, "not as long as an answer may take"


def test_a_caller_who_leaves_ends_it(
    scripted: ScriptedUpstream, upstream: OpenAIUpstream, visitor: Visitor
) -> None:
    scripted.script = Exchange.wait_until_caller_leaves  # type: ignore[assignment]
    started = time.monotonic()
    with after(0.1, visitor.leave), pytest.raises(errors.CallerGone):
        upstream.check_key(KEY, visitor.caller)
    assert time.monotonic() - started < LISTING_TIMEOUT_SECONDS
