"""A server before a scripted upstream, for all tests that only talk. A plugin of conftest.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.stage import Stage
from tests.scripted import ScriptedUpstream, answer_plainly
from tests.servers import Server, gunicorn


@pytest.fixture(scope="session")
def relay_upstream() -> Iterator[ScriptedUpstream]:
    """The upstream behind `relay`; a test that changes its script puts it back."""
    with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def relay(
    relay_upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One real server with two workers before `relay_upstream`, for all tests that only talk."""
    with gunicorn(
        tmp_path_factory.mktemp("relay"),
        OPENAI_BASE_URL=relay_upstream.url,
        OPENAI_API_KEY="sk-canary-server-key",
        WEB_CONCURRENCY="2",
        UPSTREAM_TIMEOUT="20",
        STREAM_HEARTBEAT_SECONDS="0.3",
    ) as server:
        yield server


@pytest.fixture
def stage(relay: Server, relay_upstream: ScriptedUpstream) -> Iterator[Stage]:
    """The upstream behind `relay` for one test; afterwards it answers plainly again."""
    yield Stage(relay_upstream)
    relay_upstream.script = answer_plainly
