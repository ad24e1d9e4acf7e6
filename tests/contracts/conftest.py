"""The databases that store contracts are tested on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_api.stores.sql import Database, open_database

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
