"""Servers for commands, and commands in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from chat_api import create_app
from chat_api.settings import Settings
from tests.servers import Server, gunicorn

API_KEY = "canary-of-the-callers"


@pytest.fixture(scope="session")
def mock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one worker and the mock, which wants a key."""
    folder = tmp_path_factory.mktemp("mock")
    with gunicorn(folder, UPSTREAM="mock", API_KEY=API_KEY, WEB_CONCURRENCY="1") as server:
        yield server


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Runs a command in an application of these settings."""

    def run(*arguments: str, input: str | None = None, **settings: Any) -> Result:
        app = create_app(Settings(**{"data_dir": str(tmp_path / "data"), **settings}))
        return app.test_cli_runner().invoke(args=arguments, input=input)

    return run
