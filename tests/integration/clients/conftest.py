"""The servers that other people's clients talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.clients.running import KEY
from tests.integration.clients.upstream import answer
from tests.integration.local_model import local_gunicorn
from tests.scripted import ScriptedUpstream
from tests.servers import Server, gunicorn


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers before an upstream that answers by what it is asked. It wants a key."""
    upstream = ScriptedUpstream()
    upstream.script = answer
    with gunicorn(
        tmp_path_factory.mktemp("clients"),
        OPENAI_BASE_URL=upstream.url,
        OPENAI_API_KEY="sk-canary-of-the-server",
        API_KEY=KEY,
        WEB_CONCURRENCY="2",
    ) as server:
        yield server
    upstream.close()


@pytest.fixture(scope="session")
def local_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker with the real local model, which is loaded."""
    folder = tmp_path_factory.mktemp("local-clients")
    with local_gunicorn(folder, WEB_CONCURRENCY="1") as server:
        yield server
