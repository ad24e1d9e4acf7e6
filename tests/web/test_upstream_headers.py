"""Which headers of the upstream's are passed on."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from chat_api.errors import UpstreamFailed
from chat_api.services.clients import CallRecord
from chat_api.web.upstream_headers import advice, pass_on

THEIRS = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-limit-tokens": "9",
    "openai-version": "1",
}


def test_of_limits_ours_are_told_alone() -> None:
    ours = {"x-ratelimit-limit-requests": "30", "x-ratelimit-remaining-requests": "29"}
    headers = Headers(ours)
    pass_on(headers, CallRecord(upstream_headers=THEIRS))
    assert dict(headers) == {**ours, "openai-version": "1"}


def test_without_limits_of_ours_theirs_are_told() -> None:
    headers = Headers()
    pass_on(headers, CallRecord(upstream_headers=THEIRS))
    assert dict(headers) == THEIRS


@pytest.mark.parametrize("wait", ["", "soon", "-1", "1e9", "\n1", "9" * 20, "nan"])
def test_a_wait_that_is_no_number_is_not_told(wait: str) -> None:
    error = UpstreamFailed("x")
    error.headers = {"retry-after-ms": wait}
    assert advice(error) == {}
