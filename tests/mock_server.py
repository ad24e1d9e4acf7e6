"""A server with the mock, for tests of what talks to servers. A plugin of conftest.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Server, gunicorn

API_KEY = "canary-of-the-callers"


@pytest.fixture(scope="session")
def mock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker; it wants a key."""
    folder = tmp_path_factory.mktemp("mock")
    with gunicorn(folder, UPSTREAM="mock", API_KEY=API_KEY, WEB_CONCURRENCY="1") as server:
        yield server
