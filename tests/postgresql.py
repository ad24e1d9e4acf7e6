"""A PostgreSQL of this machine, for all tests that store. A plugin of conftest.py."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest

from chat_api.stores.sql import open_database
from tests.leaks import Secrets, rows_of

POSTGRESQL = "postgresql://{user}@127.0.0.1:5432/test"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A schema of this run's own in the database `test` of a server on this machine.

    Its tables are made here: those who make them wait for each other in all of the database, and
    not each test's store has the patience.
    """
    name = f"chat_api_{uuid.uuid4().hex}"
    for user in ("postgres", getpass.getuser()):
        try:
            server = psycopg.connect(
                POSTGRESQL.format(user=user), autocommit=True, connect_timeout=3
            )
            break
        except psycopg.OperationalError:
            continue
    else:
        pytest.skip("no PostgreSQL server with a database `test` on 127.0.0.1:5432")
    with server:
        server.execute(f"CREATE SCHEMA {name}")
        url = f"{POSTGRESQL.format(user=user)}?options={quote(f'-csearch_path={name}')}"
        database = open_database(url, "")
        database.warm_up()
        database.close()
        yield url
        found = Secrets({}).in_store(rows_of(url))
        server.execute(f"DROP SCHEMA {name} CASCADE")
    assert not found, f"{found} in PostgreSQL"
