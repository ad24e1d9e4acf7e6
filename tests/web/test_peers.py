"""Whose address a request comes from."""

from __future__ import annotations

import pytest

from chat_api.web.peers import peer_of

SOCKET = "192.0.2.1"


def peer(forwarded_for: str | None, trusted_proxies: int, connected: str = SOCKET) -> str:
    environ = {"REMOTE_ADDR": connected}
    if forwarded_for is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded_for
    return peer_of(environ, trusted_proxies)


@pytest.mark.parametrize(
    ("forwarded_for", "trusted_proxies", "expected"),
    [
        (None, 0, SOCKET),
        ("203.0.113.9", 0, SOCKET),
        ("203.0.113.9", 1, "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", 1, "203.0.113.9"),
        ("1.1.1.1,203.0.113.9,10.0.0.1", 2, "203.0.113.9"),
        ("203.0.113.9, 10.0.0.1", 2, "203.0.113.9"),
        # Fewer entries than proxies, or what no proxy writes: the connection's own address.
        (None, 1, SOCKET),
        ("", 1, SOCKET),
        ("203.0.113.9", 2, SOCKET),
        ("203.0.113.9, ", 1, SOCKET),
        ("203.0.113.9, unknown", 1, SOCKET),
        ("203.0.113.999", 1, SOCKET),
        ("203.0.113.9; DROP TABLE", 1, SOCKET),
        ("١.١.١.١", 1, SOCKET),
        # With a port, as some proxies write it.
        ("203.0.113.9:1234", 1, "203.0.113.9"),
        ("[2001:db8::7]:1234", 1, "2001:db8::/64"),
        ("[2001:db8::7]", 1, "2001:db8::/64"),
        # An IPv6 peer may take any address of its network.
        ("2001:db8:1:2:3:4:5:6", 1, "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::9", 1, "2001:db8:1:2::/64"),
        ("fe80::1%eth0", 1, "fe80::/64"),
        ("::ffff:203.0.113.9", 1, "203.0.113.9"),
    ],
)
def test_the_nth_entry_from_the_right_counts(
    forwarded_for: str | None, trusted_proxies: int, expected: str
) -> None:
    assert peer(forwarded_for, trusted_proxies) == expected


@pytest.mark.parametrize(
    ("connected", "expected"),
    [
        ("2001:db8::1", "2001:db8::/64"),
        ("::ffff:192.0.2.1", SOCKET),
        ("::1", "::/64"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_the_connections_own_address(connected: str, expected: str) -> None:
    assert peer(None, 0, connected) == expected
    assert peer("garbage", 1, connected) == expected


def test_behind_a_unix_socket_the_proxy_names_the_peer() -> None:
    assert peer("203.0.113.9", 1, "") == "203.0.113.9"
    assert peer_of({}, 1) == ""
