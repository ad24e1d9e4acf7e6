"""Through an HTTP proxy by CONNECT, as HTTPS_PROXY and NO_PROXY say."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Callable

import pytest

from chat_api.errors import CallerGone, UpstreamTimeout, UpstreamUnreachable
from chat_api.upstreams.connection import Origin, connect
from chat_api.upstreams.transport import Transport
from chat_api.upstreams.waiting import Caller
from tests.scripted import ScriptedUpstream
from tests.upstreams.helpers import Visitor, after, soon
from tests.upstreams.proxies import Proxy
from tests.upstreams.wire import RawServer, Serve, ask, receive, reset, until_left


def authorization(request: str) -> str | None:
    """What the proxy was shown as `Proxy-Authorization`, decoded."""
    _, found, rest = request.partition("Proxy-Authorization: Basic ")
    return base64.b64decode(rest.split("\r\n")[0]).decode() if found else None


def origin_behind(proxy: Proxy) -> Origin:
    return Origin.of("https://127.0.0.1:9", {"https": proxy.url})


def test_requests_go_through_the_tunnel(
    proxy: Proxy, scripted_tls: ScriptedUpstream, transport_to: Callable[..., Transport]
) -> None:
    transport = transport_to(scripted_tls.url, proxies={"https": proxy.url})
    assert [ask(transport)[0] for _ in range(3)] == [200] * 3
    assert scripted_tls.connections == len(proxy.requests) == 1
    target = f"127.0.0.1:{scripted_tls.port}"
    assert proxy.requests[0].startswith(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n")
    assert authorization(proxy.requests[0]) is None


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("http://a%40n:se%3Acr%40et@{}", "a@n:se:cr@et"),
        ("http://ann@{}", "ann:"),
        ("http://{}", None),
        ("{}", None),
    ],
)
def test_the_proxys_url_may_hold_a_password(
    proxy: Proxy,
    scripted_tls: ScriptedUpstream,
    transport_to: Callable[..., Transport],
    form: str,
    shown: str | None,
) -> None:
    transport = transport_to(scripted_tls.url, proxies={"https": form.format(proxy.address)})
    assert ask(transport)[0] == 200
    assert authorization(proxy.requests[0]) == shown


def test_the_proxys_answer_may_come_in_pieces_with_headers(
    proxy: Proxy, scripted_tls: ScriptedUpstream, transport_to: Callable[..., Transport]
) -> None:
    proxy.answer = (b"HTTP/1.0 200 ok\r\nVia: x\r", b"\nX-A: 1\r\n\r", b"\n")
    assert ask(transport_to(scripted_tls.url, proxies={"https": proxy.url}))[0] == 200


def test_no_proxy_is_respected(
    proxy: Proxy, scripted_tls: ScriptedUpstream, transport_to: Callable[..., Transport]
) -> None:
    proxies = {"https": proxy.url, "no": "other.test,127.0.0.1"}
    assert ask(transport_to(scripted_tls.url, proxies=proxies))[0] == 200
    assert proxy.requests == []
    assert Origin.of("https://api.test", {"https": "http://p:1", "no": ".test"}).proxy is None
    assert Origin.of("https://api.test", {"https": "http://p:1", "no": "else.test"}).proxy


def test_without_tls_there_is_no_tunnel(
    proxy: Proxy, scripted: ScriptedUpstream, transport_to: Callable[..., Transport]
) -> None:
    assert ask(transport_to(scripted.url, proxies={"https": proxy.url, "all": proxy.url}))
    assert proxy.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno",),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n",),
        (b"nonsense\r\n\r\n",),
        (b"HTTP/1.1 502 ",),
        (),
    ],
)
def test_a_proxy_that_refuses_makes_the_upstream_unreachable(
    proxy: Proxy, answer: tuple[bytes, ...]
) -> None:
    proxy.answer = answer
    with pytest.raises(UpstreamUnreachable, match="proxy"):
        connect(origin_behind(proxy), 5, Caller())


def reset_at_once(connection: socket.socket, number: int) -> None:
    receive(connection)
    reset(connection)


def talk_without_end(connection: socket.socket, number: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000)
    until_left(connection)


@pytest.mark.parametrize("serve", [reset_at_once, talk_without_end])
def test_what_is_no_proxy_makes_the_upstream_unreachable(
    raw: Callable[..., RawServer], serve: Serve
) -> None:
    origin = Origin.of("https://127.0.0.1:9", {"https": raw(serve).url})
    with pytest.raises(UpstreamUnreachable):
        connect(origin, 5, Caller())


def test_a_proxy_that_is_not_there_makes_the_upstream_unreachable(proxy: Proxy) -> None:
    proxy.server.close()
    with pytest.raises(UpstreamUnreachable):
        connect(origin_behind(proxy), 5, Caller())


def hang(connection: socket.socket, number: int) -> None:
    until_left(connection)


def test_a_silent_proxy_is_a_time_out(raw: Callable[..., RawServer]) -> None:
    origin = Origin.of("https://127.0.0.1:9", {"https": raw(hang).url})
    with soon(), pytest.raises(UpstreamTimeout):
        connect(origin, 0.15, Caller())


def test_a_caller_who_leaves_at_the_proxy_ends_it(
    raw: Callable[..., RawServer], visitor: Visitor
) -> None:
    origin = Origin.of("https://127.0.0.1:9", {"https": raw(hang).url})
    with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
        connect(origin, 10, visitor.caller)


def test_certificates_are_checked_through_the_tunnel(
    proxy: Proxy, raw: Callable[..., RawServer], server_tls: ssl.SSLContext
) -> None:
    server = raw(hang, server_tls)
    with pytest.raises(UpstreamUnreachable) as caught:
        connect(Origin.of(server.url, {"https": proxy.url}), 5, Caller())
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


def test_an_ipv6_address_is_named_in_brackets(proxy: Proxy) -> None:
    proxy.answer = (b"HTTP/1.1 403 No\r\n\r\n",)
    with pytest.raises(UpstreamUnreachable):
        connect(Origin.of("https://[::1]:8443", {"https": proxy.url}), 5, Caller())
    assert proxy.requests[0].startswith("CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n")
