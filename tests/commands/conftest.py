"""Commands in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from chat_api import create_app
from chat_api.settings import Settings


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Runs a command in an application of these settings."""

    def run(*arguments: str, input: str | None = None, **settings: Any) -> Result:
        app = create_app(Settings(**{"data_dir": str(tmp_path / "data"), **settings}))
        return app.test_cli_runner().invoke(args=arguments, input=input)

    return run
