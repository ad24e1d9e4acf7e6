"""The databases that store contracts are tested on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from chat_api.stores import schema
from chat_api.stores.conversations import SqlConversationStore
from chat_api.stores.response_base import ResponseBounds
from chat_api.stores.responses import SqlResponseStore
from chat_api.stores.sql import Database, open_database
from tests.contracts.helpers import Clock, limit_store
from tests.redis_server import RedisServer

BACKENDS = ("sqlite", "postgresql")


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


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of this run's own."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(binary, tmp_path_factory.mktemp("redis"))
    yield server.url
    server.kill()


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Where limits are counted, and nothing is yet: a backend and its place."""
    place = str(tmp_path / "data")
    if request.param == "postgresql":
        place = request.getfixturevalue("postgresql_url")
        store: Any = limit_store(request.param, place)
        store.reset()
        store.close()
    if request.param == "redis":
        place = request.getfixturevalue("redis_url")
        with redis.Redis.from_url(place) as client:
            client.flushdb()
    return request.param, place


ResponseStores = tuple[SqlResponseStore, SqlConversationStore]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_stores(database: Database, clock: Clock) -> Callable[..., ResponseStores]:
    """Stores of responses and conversations on a database without any."""
    for table in (schema.responses, schema.conversations):
        database.write(lambda connection, table=table: connection.execute(table.delete()))

    def make(most: int = 100, most_items: int = 100, most_bytes: int = 100_000) -> ResponseStores:
        bounds = ResponseBounds(3600.0, most, most_items, most_bytes)
        return (
            SqlResponseStore(database, bounds, clock),
            SqlConversationStore(database, bounds, clock),
        )

    return make


@pytest.fixture
def stores(make_stores: Callable[..., ResponseStores]) -> ResponseStores:
    return make_stores()


@pytest.fixture
def responses(stores: ResponseStores) -> SqlResponseStore:
    return stores[0]


@pytest.fixture
def conversations(stores: ResponseStores) -> SqlConversationStore:
    return stores[1]
