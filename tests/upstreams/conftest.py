"""Fixtures of this room: real servers and callers, and an eye on what they leave open."""

from __future__ import annotations

import contextlib
import os
import resource
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme

from chat_api.upstreams.connection import Origin
from chat_api.upstreams.ollama import OllamaUpstream
from chat_api.upstreams.openai import OpenAIUpstream
from chat_api.upstreams.transport import Transport
from tests.ollama_wire import root, speak
from tests.scripted import ScriptedUpstream
from tests.upstreams.helpers import Clock, Visitor, eventually, open_sockets
from tests.upstreams.proxies import Proxy
from tests.upstreams.wire import RawServer, Serve


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of an authority that vouches for nobody here."""
    bundle = tmp_path_factory.mktemp("tls") / "strangers.pem"
    trustme.CA().cert_pem.write_to_path(str(bundle))
    return bundle


@pytest.fixture(autouse=True)
def no_network_settings(monkeypatch: pytest.MonkeyPatch, strangers: Path) -> None:
    """Neither the developer's proxy nor the system's certificates reach a test; reading all of
    those would also take a twentieth of a second each time."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_DIR", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(strangers))


@pytest.fixture(autouse=True)
def no_leaks(no_network_settings: None) -> Iterator[None]:
    """Whatever a test opened is closed behind it, at both ends."""
    before = open_sockets()
    yield
    assert eventually(lambda: open_sockets() <= before), "a socket was left open"


@pytest.fixture
def raw() -> Iterator[Callable[..., RawServer]]:
    """Makes servers whose every byte a function writes."""
    with contextlib.ExitStack() as stack:

        def make(serve: Serve, tls: ssl.SSLContext | None = None) -> RawServer:
            return stack.enter_context(contextlib.closing(RawServer(serve, tls)))

        yield make


@pytest.fixture
def transport_to() -> Iterator[Callable[..., Transport]]:
    """Makes transports to a URL."""
    with contextlib.ExitStack() as stack:

        def make(
            url: str,
            *,
            silence: float = 10.0,
            connect: float = 5.0,
            proxies: Mapping[str, str] | None = None,
        ) -> Transport:
            transport = Transport(
                Origin.of(url, proxies or {}),
                connect_timeout_seconds=connect,
                silence_timeout_seconds=silence,
            )
            return stack.enter_context(contextlib.closing(transport))

        yield make


@pytest.fixture
def openai_at() -> Iterator[Callable[..., OpenAIUpstream]]:
    """Makes OpenAI-compatible upstreams at a base URL."""
    with contextlib.ExitStack() as stack:

        def make(base_url: str | None, **options: Any) -> OpenAIUpstream:
            defaults: dict[str, Any] = {
                "name": "openai",
                "provider": "OpenAI",
                "default_model": "gpt-4o-mini",
                "api_key": "sk-server-key-0000",
                "timeout_seconds": 10.0,
                "connect_timeout_seconds": 5.0,
            }
            upstream = OpenAIUpstream(base_url=base_url, **{**defaults, **options})
            return stack.enter_context(contextlib.closing(upstream))

        yield make


@pytest.fixture
def ollama_at() -> Iterator[Callable[..., OllamaUpstream]]:
    """Makes Ollama upstreams at a URL."""
    with contextlib.ExitStack() as stack:

        def make(url: str, **options: Any) -> OllamaUpstream:
            defaults: dict[str, Any] = {
                "default_model": "llama3.2",
                "timeout_seconds": 10.0,
                "connect_timeout_seconds": 5.0,
            }
            upstream = OllamaUpstream(url=url, **{**defaults, **options})
            return stack.enter_context(contextlib.closing(upstream))

        yield make


@pytest.fixture
def ollama(scripted: ScriptedUpstream, ollama_at: Callable[..., OllamaUpstream]) -> OllamaUpstream:
    """An Ollama upstream at `scripted`, which speaks as an Ollama does."""
    scripted.script = speak
    return ollama_at(root(scripted))


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Where `HTTPS_PROXY` may point to."""
    proxy = Proxy()
    with contextlib.closing(proxy.server):
        yield proxy


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    """A caller who can leave."""
    with contextlib.closing(Visitor()) as visitor:
        yield visitor


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server's TLS, with a certificate for loopback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our side trusts the authority, as an operator would make it."""
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))


@pytest.fixture
def scripted_tls(server_tls: ssl.SSLContext, trusted: None) -> Iterator[ScriptedUpstream]:
    """`scripted` over TLS."""
    server = ScriptedUpstream(server_tls)
    yield server
    server.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(time.monotonic)
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Every descriptor below 1,100 is taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2048)), hard))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        file = stack.enter_context(Path("/dev/null").open("rb"))
        while (taken := os.dup(file.fileno())) < 1100:
            stack.callback(os.close, taken)
        os.close(taken)
        yield
