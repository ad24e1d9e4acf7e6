"""Servers and stages for the integration tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.wire import Stage
from tests.servers import ScriptedUpstream, Server, answer_plainly, gunicorn


@pytest.fixture
def stage(relay: Server, relay_upstream: ScriptedUpstream) -> Iterator[Stage]:
    """The upstream behind `relay` for one test; afterwards it answers plainly again."""
    yield Stage(relay_upstream)
    relay_upstream.script = answer_plainly


@pytest.fixture
def unharmed(relay: Server) -> Iterator[None]:
    """After the test the workers are those of before, and nothing in them crashed."""
    workers, length = relay.workers(), len(relay.log())
    yield
    assert relay.workers() == workers
    news = relay.log()[length:]
    assert '"crash"' not in news and "Traceback" not in news, news


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one worker that takes bodies of 1,000 bytes, whose upstream is dead and whose
    store has no place to be in."""
    with gunicorn(
        tmp_path_factory.mktemp("small"),
        OPENAI_BASE_URL="http://127.0.0.1:1/v1",
        WEB_CONCURRENCY="1",
        MAX_BODY_BYTES="1000",
        DATA_DIR="/dev/null/data",
    ) as server:
        yield server
