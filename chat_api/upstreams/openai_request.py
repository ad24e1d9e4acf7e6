"""The heads of requests to OpenAI-compatible servers, from what the SDK would send."""

from __future__ import annotations

from typing import NamedTuple

import openai

COMPLETIONS = "POST", "chat/completions"
EMBEDDINGS = "POST", "embeddings"
MODELS = "GET", "models"
# Ours: the transport writes these itself, or they belong to the SDK's own retries.
OWN_HEADERS = ("accept", "authorization", "content-type", "x-stainless-retry-count")
# They go with the server's key, and would contradict a caller's own.
ACCOUNT_HEADERS = ("openai-organization", "openai-project")


class Heads(NamedTuple):
    """A request's head as far as it is always the same: with the server's own key, and with a
    caller's."""

    ours: bytes
    callers: bytes


def request_heads(client: openai.OpenAI, target: tuple[str, str]) -> Heads:
    """The heads of a route's requests."""
    foreign = OWN_HEADERS + ACCOUNT_HEADERS
    return Heads(*(_request_head(client, target, left_out) for left_out in (OWN_HEADERS, foreign)))


def _request_head(
    client: openai.OpenAI, target: tuple[str, str], left_out: tuple[str, ...]
) -> bytes:
    url = client.base_url
    path = url.raw_path.decode("ascii").rstrip("/")
    method, route = target
    lines = [
        f"{method} {path}/{route} HTTP/1.1",
        f"Host: {url.netloc.decode('ascii')}",
        "Accept: application/json, text/event-stream",
        "Accept-Encoding: identity",  # compressed, a stream could not be looked into
    ]
    if method == "POST":
        lines.append("Content-Type: application/json")
    for name, value in client.default_headers.items():
        if isinstance(value, str) and name.lower() not in left_out:
            lines.append(f"{name}: {value}")
    return "".join(line + "\r\n" for line in lines).encode("latin-1")


def authorization(key: str) -> bytes:
    """The line that goes between a head and its end."""
    return b"Authorization: Bearer %b\r\n" % key.encode()
