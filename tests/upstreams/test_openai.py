"""Requests as they leave."""

from __future__ import annotations

import socket
from collections.abc import Callable

import openai
import pytest

from chat_api.errors import KeyMissing, UpstreamBroken
from chat_api.upstreams.base import Call
from chat_api.upstreams.openai import OpenAIUpstream
from tests.scripted import ScriptedUpstream
from tests.upstreams.wire import OK, RawServer, receive

Upstreams = Callable[..., OpenAIUpstream]
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Grüße 🙂"}], "x": 1}


@pytest.fixture
def upstream(scripted: ScriptedUpstream, openai_at: Upstreams) -> OpenAIUpstream:
    return openai_at(scripted.url, retry_pause_seconds=0.1)


def test_it_is_what_it_was_told_to_be(openai_at: Upstreams) -> None:
    upstream = openai_at("http://127.0.0.1:9", accepts_caller_keys=True, answers_for=("*",))
    assert (upstream.name, upstream.provider, upstream.is_set_up) == ("openai", "OpenAI", True)
    assert upstream.accepts_caller_keys and upstream.answers_for == ("*",)
    assert (upstream.default_model, upstream.retry_pause_seconds) == ("gpt-4o-mini", 0.25)


def test_the_request_is_openais(scripted: ScriptedUpstream, upstream: OpenAIUpstream) -> None:
    upstream.complete(Call(BODY))
    sent = scripted.exchanges[0]
    assert sent.request_line == "POST /v1/chat/completions HTTP/1.1"
    assert sent.json == BODY
    assert "Grüße 🙂".encode() in sent.raw
    expected = {
        "host": f"127.0.0.1:{scripted.port}",
        "authorization": "Bearer sk-server-key-0000",
        "content-type": "application/json",
        "content-length": str(len(sent.raw)),
        "accept-encoding": "identity",
        "x-stainless-lang": "python",
        "user-agent": f"OpenAI/Python {openai.__version__}",
    }
    assert {name: sent.headers.get(name) for name in expected} == expected
    assert "text/event-stream" in sent.headers["accept"]
    assert "x-stainless-retry-count" not in sent.headers


def test_no_header_is_sent_twice(raw: Callable[..., RawServer], openai_at: Upstreams) -> None:
    heads: list[str] = []

    def serve(connection: socket.socket, number: int) -> None:
        heads.append(receive(connection).partition(b"\r\n\r\n")[0].decode())
        connection.sendall(OK)

    with pytest.raises(UpstreamBroken):
        openai_at(raw(serve).url + "/v1").complete(Call(BODY))
    names = [line.partition(":")[0].lower() for line in heads[0].split("\r\n")[1:]]
    assert sorted(names) == sorted(set(names))


def test_the_sdks_own_environment_is_respected(
    scripted: ScriptedUpstream, openai_at: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj_1")
    openai_at(scripted.url).complete(Call(BODY))
    headers = scripted.exchanges[0].headers
    assert headers["openai-organization"] == "org-1"
    assert headers["openai-project"] == "proj_1"


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("", "/chat/completions"),
        ("/", "/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/a/b%20c/v1", "/a/b%20c/v1/chat/completions"),
    ],
)
def test_the_base_url_may_have_a_path(
    scripted: ScriptedUpstream, openai_at: Upstreams, base: str, path: str
) -> None:
    openai_at(scripted.url.removesuffix("/v1") + base).complete(Call(BODY))
    assert scripted.exchanges[0].path == path


@pytest.mark.parametrize(
    ("server_key", "caller_key", "sent"),
    [
        ("sk-server", None, "Bearer sk-server"),
        ("sk-server", "sk-caller", "Bearer sk-caller"),
        (None, "sk-caller", "Bearer sk-caller"),
        (None, None, None),
    ],
)
def test_the_callers_key_goes_before_the_servers(
    scripted: ScriptedUpstream,
    openai_at: Upstreams,
    server_key: str | None,
    caller_key: str | None,
    sent: str | None,
) -> None:
    openai_at(scripted.url, api_key=server_key).complete(Call(BODY, caller_key=caller_key))
    assert scripted.exchanges[0].headers.get("authorization") == sent


def test_openai_itself_is_not_asked_without_a_key(openai_at: Upstreams) -> None:
    upstream = openai_at(None, api_key=None)
    for ask in (upstream.complete, upstream.stream):
        with pytest.raises(KeyMissing, match="OPENAI_API_KEY"):
            ask(Call(BODY))
