"""The forms that settings may have: each function reads one, from a text that is not empty."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from chat_api.backtracking import is_bounded

POSTGRESQL_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
REDIS_TLS_OPTIONS = {"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile"}
"""What may stand behind the `?` of a REDIS_URL beside `db`, with TLS only. The client takes more,
and of what it does not know it says so with the first connection only."""

Form = Callable[[str], Any]
"""Reads a value; raises ValueError where it has another form."""


def text(value: str) -> str:
    return value.strip()


def name(value: str) -> str:
    """One line: it goes into headers and log lines."""
    value = value.strip()
    if not value.isprintable():
        raise ValueError(value)
    return value


def names(value: str) -> tuple[str, ...]:
    """At least one: commas alone are a mistake."""
    found = tuple(name(part) for part in value.split(",") if part.strip())
    if not found:
        raise ValueError(value)
    return found


def key(value: str) -> str:
    """Visible ASCII: a key goes into a header."""
    value = value.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError(value)
    return value


def keys(value: str) -> tuple[str, ...]:
    """What callers send in a header, which may hold more than ASCII, but no white space."""
    found = names(value)
    if any(part.split() != [part] for part in found):
        raise ValueError(value)
    return found


def host(value: str) -> str:
    """An address, or a name that has one: Gunicorn would try a wrong one again and again."""
    value = value.strip()
    try:
        socket.getaddrinfo(value, None)
    except (OSError, UnicodeError) as error:
        raise ValueError(value) from error
    return value


def url(value: str) -> str:
    value = value.strip()
    parts = urlsplit(value)
    fit = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    if not fit or "@" in parts.netloc or parts.query or parts.fragment or " " in value:
        raise ValueError(value)
    return value.rstrip("/")


def ollama_url(value: str) -> str:
    """Ollama's root, also from the URL of its chat route, which many tutorials set."""
    return url(value).removesuffix("/api/chat").rstrip("/")


def one_of(*choices: str) -> Form:
    def read(value: str) -> str:
        choice = value.strip().lower()
        if choice not in choices:
            raise ValueError(value)
        return choice

    return read


def flag(value: str) -> bool:
    word: str = one_of("true", "false")(value)
    return word == "true"


def whole(low: int, high: int) -> Form:
    return _within(low, high, int)


def number(low: float, high: float) -> Form:
    return _within(low, high, float)


def _within(low: float, high: float, read_number: Callable[[str], float]) -> Form:
    def read(value: str) -> float:
        found = read_number(value)
        if not low <= found <= high:  # false for NaN too
            raise ValueError(value)
        return found

    return read


def seconds(low: float) -> Form:
    return number(low, 86_400)


def pattern(value: str) -> re.Pattern[str]:
    """One that no caller's text keeps busy."""
    try:
        found = re.compile(value.strip())
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(value) from error
    if not is_bounded(found):
        raise ValueError(value)
    return found


def postgresql_url(value: str) -> str:
    value = value.strip()
    parts = urlsplit(value)
    if parts.scheme not in POSTGRESQL_SCHEMES or parts.path in ("", "/") or parts.port == 0:
        raise ValueError(value)  # a port that is no number raises by itself
    return value


def redis_url(value: str) -> str:
    value = value.strip()
    parts = urlsplit(value)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme == "unix":
        fit = parts.path.startswith("/")
    else:
        database = parts.path.strip("/") or "0"
        fit = parts.hostname is not None and parts.port != 0 and database.isdecimal()
        fit = fit and parts.scheme in ("redis", "rediss")
    known = {"db"} | (REDIS_TLS_OPTIONS if parts.scheme == "rediss" else set())
    if not fit or not options.keys() <= known or not options.get("db", "0").isdecimal():
        raise ValueError(value)
    return value
