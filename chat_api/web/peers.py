"""Whose address a request comes from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

# Some proxies write the port behind the address.
WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+")
IPV6_NETWORK = 64
"""Bits of an address that are a household's or a machine's own. The rest each of them may fill in
anew for every request."""


def peer_of(environ: Mapping[str, Any], trusted_proxies: int) -> str:
    """The address of who asks: an IPv4 address, an IPv6 network, or "" for a Unix socket.

    Each proxy appends the address that it was called from to `X-Forwarded-For`, so the n-th entry
    from the right was written by the n-th proxy in front of this server, and all to the left of it
    by whoever likes to. With no trusted proxy the header means nothing; where it does not hold what
    trusted proxies would have written, the connection's own address counts.

    Args:
        environ: WSGI's; the lines of a header that came several times are joined by commas there.
        trusted_proxies: how many there are, one behind the other.
    """
    connected = _network(environ.get("REMOTE_ADDR", "")) or ""
    if not trusted_proxies:
        return connected
    entries = forwarded_for(environ)
    if len(entries) < trusted_proxies:
        return connected
    return _network(entries[-trusted_proxies].strip()) or connected


def forwarded_for(environ: Mapping[str, Any]) -> list[str]:
    """What proxies, or whoever likes to, wrote into `X-Forwarded-For`; the nearest one last."""
    header: str = environ.get("HTTP_X_FORWARDED_FOR", "")
    return header.split(",") if header else []


def _network(text: str) -> str | None:
    """What callers are told apart by, None where the text is no address."""
    if found := WITH_PORT.fullmatch(text):
        text = found[1] or found[2]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:  # how a socket for both shows IPv4: they would all be one network
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), IPV6_NETWORK), strict=False))
