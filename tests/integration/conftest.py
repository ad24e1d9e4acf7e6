"""Servers and stages for the integration tests."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
import trustme

from tests.integration.local_model import local_gunicorn
from tests.integration.wire import both_workers
from tests.redis_server import RedisServer
from tests.scripted import ScriptedUpstream
from tests.servers import Server, gunicorn


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    """The upstream of a test file's own servers."""
    with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
def unharmed(relay: Server) -> Iterator[None]:
    """After the test the workers are those of before, and nothing in them crashed."""
    workers, length = both_workers(relay), len(relay.log())
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


@pytest.fixture(scope="session")
def impatient(
    relay_upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with one worker before the upstream of `relay`, for which it waits two seconds: so
    says a `.env`, by the setting's other name. Nothing in it crashes."""
    folder = tmp_path_factory.mktemp("impatient")
    (folder / ".env").write_text("REQUEST_TIMEOUT=2")
    with gunicorn(
        folder,
        OPENAI_BASE_URL=relay_upstream.url,
        OPENAI_API_KEY="sk-canary-server-key",
        WEB_CONCURRENCY="1",
        STREAM_HEARTBEAT_SECONDS="0.3",
    ) as server:
        workers = server.workers()
        yield server
        assert server.workers() == workers
        assert '"crash"' not in server.log() and "Traceback" not in server.log()


@pytest.fixture(scope="session")
def https_upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedUpstream]:
    """The upstream behind `patient`, over TLS."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path_factory.getbasetemp() / "authority.pem"))
    with ScriptedUpstream(tls=context) as upstream:
        yield upstream


@pytest.fixture(scope="session")
def patient(
    https_upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with one worker, warnings as errors, that waits long for its upstream."""
    with gunicorn(
        tmp_path_factory.mktemp("patient"),
        OPENAI_BASE_URL=https_upstream.url,
        OPENAI_API_KEY="sk-canary-server-key",
        WEB_CONCURRENCY="1",
        STREAM_HEARTBEAT_SECONDS="0.3",
        SSL_CERT_FILE=str(tmp_path_factory.getbasetemp() / "authority.pem"),
    ) as server:
        yield server


@pytest.fixture(scope="session")
def local_sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """The SDK before a server with the real local model, which is loaded."""
    with (
        local_gunicorn(tmp_path_factory.mktemp("local")) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as sdk,
    ):
        yield sdk


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that a test may kill."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(binary, tmp_path)
    yield server
    server.kill()
