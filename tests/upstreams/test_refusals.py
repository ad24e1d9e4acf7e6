"""Statuses, waits and words of an upstream, in our terms."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest

from chat_api.errors import UpstreamFailed, UpstreamRateLimited, UpstreamRefused
from chat_api.upstreams.refusals import MAX_TEXT, from_status, mask, retry_after

YEAR = 86_400.0 * 365


def refused(body: Any, status: int = 400, **options: Any) -> UpstreamRefused:
    error = from_status(status, {}, body, **options)
    assert isinstance(error, UpstreamRefused)
    return error


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, 0.0),
        ({"retry-after": "inf"}, YEAR),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 99999 07:28:00 GMT"}, None),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "-1"}, 0.0),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after-ms": "soon"}, None),
    ],
)
def test_the_wish_to_wait_is_read_in_every_form(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


def test_a_date_to_wait_for_counts_from_now() -> None:
    seconds = retry_after({"retry-after": formatdate(time.time() + 90, usegmt=True)})
    assert seconds is not None and 80 < seconds <= 90


def test_a_far_date_is_bounded_as_seconds_are() -> None:
    assert retry_after({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}) == YEAR


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"message": "Words."}}, "Words."),
        ({"error": "Words."}, "Words."),
        ({"message": "Words."}, "Words."),
        ({"detail": "Words."}, "Words."),
        ({"error": {"detail": "Words."}}, "Words."),
        ({"error": {"message": ""}}, None),
        ({"error": {"message": 5}}, None),
        ({"error": {}}, None),
        ({"error": None}, None),
        ({"error": ["Words."]}, None),
        ({"detail": [{"loc": ["body"]}]}, None),
        ({}, None),
        ([], None),
        ("Words.", None),
        (None, None),
    ],
)
def test_the_upstreams_words_are_found_in_every_shape(body: Any, text: str | None) -> None:
    assert str(refused(body)) == (text or "The upstream refused the request (400).")


def test_type_param_and_code_are_texts_or_nothing() -> None:
    error = refused({"error": {"message": "M", "type": "t", "param": "p", "code": "c"}}, 422)
    assert (error.status, error.type, error.param, error.code) == (422, "t", "p", "c")
    error = refused({"error": {"message": "M", "type": None, "param": [], "code": 400}})
    assert (error.type, error.param, error.code) == (None, None, None)
    error = refused({"error": "M", "code": "c"})
    assert error.code is None


def test_words_without_end_are_cut() -> None:
    assert str(refused({"error": "x" * 10_000})) == "x" * MAX_TEXT


def test_llama_cpps_context_error_is_openais() -> None:
    body = {
        "error": {
            "code": 400,
            "message": "request (5000 tokens) exceeds the available context size (2048 tokens)",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 5000,
            "n_ctx": 2048,
        }
    }
    error = refused(body)
    found = (error.type, error.param, error.code)
    assert found == ("invalid_request_error", "messages", "context_length_exceeded")
    assert "2048 tokens" in str(error)


@pytest.mark.parametrize(
    ("status", "error", "headers", "retryable"),
    [
        (400, {}, {}, False),
        (401, {}, {}, False),
        (404, {}, {}, False),
        (408, {}, {}, False),
        (409, {}, {}, False),
        (504, {}, {}, False),
        (302, {}, {}, False),
        (429, {}, {}, True),
        (429, {"code": "rate_limit_exceeded"}, {}, True),
        (429, {"code": "insufficient_quota"}, {}, False),
        (429, {"type": "insufficient_quota"}, {}, False),
        (429, {}, {"x-should-retry": "false"}, False),
        (500, {}, {}, True),
        (500, {}, {"x-should-retry": "false"}, False),
        (503, {}, {}, True),
        (529, {}, {"x-should-retry": "true"}, True),
        (501, {}, {}, False),
        (505, {}, {}, False),
    ],
)
def test_only_what_may_pass_is_tried_again(
    status: int, error: dict[str, str], headers: dict[str, str], retryable: bool
) -> None:
    assert from_status(status, headers, {"error": error}).retryable is retryable


def test_a_rate_limit_keeps_its_wait() -> None:
    error = from_status(429, {"retry-after": "3"}, {"error": "Slow down."})
    assert isinstance(error, UpstreamRateLimited)
    assert (str(error), error.status, error.retry_after_seconds) == ("Slow down.", 429, 3.0)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("nothing to hide", "nothing to hide"),
        ("my key-0000, twice key-0000", "my ***, twice ***"),
        ("Incorrect API key provided: sk-proj-abc***xyz_1-2.", "Incorrect API key provided: ***"),
        ("sk-abcdefgh rk-live_12345678 pk-12345678", "*** *** ***"),
        ("'sk-abcdefgh'", "'***'"),
        ("ask-me-anything-else sk-short risk-free-2024-now", None),
    ],
)
def test_keys_are_masked(text: str, masked: str | None) -> None:
    assert mask(text, [None, "", "key-0000"]) == (text if masked is None else masked)


def test_a_key_too_short_to_be_one_takes_no_words_apart() -> None:
    assert mask("nothing here", ["n", "here"]) == "nothing here"


@pytest.mark.parametrize("name", ["type", "param", "code"])
def test_keys_are_masked_in_what_a_refusal_names_too(name: str) -> None:
    told = {"message": "No.", name: "about key-0000" + 300 * "x"}
    error = from_status(400, {}, {"error": told}, keys=["key-0000"])
    assert getattr(error, name) == ("about ***" + 300 * "x")[:256]


def test_keys_in_a_refusal_are_masked_before_it_is_cut() -> None:
    text = "x" * (MAX_TEXT - 4) + " sk-abcdefghijkl and key-0000"
    assert str(refused({"error": text}, keys=("key-0000",))) == "x" * (MAX_TEXT - 4) + " ***"


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ("image input is not supported - hint: provide the mmproj", "messages"),
        ("Failed to parse tools: Unsupported tool type", "tools"),
    ],
)
def test_what_llama_cpp_judges_with_a_500_is_the_callers(text: str, param: str) -> None:
    body = {"error": {"code": 500, "message": text, "type": "server_error"}}
    error = from_status(500, {}, body)
    assert isinstance(error, UpstreamRefused)
    assert (error.status, error.type, error.param) == (400, "invalid_request_error", param)
    assert not error.retryable
    assert isinstance(from_status(502, {}, body), UpstreamFailed)
