"""Connecting to an origin: addresses, a proxy's CONNECT, TLS; each wait on a socket watches the
caller too (looking up a name does not: the system's resolver bounds that)."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

from chat_api.errors import UpstreamTimeout, UpstreamUnreachable
from chat_api.upstreams.ends import READABLE, WRITABLE
from chat_api.upstreams.waiting import Caller

MAX_PROXY_HEAD_BYTES = 16_384


@dataclass(frozen=True)
class Origin:
    """Whom to connect to: one scheme, host and port, set by the settings and never by a request."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    proxy: str | None = None
    """URL of an HTTP proxy to go through by CONNECT, for TLS only."""

    @classmethod
    def of(cls, url: str, proxies: Mapping[str, str]) -> Origin:
        """The origin of an http(s) URL; `proxies` as `urllib.request.getproxies` gives them."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https":
            return cls(host, parts.port or 80)
        proxy = proxies.get("https")
        if proxy and "://" not in proxy:
            proxy = f"http://{proxy}"  # as curl reads it
        if proxy and proxy_bypass_environment(host, dict(proxies)):
            proxy = None
        return cls(host, parts.port or 443, ssl.create_default_context(), proxy)


class _Deadline:
    """Until when a connection must stand, and whose leaving ends the wait for it."""

    def __init__(self, seconds: float, caller: Caller) -> None:
        self._until = time.monotonic() + seconds
        self._caller = caller

    def wait(self, sock: socket.socket, events: int, share: int = 1) -> None:
        """Wait for at most the n-th part of what is left."""
        if not self._caller.wait((self._until - time.monotonic()) / share, sock, events):
            raise UpstreamTimeout("The upstream could not be reached in time.")


def connect(origin: Origin, timeout_seconds: float, caller: Caller) -> socket.socket:
    """A connected non-blocking socket, through the proxy and with TLS where the origin says so.

    Raises:
        UpstreamUnreachable: refused, unknown host, a certificate that does not hold.
        UpstreamTimeout: not connected within `timeout_seconds`.
        CallerGone: the caller left meanwhile.
    """
    deadline = _Deadline(timeout_seconds, caller)
    sock: socket.socket | None = None
    try:
        if origin.proxy is None:
            sock = _connect_any(origin.host, origin.port, deadline)
        else:
            proxy = urlsplit(origin.proxy)
            sock = _connect_any(proxy.hostname or "", proxy.port or 80, deadline)
            _tunnel(sock, origin, proxy.username, proxy.password, deadline)
        if origin.tls is not None:
            sock = _handshake(sock, origin, deadline)
        return sock
    # ssl.SSLError and socket.gaierror are OSErrors; a name that cannot be encoded is no host.
    except (OSError, UnicodeError) as error:
        _close(sock)
        raise UpstreamUnreachable("The upstream could not be reached.") from error
    except BaseException:
        _close(sock)
        raise


def _close(sock: socket.socket | None) -> None:
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.close()


def _connect_any(host: str, port: int, deadline: _Deadline) -> socket.socket:
    """Try each address in turn, as `localhost` may be ::1 or 127.0.0.1; each gets its share of
    the time, since one that nobody answers at must not keep us from the next."""
    failure: Exception = OSError("no address")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for number, (family, kind, protocol, _, address) in enumerate(found):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            with contextlib.suppress(BlockingIOError):
                sock.connect(address)
            deadline.wait(sock, WRITABLE, share=len(found) - number)
            if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(code, "connect failed")
            return sock
        except (OSError, UpstreamTimeout) as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
    raise failure


def _tunnel(
    sock: socket.socket,
    origin: Origin,
    user: str | None,
    password: str | None,
    deadline: _Deadline,
) -> None:
    """Ask the proxy for a tunnel (RFC 9110, 9.3.6)."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    lines = [f"CONNECT {host}:{origin.port} HTTP/1.1", f"Host: {host}:{origin.port}"]
    if user:
        pair = f"{unquote(user)}:{unquote(password or '')}".encode()
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}")
    sock.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        deadline.wait(sock, READABLE)
        piece = sock.recv(1)  # not a byte beyond the head: what follows belongs to TLS
        head += piece
        if not piece or len(head) > MAX_PROXY_HEAD_BYTES:
            raise UpstreamUnreachable("The proxy did not open the way to the upstream.")
    if head.split(b" ", 2)[1:2] != [b"200"]:
        raise UpstreamUnreachable("The proxy refused the way to the upstream.")


def _handshake(sock: socket.socket, origin: Origin, deadline: _Deadline) -> ssl.SSLSocket:
    assert origin.tls is not None
    secured = origin.tls.wrap_socket(
        sock, server_hostname=origin.host, do_handshake_on_connect=False
    )
    try:
        while True:
            try:
                secured.do_handshake()
                return secured
            except ssl.SSLWantReadError:
                deadline.wait(secured, READABLE)
            except ssl.SSLWantWriteError:
                deadline.wait(secured, WRITABLE)
    except BaseException:
        secured.close()
        raise
