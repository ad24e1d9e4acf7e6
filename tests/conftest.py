"""Fixtures that all tests share."""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from chat_api import create_app
from chat_api.settings import Settings
from chat_api.wiring import Services, build_services
from tests.fakes import FakeUpstream
from tests.scripted import ScriptedUpstream

pytest_plugins = (
    "tests.interrupts",
    "tests.mock_server",
    "tests.own_logs",
    "tests.postgresql",
    "tests.relay",
)


class BufferingClient(FlaskClient):
    """A test client that reads replies to their end and closes them, unless told otherwise."""

    def open(self, *args: Any, buffered: bool = True, **options: Any) -> TestResponse:
        return super().open(*args, buffered=buffered, **options)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failure")


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("Skipped tests count as failures here (--no-skips).", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_collection_finish() -> None:
    """What is there by now stays to the end: looking through it again and again took a tenth of the
    time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def routes_compiled_once() -> Iterator[None]:
    """Werkzeug compiles what would write a route's URL, which nobody asks for, anew for each
    application: three quarters of what one costs, and nearly each test makes one."""
    compile_builder = Rule._compile_builder
    made: dict[tuple[str, str, bool], Any] = {}

    @functools.wraps(compile_builder)
    def once(rule: Rule, append_unknown: bool = True) -> Any:
        key = rule.rule, repr(rule.defaults), append_unknown
        if key not in made:
            made[key] = compile_builder(rule, append_unknown)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", once)
        yield


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the developer's settings nor a `.env` of theirs reach a test."""
    for item in Settings.__dataclass_fields__.values():
        for name in item.metadata.get("names", ()):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def no_log_settings() -> Iterator[None]:
    """How an application of one test logs is nothing to the next one."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def settings() -> Settings:
    return Settings(stream_heartbeat_seconds=0)


@pytest.fixture
def upstream() -> FakeUpstream:
    return FakeUpstream()


@pytest.fixture
def openai_upstream() -> FakeUpstream:
    """Whom keys in the body of a request are for."""
    return FakeUpstream("openai")


@pytest.fixture
def services(
    settings: Settings, upstream: FakeUpstream, openai_upstream: FakeUpstream
) -> Iterator[Services]:
    services = build_services(settings, upstream, openai=openai_upstream)
    yield services
    assert services.gateway.admissions.in_flight == 0, "a call was not let go of"
    streams = upstream.streams + openai_upstream.streams
    assert all(stream.closed for stream in streams), "a stream was left open"
    services.database.close()


@pytest.fixture(autouse=True)
def buffered_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flask's test client leaves replies open, which no server does: read and close them."""
    monkeypatch.setattr(Flask, "test_client_class", BufferingClient)


@pytest.fixture
def app(settings: Settings, services: Services) -> Flask:
    return create_app(settings, services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def scripted() -> Iterator[ScriptedUpstream]:
    """A real upstream on loopback whose behaviour a test writes."""
    with ScriptedUpstream() as upstream:
        yield upstream
