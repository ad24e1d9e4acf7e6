"""The SDK's own requests go the transport's way: same trust, same proxy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat_api.errors import UpstreamUnreachable
from chat_api.upstreams.base import Call
from chat_api.upstreams.openai import OpenAIUpstream
from tests.fakes import completion
from tests.scripted import ScriptedUpstream
from tests.upstreams.proxies import Proxy

Upstreams = Callable[..., OpenAIUpstream]
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}


def test_completions_and_models_come_over_tls(
    scripted_tls: ScriptedUpstream, openai_at: Upstreams
) -> None:
    upstream = openai_at(scripted_tls.url)
    assert upstream.complete(Call(BODY)).data == completion()
    assert [model["id"] for model in upstream.models()] == ["gpt-4o-mini"]


@pytest.mark.parametrize("form", ["http://{}", "http://ann:secret@{}", "{}"])
def test_both_go_through_the_proxy(
    proxy: Proxy, scripted_tls: ScriptedUpstream, openai_at: Upstreams, form: str
) -> None:
    """`HTTPS_PROXY=proxy:3128`, without a scheme, is what curl understands too."""
    upstream = openai_at(scripted_tls.url, proxies={"https": form.format(proxy.address)})
    upstream.complete(Call(BODY))
    upstream.models()
    target = f"CONNECT 127.0.0.1:{scripted_tls.port} "
    assert [request.startswith(target) for request in proxy.requests] == [True, True]
    shown = ["Proxy-Authorization: Basic " in request for request in proxy.requests]
    assert shown == ["@" in form] * 2


def test_neither_goes_through_the_proxy_where_no_proxy_says_so(
    proxy: Proxy, scripted_tls: ScriptedUpstream, openai_at: Upstreams
) -> None:
    proxies = {"https": proxy.url, "no": "127.0.0.1"}
    upstream = openai_at(scripted_tls.url, proxies=proxies)
    upstream.complete(Call(BODY))
    upstream.models()
    assert proxy.requests == []


def test_without_tls_the_models_do_not_go_through_it_either(
    proxy: Proxy,
    scripted: ScriptedUpstream,
    openai_at: Upstreams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    upstream = openai_at(scripted.url, proxies={"http": proxy.url, "https": proxy.url})
    upstream.complete(Call(BODY))
    upstream.models()
    assert proxy.requests == []


def test_the_models_of_who_is_not_trusted_are_not_asked_for(
    scripted_tls: ScriptedUpstream,
    openai_at: Upstreams,
    strangers: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(strangers))
    with pytest.raises(UpstreamUnreachable):
        openai_at(scripted_tls.url).models()
    assert scripted_tls.exchanges == []
