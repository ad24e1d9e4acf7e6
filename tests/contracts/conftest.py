"""The databases that store contracts are tested on."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from chat_api.stores.sql import Database, open_database

SERVER = "postgresql://{user}@127.0.0.1:5432/test"
BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A schema of this run's own in the database `test` of a server on this machine."""
    name = f"chat_api_{uuid.uuid4().hex}"
    for user in ("postgres", getpass.getuser()):
        try:
            server = psycopg.connect(SERVER.format(user=user), autocommit=True, connect_timeout=3)
            break
        except psycopg.OperationalError:
            continue
    else:
        pytest.skip("no PostgreSQL server with a database `test` on 127.0.0.1:5432")
    with server:
        server.execute(f"CREATE SCHEMA {name}")
        yield f"{SERVER.format(user=user)}?options={quote(f'-csearch_path={name}')}"
        server.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> str | None:
    """None for SQLite, as in the settings."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def database(database_url: str | None, tmp_path: Path) -> Iterator[Database]:
    database = open_database(database_url, str(tmp_path / "data"))
    yield database
    database.close()
