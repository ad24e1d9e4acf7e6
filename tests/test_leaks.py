"""A secret that is planted is found, wherever it is."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis

from tests.integration.pipelining import pipeline, request
from tests.integration.wire import exchange_raw, get
from tests.leaks import LeakFound, Secrets
from tests.ports import free_port
from tests.redis_server import RedisServer
from tests.servers import ROOT, Server, clean_environment, running

KEY = "sk-planted-schlüssel"
ENVIRONMENT = {"OPENAI_API_KEY": KEY}


@contextlib.contextmanager
def files(folder: Path, **environment: str) -> Iterator[Server]:
    """A server of the files in a folder, which logs what it is asked for."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    env = {**ENVIRONMENT, **environment}
    with running(command, port, folder / "log", cwd=folder, env=env, path="/") as server:
        yield server


def test_who_keeps_all_to_itself_is_let_go(tmp_path: Path) -> None:
    with files(tmp_path) as server:
        assert get(server, "/").status == 200


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (f"/{quote(KEY)}", "OPENAI_API_KEY"),
        (f"/{quote(KEY).upper()}", "OPENAI_API_KEY"),
        (f"/{KEY}", "OPENAI_API_KEY 0 as Latin-1"),  # as which the server reads that line
        ("/sk-Canary-of-somebody", "canary"),
        ("/Hello!", "a text of calls"),
    ],
)
def test_it_is_found_in_the_log(tmp_path: Path, path: str, what: str) -> None:
    with pytest.raises(LeakFound, match=f"{what}.* in the log"), files(tmp_path) as server:
        exchange_raw(server, request("HEAD", path, b"Connection: close"))


def test_it_is_found_in_a_file_of_the_store(tmp_path: Path) -> None:
    with pytest.raises(LeakFound, match="in x.sqlite3"), files(tmp_path):
        (tmp_path / "data").mkdir()
        with contextlib.closing(sqlite3.connect(tmp_path / "data" / "x.sqlite3")) as database:
            database.execute("CREATE TABLE t (v)")
            database.execute("INSERT INTO t VALUES (?)", (f"before {KEY} behind",))
            database.commit()


def test_it_is_found_in_the_figures(tmp_path: Path) -> None:
    (tmp_path / "metrics").write_text(f'a{{key="{KEY}"}} 1\n')
    with pytest.raises(LeakFound, match="in the figures"), files(tmp_path):
        pass


def test_it_is_found_in_replies(tmp_path: Path) -> None:
    (tmp_path / "page").write_text(KEY)
    with files(tmp_path) as server:
        for ask in (
            lambda: get(server, "/page"),
            lambda: exchange_raw(server, request("GET", "/page", b"Connection: close")),
            lambda: pipeline(server, [("GET", request("GET", "/page"))]),
        ):
            with pytest.raises(LeakFound, match="OPENAI_API_KEY 0 in a reply"):
                ask()


@pytest.mark.parametrize("type_of", ["text", "bytea"])
def test_it_is_found_in_postgresql(tmp_path: Path, postgresql_url: str, type_of: str) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE planted (v {type_of})")
        value = KEY.encode() if type_of == "bytea" else KEY
        connection.execute("INSERT INTO planted VALUES (%s)", (value,))
        try:
            with (
                pytest.raises(LeakFound, match="in PostgreSQL"),
                files(tmp_path, DATABASE_URL=postgresql_url),
            ):
                pass
        finally:
            connection.execute("DROP TABLE planted")


def test_it_is_found_in_redis(tmp_path: Path) -> None:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(binary, tmp_path)
    try:
        with redis.Redis.from_url(server.url) as client:
            client.rpush("counts", "1", "sk-canary-of-somebody")
        with (
            pytest.raises(LeakFound, match="the word canary in Redis"),
            files(tmp_path, REDIS_URL=server.url),
        ):
            pass
    finally:
        server.kill()


def test_it_is_found_in_what_a_test_logs_itself(tmp_path: Path) -> None:
    test = tmp_path / "test_planted.py"
    test.write_text('def test_it():\n    print(\'{"event":"request","key":"sk-canary"}\')\n')
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.own_logs", str(test)]
    env = {**clean_environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "test_it logged the word canary" in done.stdout


def test_a_key_that_could_not_be_found_is_refused() -> None:
    with pytest.raises(ValueError, match="API_KEY must be recognisable"):
        Secrets({"API_KEY": "recognisable,short"})
