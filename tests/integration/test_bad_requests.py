"""Requests that are refused whatever their bodies say: path, method; and what every reply has."""

from __future__ import annotations

import pytest

from tests.integration.doors import CHAT, DOORS, V1
from tests.integration.stage import Stage
from tests.integration.wire import Call, ask_at, assert_refused, get, send
from tests.servers import Server

pytestmark = pytest.mark.usefixtures("unharmed")

PLAIN_PATHS = ["/nope", "/chat/", "//chat", "/chat//stream", "/chat/stream/", "/health/"]
PLAIN_PATHS += ["/CHAT", "//v1/models", "/%ff%fe", "/chat/..", "/static/x", "/info/", "/chat%00"]
OPENAI_PATHS = ["/v1/nope", "/v1/chat/completions/", "/v1//chat/completions", "/v1/models/"]
OPENAI_PATHS += ["/v1", "/v1/", "/v1/chat", "/v1/%ff", "/v1/models/no/such/model"]


@pytest.mark.parametrize("path", PLAIN_PATHS + OPENAI_PATHS)
def test_an_unknown_path_is_a_404_and_no_redirect(relay: Server, stage: Stage, path: str) -> None:
    family = V1 if path in OPENAI_PATHS or path.startswith("//v1/") else CHAT
    asked = [get(relay, path)]
    if "no/such" not in path and "/static/" not in path:  # those are routes, for GET
        asked.append(send(relay, path, family.body()))
    for reply in asked:
        assert_refused(family, reply, 404)
        assert reply.headers["Location"] is None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "TRACE", "BREW"])
def test_a_wrong_method_is_a_405_that_names_the_right_one(
    relay: Server, stage: Stage, method: str
) -> None:
    for door in (CHAT, V1):
        if door is V1 and method in ("GET", "HEAD"):
            continue
        reply = send(relay, door.path, method=method)
        assert reply.status == 405
        # What was made with `store` can be listed where it was made.
        reads = {"GET", "HEAD"} if door is V1 else set()
        assert set(reply.headers["Allow"].split(", ")) == {"OPTIONS", "POST", *reads}
        if method == "HEAD":
            assert reply.body == b""
        else:
            assert_refused(door, reply, 405)
    reply = send(relay, "/health", {}, method="POST")
    assert_refused(CHAT, reply, 405)
    assert set(reply.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", ["/chat", "/chat/stream", "/v1/chat/completions", "/v1/models"])
def test_a_preflight_may_ask_for_any_header(relay: Server, path: str) -> None:
    asked = {
        "Origin": "https://front.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, x-stainless-lang",
    }
    reply = send(relay, path, method="OPTIONS", headers=asked)
    assert reply.status in (200, 204)
    assert reply.headers["Access-Control-Allow-Origin"] in ("*", asked["Origin"])
    assert "POST" in reply.headers["Access-Control-Allow-Methods"]
    allowed = reply.headers["Access-Control-Allow-Headers"].lower()
    assert {"authorization", "content-type", "x-stainless-lang"} <= set(allowed.split(", "))
    assert reply.headers["X-Request-ID"]
    assert "Access-Control-Allow-Credentials" not in reply.headers


def test_head_of_a_page_is_its_get_without_the_body(relay: Server) -> None:
    reply = send(relay, "/health", method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["Content-Length"]) == len(get(relay, "/health").body)


def test_a_dead_upstream_is_told_of_at_every_door(small: Server) -> None:
    for door, reply in ask_at(DOORS, small):
        assert reply.status == (502 if door.keeps_statuses else 500)
        assert door.error_text(reply.body)
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert get(small, "/health").status == 200


GOOD_IDS = ["a", "~!@#$%^&*()_+", "x" * 128]
BAD_IDS = ["", "x" * 129, "two words", "caf\u00e9", "tab\there"]


@pytest.mark.parametrize("given", GOOD_IDS + BAD_IDS, ids=lambda given: f"{given[:12]!a}")
def test_a_good_request_id_is_echoed_and_a_bad_one_replaced(relay: Server, given: str) -> None:
    with Call(relay, "/nope", headers={"X-Request-ID": given}) as call:
        found = call.whole().headers["X-Request-ID"]
    if given in GOOD_IDS:
        assert found == given
    else:
        assert found != given and 16 <= len(found) <= 128
