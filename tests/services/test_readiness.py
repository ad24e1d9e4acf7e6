"""What the last calls showed of each upstream."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from pytest_mock import MockerFixture

from chat_api import errors
from chat_api.services.clients import Client
from chat_api.settings import Settings
from chat_api.upstreams.missing import MissingUpstream
from chat_api.upstreams.refusals import from_status
from chat_api.upstreams_file import UpstreamsFile
from chat_api.wiring import Services, build_services
from tests.fakes import FakeUpstream, chunk, completion


def body() -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hi"}]}


def call(services: Services, *answers: Any, client: Client | None = None) -> None:
    """One whole call after another, however they end."""
    for _ in answers:
        with contextlib.suppress(errors.UpstreamError):
            services.gateway.complete(body(), client or Client())


def upstream_entry(services: Services) -> tuple[str, str]:
    entry = services.readiness.report()[1]["checks"]["upstream"]
    return entry["status"], entry["detail"]


def test_it_tells_how_the_last_call_went(services: Services, upstream: FakeUpstream) -> None:
    assert upstream_entry(services) == ("ok", "fake")
    answers = errors.UpstreamTimeout("silent"), from_status(400, {}, None), completion()
    upstream.enqueue(*answers)
    for expected in (("down", "silent"), ("ok", "fake"), ("ok", "fake")):
        call(services, None)
        assert upstream_entry(services) == expected


def test_a_callers_bad_key_does_not_make_the_upstream_look_down(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(from_status(401, {}, None, callers_key="sk-own"))
    call(services, None, client=Client(upstream_key="sk-own"))
    assert upstream_entry(services) == ("ok", "fake")


def test_a_stream_that_breaks_makes_the_upstream_look_down(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue([chunk({"content": "x"})])
    with pytest.raises(errors.UpstreamBroken):
        list(services.gateway.stream(body(), Client()))
    assert upstream_entry(services)[0] == "down"


def test_who_leaves_early_has_learned_nothing(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(errors.UpstreamTimeout("silent"), [chunk({"content": "x"}), 5.0])
    call(services, None)
    services.gateway.stream(body(), Client()).close()
    assert upstream_entry(services) == ("down", "silent")


def test_a_failure_is_forgotten_after_a_while(
    services: Services, upstream: FakeUpstream, mocker: MockerFixture
) -> None:
    upstream.enqueue(errors.UpstreamTimeout("silent"))
    call(services, None)
    assert upstream_entry(services) == ("down", "silent")
    later = time.monotonic() + 31
    mocker.patch("chat_api.services.health.time.monotonic", return_value=later)
    assert upstream_entry(services) == ("ok", "fake")


def test_nobody_is_asked(services: Services, upstream: FakeUpstream) -> None:
    services.readiness.report()
    assert (upstream.calls, upstream.listed) == ([], 0)


def test_each_upstream_has_an_entry_and_the_default_one_decides() -> None:
    first, second = FakeUpstream("first"), FakeUpstream("second")
    second.listing = [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]
    services = build_services(Settings(), first, second)
    second.enqueue(*[errors.UpstreamTimeout("silent")] * 3)
    for _ in range(3):
        with pytest.raises(errors.UpstreamTimeout):
            services.gateway.complete({**body(), "model": "m"}, Client())
    is_ready, report = services.readiness.report()
    assert (is_ready, report["status"]) == (True, "ready")
    assert report["upstreams"]["first"] == {"status": "ok", "detail": "first"}
    entry = report["upstreams"]["second"]
    assert (entry["status"], entry["detail"]) == ("cooling", "silent")
    assert 0 < entry["seconds"] <= 30
    services.database.close()


def test_with_a_fallback_that_is_well_it_is_ready() -> None:
    first, second = FakeUpstream("first"), FakeUpstream("second")
    further = UpstreamsFile(fallbacks={"*": ("second/m",)})
    services = build_services(Settings(further=further), first, second)
    first.enqueue(*[errors.UpstreamTimeout("silent")] * 3)
    second.enqueue(completion(), *[errors.UpstreamTimeout("silent")] * 3)
    call(services, None, None, None)
    is_ready, report = services.readiness.report()
    assert (is_ready, report["checks"]["upstream"]["status"]) == (True, "cooling")
    call(services, None)
    is_ready, report = services.readiness.report()
    assert (is_ready, report["upstreams"]["second"]["status"]) == (False, "cooling")
    services.database.close()


def test_one_failed_call_is_told_of_and_no_reason_to_send_none(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(*[errors.UpstreamTimeout("silent")] * 3, completion())
    for expected in (True, True, False, True):
        call(services, None)
        assert services.readiness.report()[0] is expected


def test_without_an_upstream_it_is_not_ready() -> None:
    services = build_services(Settings(), MissingUpstream(default_model="gpt-4o-mini"))
    is_ready, report = services.readiness.report()
    assert (is_ready, report["checks"]["upstream"]["detail"]) == (False, "none is set up")
    services.database.close()
