"""Looks for secrets and prompts where none may be: in what every server of the suite logs, stores,
replies and counts (`servers.py` has it looked through), and in what tests log themselves.

Keys are found since the settings that a server is started with say them, and since all others in
tests have the word "canary" in them. Prompts may be stored, but not logged.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import redis
from psycopg import sql

CANARY = b"canary"
TEXTS = (b"Hi at /", b"Hello!")
"""What the callers of `tests/integration/doors.py` say, and what upstreams answer."""
SHORTEST = 8
"""Characters of a key. What is shorter is found where it is not."""
KEY_SETTING = re.compile(r"_KEY(_CYB_SEC)?$")


class LeakFound(AssertionError):
    """Something is where it must not be. It says where, and not what."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(", ".join(found))
        self.found = found


class Secrets:
    """What a server must keep to itself.

    Args:
        environment: the variables that it is started with. Those of the tests' own process are
            not the server's.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.gateway_key = environment.get("API_KEY", "").split(",")[0].strip()
        """One that opens it; "" where it is open to everybody."""
        self._words = {"the word canary": CANARY}
        for name, value in environment.items():
            if KEY_SETTING.search(name) and os.environ.get(name) != value:
                self._add(name, *filter(None, map(str.strip, value.split(","))))
            elif name in ("DATABASE_URL", "REDIS_URL") and (password := urlsplit(value).password):
                self._add(name, password)

    def _add(self, name: str, *values: str) -> None:
        for number, value in enumerate(values):
            if len(value) < SHORTEST:
                raise ValueError(f"{name} must be recognisable: {SHORTEST} characters or more")
            plain = value.encode()
            self._words[f"{name} {number}"] = plain.lower()
            self._words[f"{name} {number}, quoted"] = quote(plain, safe="").lower().encode()
            # As WSGI reads headers. Lowered as bytes, as the data is: of other letters' bytes
            # neither changes.
            self._words[f"{name} {number} as Latin-1"] = plain.decode("latin-1").encode().lower()
            # As PostgreSQL writes bytes.
            self._words[f"{name} {number} in hex"] = plain.hex().encode()

    def of_settings_in(self, data: bytes) -> list[str]:
        """Which of the settings' secrets are there. Not the canary: what callers say may be told
        to them."""
        words = {name: word for name, word in self._words.items() if word != CANARY}
        return _found(words, data)

    def in_store(self, data: bytes) -> list[str]:
        return _found(self._words, data)

    def in_log(self, data: bytes) -> list[str]:
        return _found(self._words, data) + prompts_in(data)


def _found(words: Mapping[str, bytes], data: bytes) -> list[str]:
    lowered = data.lower()
    return [name for name, word in words.items() if word in lowered]


def prompts_in(log: bytes) -> list[str]:
    """Which texts of calls are there."""
    return [f"a text of calls ({text.decode()})" for text in TEXTS if text in log]


def leaks(secrets: Secrets, log: Path, cwd: Path, environment: Mapping[str, str]) -> list[str]:
    """What is in a server's log and stores that must not be."""
    found = [f"{what} in the log" for what in secrets.in_log(log.read_bytes())]
    folder = cwd / (environment.get("DATA_DIR") or "data")
    files = [file for file in folder.rglob("*") if file.is_file()]
    stores = {str(file.relative_to(folder)): file.read_bytes() for file in files}
    if url := environment.get("DATABASE_URL"):
        stores["PostgreSQL"] = rows_of(url)
    if url := environment.get("REDIS_URL"):
        stores["Redis"] = values_of(url)
    for name, data in stores.items():
        found += [f"{what} in {name}" for what in secrets.in_store(data)]
    return found


def rows_of(url: str) -> bytes:
    """All that the schema of that URL holds, as text; nothing where no server is there any more."""
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url) as connection:
        tables = (
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema"
        )
        return b"\n".join(
            str(row).encode()
            for (table,) in connection.execute(tables).fetchall()
            for row in connection.execute(
                sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))
            )
        )
    return b""


def values_of(url: str) -> bytes:
    """All keys and values of that database of a Redis; nothing where it is gone."""
    with contextlib.suppress(redis.ConnectionError), redis.Redis.from_url(url) as client:
        readers: dict[bytes, Any] = {
            b"string": client.get,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"set": client.smembers,
            b"zset": lambda key: client.zrange(key, 0, -1),
            b"hash": client.hgetall,
            b"stream": client.xrange,
        }
        return b"\n".join(
            key + repr(readers[client.type(key)](key)).encode() for key in client.scan_iter()
        )
    return b""
