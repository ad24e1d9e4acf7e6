"""Requests that name another host to talk to, in all places where a server might look."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.integration.doors import EVERY_DOOR
from tests.integration.pipelining import request

KEY = "sk-proj-" + "canary-" * 22 + "ab"
BODIES: list[tuple[str, dict[str, Any]]] = [
    *[(door.path, door.body()) for door in EVERY_DOOR],
    ("/v1/embeddings", {"model": "m", "input": "Hi"}),
    ("/v1/conversations", {}),
    ("/api/sessions", {}),
    ("/api/test-key", {"api_key": KEY}),
    ("/api/chat", {"user_message": "Hi", "api_key": KEY}),
]
FIELDS = (
    "api_base",
    "base_url",
    "api_url",
    "url",
    "endpoint",
    "host",
    "proxy",
    "http_proxy",
    "upstream",
    "provider",
    "webhook",
    "callback_url",
    "server_url",
    "azure_endpoint",
)
NESTS = ("extra_body", "litellm_params", "metadata", "client_options", "options", "default_headers")
NAMES = (
    "Host",
    "Forwarded",
    "Location",
    "Referer",
    "Origin",
    "X-Forwarded-Host",
    "X-Forwarded-Server",
    "X-Original-URL",
    "X-Host",
    "X-Upstream",
    "X-Base-Url",
    "X-Api-Base",
    "X-Proxy",
    "OpenAI-Base-Url",
    "Helicone-Target-Url",
    "X-Portkey-Custom-Host",
)


class Try(NamedTuple):
    """A request as it is sent, but for who is named in it."""

    path: str
    body: dict[str, Any]
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    is_absolute: bool = False

    def raw(self, address: str) -> bytes:
        """The bytes; the connection ends with the answer."""
        target = f"http://{address}{self.path}" if self.is_absolute else self.path
        lines = [f"{name}: {value}".encode() for name, value in self.headers]
        body = json.dumps(self.body).encode()
        raw = request("POST", target + self.query, b"Connection: close", *lines, body=body)
        hosts = "Host" in dict(self.headers)
        return raw.replace(b"Host: x\r\n", b"", 1) if hosts else raw


def tries(address: str) -> list[Try]:
    """All of them, naming that host and port."""
    return [found for path, body in BODIES for found in _tries_at(path, body, address)]


def _tries_at(path: str, body: dict[str, Any], address: str) -> Iterator[Try]:
    url = f"http://{address}/v1"
    for field in FIELDS:
        yield Try(path, {**body, field: url})
        yield Try(path, {**body, field: {"url": url, "base_url": url}})
    named = dict.fromkeys(FIELDS, url)
    for nest in NESTS:
        yield Try(path, {**body, nest: named})
        yield Try(path, {**body, nest: {"a": [{"b": named}]}})
    for model in (url, f"openai/{url}", f"{address}/gpt-4o", f"//{address}/x", f"gpt-4o@{url}"):
        yield Try(path, {**body, "model": model})
    for field, items in _with_parts(url):
        yield Try(path, {**body, field: items})
    for name, value in itertools.product(NAMES, (address, url)):
        yield Try(path, body, ((name, value),))
    query = "&".join(f"{field}={quote(url, safe='')}" for field in FIELDS)
    yield Try(path, body, query=f"?{query}")
    yield Try(path, body, is_absolute=True)
    yield Try(path, body, (("Host", address),), is_absolute=True)


def _with_parts(url: str) -> Iterator[tuple[str, Any]]:
    """Contents, tools and inputs that name where something lies."""
    image = f"{url}/image.png"
    chat = [
        {"type": "image_url", "image_url": {"url": image}},
        {"type": "file", "file": {"file_url": image, "filename": image}},
        {"type": "video_url", "video_url": {"url": image}},
        {"type": "text", "text": f"![]({image})"},
    ]
    for part in chat:
        yield "messages", [{"role": "user", "content": [part]}]
        yield "messages", [{"role": "user", "content": "Hi", "images": [image]}]
    for kind, name in (("input_image", "image_url"), ("input_file", "file_url")):
        yield "input", [{"role": "user", "content": [{"type": kind, name: image}]}]
    for tool in ("mcp", "web_search", "function", "computer"):
        yield "tools", [{"type": tool, "server_url": url, "server_label": "x", "name": "x"}]
    yield "input", image
