"""Requests that are HTTP, whatever they say: some good, most with something odd about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import NamedTuple
from urllib.parse import quote

from tests.fuzzing.bodies import good_body, mutated, spoilt
from tests.fuzzing.values import TEXTS, written

Known = Mapping[str, str]
"""Ids of what is there, by what it is: `session`, `response`, …"""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
TOKEN_TEXTS = ["", " ", "0", "-1", "a", "é\xff", "\t", '"', ";;==,,", "x" * 5_000, "%00", "*/*"]
HEADERS: dict[str, list[str]] = {
    "Accept": ["text/html", "text/event-stream", "application/json", "text/html;q=x,*/*;q=-1"],
    "Accept-Encoding": ["gzip", "identity;q=0"],
    "Access-Control-Request-Headers": ["x-a, authorization", "é"],
    "Access-Control-Request-Method": ["POST", "BREW"],
    "Authorization": ["Bearer sk-abcdefgh", "Bearer sk-\xe9", "Bearer", "Basic Og==", "Bearer a b"],
    "Content-Encoding": ["gzip", "identity", "br"],
    "Cookie": ["a=b; $c", "=" * 100],
    "Expect": ["100-continue"],
    "Idempotency-Key": ["key-1", "key-2", "key-3", "x" * 256, "a b", "\xe9"],
    "If-Modified-Since": ["yesterday", "Sat, 21 Nov 2026 19:00:00 GMT"],
    "If-None-Match": ["*", 'W/"x"', '"x'],
    "Last-Event-ID": ["0", "3", "-1", "9" * 30],
    "Origin": ["https://front.example", "null", "http://[::1", "*"],
    "Prefer": ["return=minimal", "return=representation", 'return="minimal";a=b', "return=a,,="],
    "Range": ["bytes=0-1", "bytes=-1", "bytes=9-0,1-2", "lines=1-2"],
    "X-Forwarded-For": ["1.2.3.4", "::1, [::1]:5, 999.1.1.1"],
    "X-Forwarded-Proto": ["https", "gopher"],
    "X-HTTP-Method-Override": ["DELETE"],
    "X-Request-ID": ["my-id", "x" * 129, "\xe9"],
    "x-api-key": ["wrong", "\xff\xfe"],
    "x-stainless-lang": ["python"],
}
TYPES = [
    *("application/json; charset=utf-16", "application/json; charset=nonsense", "text/json"),
    *("application/problem+json", "text/plain", "multipart/form-data", "application/json;;=", ""),
]
QUERIES = ["after", "limit", "order", "model", "metadata[a]", "metadata", "include", "stream"]
QUERIES += ["starting_after", "include_obfuscation", "", "[", "x]"]
ODD_IDS = ["resp_x", "chatcmpl-1", "conv_0", "-1", "9" * 30, "..", "a/b", "%ff", "%", "%zz", "%00"]
ODD_PATHS = [
    "/",
    "//",
    "/nope",
    "/v1",
    "/v1/%ff",
    "/api/",
    "/ask/",
    "/static/../main.py",
    "/%2e%2e",
]
ODD_PATHS += ["/chat;a=b", "/chat%3Fa", "/chat%2Fstream", "/v1/models/" + "a/" * 200, "/ÿ", "*"]


class Route(NamedTuple):
    """A path with names in braces, and a method that it takes."""

    method: str
    path: str


class Request(NamedTuple):
    """One request, as it goes over the wire."""

    method: str
    target: str
    data: bytes


def made_up(rng: Random, routes: list[Route], known: Known, key: str | None) -> Request:
    """A request of the seed's making.

    Args:
        key: what the server wants to see; most requests bring it.
    """
    route = rng.choices(routes, [3 if route.method == "POST" else 1 for route in routes])[0]
    method = route.method if rng.random() < 0.9 else rng.choice(METHODS)
    path = _path(rng, route.path, known) if rng.random() < 0.95 else rng.choice(ODD_PATHS)
    target = path + (_query(rng, known) if rng.random() < 0.3 else "")
    version = "1.1" if rng.random() < 0.98 else "1.0"
    lines = [f"{method} {target} HTTP/{version}", "Host: fuzz"]
    if key is not None and rng.random() < 0.97:
        lines.append(f"x-api-key: {key}")
    odd = rng.choices([0, 1, 3], [6, 3, 1])[0]
    lines += [f"{name}: {_header(rng, name)}" for name in rng.sample(sorted(HEADERS), odd)]
    body = b""
    if method in ("POST", "PUT", "PATCH") or rng.random() < 0.05:
        lines.append("Content-Type: " + ("application/json" if rng.random() < 0.95 else _type(rng)))
        body = _body(rng, route.path, known)
    return Request(method, target, _framed(rng, lines, body))


def _path(rng: Random, path: str, known: Known) -> str:
    def fill(found: re.Match[str]) -> str:
        there = known.get(found[1].removesuffix("_id"))
        if there is not None and rng.random() < 0.85:
            return quote(there, safe="")  # callers may give items ids of their own
        odd = quote(rng.choice(TEXTS[:-1]), safe="", errors="replace")
        return rng.choice([odd, *ODD_IDS])

    return re.sub(r"\{(\w+)\}", fill, path)


def _query(rng: Random, known: Known) -> str:
    texts = [*TEXTS[:-1], *TOKEN_TEXTS, *known.values(), "true", "asc", "20", "101", "9" * 30]
    pairs = [(rng.choice(QUERIES), rng.choice(texts)) for _ in range(rng.randrange(4))]
    made = "&".join(f"{name}={quote(text, errors='replace')}" for name, text in pairs)
    return "?" + made + rng.choice(["", "", "&", "&&=", "%", "%ff=%ff", "?;a"])


def _header(rng: Random, name: str) -> str:
    return rng.choice(HEADERS[name] if rng.random() < 0.7 else TOKEN_TEXTS)


def _type(rng: Random) -> str:
    return rng.choice(TYPES)


def _body(rng: Random, path: str, known: Known) -> bytes:
    body = good_body(rng, path)
    for _ in range(rng.choices([0, 1, 2, 5], [2, 5, 2, 1])[0]):
        body = mutated(rng, body)
    raw = written(body)
    for name, there in known.items():
        raw = raw.replace(b"{%b}" % name.encode(), there.encode())
    return spoilt(rng, raw) if rng.random() < 0.08 else raw


def _framed(rng: Random, lines: list[str], body: bytes) -> bytes:
    if body and rng.random() < 0.1:
        framing = "Transfer-Encoding: chunked"
        cut = rng.randrange(len(body))
        pieces = [piece for piece in (body[:cut], body[cut:]) if piece]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    else:
        framing = f"Content-Length: {len(body)}"
    return "\r\n".join([*lines, framing, "", ""]).encode("latin-1", "replace") + body
