"""Several upstreams behind one real server: who is asked, who is asked next, what is told of it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from tests.fakes import chunk, frame
from tests.integration.stage import refuse, reset
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server, gunicorn

FILE = """
[upstreams.second]
base_url = "{second}"
api_key_env = "SECOND_KEY"
models = ["second-*"]

[aliases]
quick = "second/tiny"

[fallbacks]
"gpt-4o" = ["second/spare"]
"doomed" = ["second/spare", "mock/mock-1"]
"""


@pytest.fixture(scope="module")
def upstreams() -> Iterator[tuple[ScriptedUpstream, ScriptedUpstream]]:
    with ScriptedUpstream() as first, ScriptedUpstream() as second:
        yield first, second


@pytest.fixture(scope="module")
def routed(
    upstreams: tuple[ScriptedUpstream, ScriptedUpstream], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("routed")
    path = folder / "upstreams.toml"
    path.write_text(FILE.format(second=upstreams[1].url))
    with gunicorn(
        folder,
        OPENAI_BASE_URL=upstreams[0].url,
        OPENAI_API_KEY="sk-canary-first",
        UPSTREAMS_FILE=str(path),
        SECOND_KEY="canary-second-key",
        WEB_CONCURRENCY="1",
        UPSTREAM_TIMEOUT="2",
    ) as server:
        yield server


@pytest.fixture
def first(upstreams: tuple[ScriptedUpstream, ScriptedUpstream]) -> Iterator[ScriptedUpstream]:
    yield upstreams[0]
    upstreams[0].script = answer_plainly


@pytest.fixture
def second(upstreams: tuple[ScriptedUpstream, ScriptedUpstream]) -> Iterator[ScriptedUpstream]:
    upstreams[1].exchanges.clear()
    yield upstreams[1]
    upstreams[1].script = answer_plainly


def ask(server: Server, model: str, **more: Any) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **more}
    return httpx2.post(f"{server.url}/v1/chat/completions", json=body, timeout=20)


def told(reply: httpx2.Response) -> tuple[int, str | None, str | None, str | None]:
    headers = reply.headers
    return (
        reply.status_code,
        headers.get("x-upstream"),
        headers.get("x-upstream-attempts"),
        headers.get("x-model-alias"),
    )


@pytest.mark.usefixtures("first")
def test_a_name_leads_to_its_upstream(routed: Server, second: ScriptedUpstream) -> None:
    assert told(ask(routed, "gpt-4o-mini")) == (200, "openai", "1", None)
    assert told(ask(routed, "second-large")) == (200, "second", "1", None)
    assert told(ask(routed, "second/any")) == (200, "second", "1", "second/any")
    assert told(ask(routed, "quick")) == (200, "second", "1", "quick")
    asked = [exchange for exchange in second.exchanges if exchange.path.endswith("completions")]
    assert [exchange.json["model"] for exchange in asked] == ["second-large", "any", "tiny"]
    assert {exchange.headers["authorization"] for exchange in asked} == {"Bearer canary-second-key"}


def test_a_callers_own_key_is_not_for_a_named_upstream(
    routed: Server, first: ScriptedUpstream, second: ScriptedUpstream
) -> None:
    first.script = refuse(500)
    client = openai.OpenAI(base_url=f"{routed.url}/v1", api_key="sk-canary-own", max_retries=0)
    messages: Any = [{"role": "user", "content": "Hi"}]
    client.chat.completions.create(model="gpt-4o", messages=messages)
    assert first.exchanges[-1].headers["authorization"] == "Bearer sk-canary-own"
    assert second.exchanges[-1].headers["authorization"] == "Bearer canary-second-key"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("failing", "attempts"),
    [(refuse(500), "4"), (refuse(429), "4"), (refuse(401), "2"), (reset, None)],
    ids=["500", "429", "401", "reset"],
)
def test_the_next_one_answers_where_the_first_fails(
    routed: Server,
    first: ScriptedUpstream,
    second: ScriptedUpstream,
    failing: Any,
    attempts: str | None,
    stream: bool,
) -> None:
    ask(routed, "gpt-4o-mini")  # a success, so that nobody cools off here
    first.script = failing
    reply = ask(routed, "gpt-4o", stream=stream)
    status, upstream, tries, alias = told(reply)
    assert (status, upstream, alias) == (200, "second", "gpt-4o")
    assert attempts is None or tries == attempts
    assert second.exchanges[-1].json["model"] == "spare"
    assert not stream or reply.text.endswith("data: [DONE]\n\n")


def test_what_the_first_refuses_is_told(
    routed: Server, first: ScriptedUpstream, second: ScriptedUpstream
) -> None:
    first.script = refuse(400, {"error": {"message": "no", "type": "t", "param": "p", "code": "c"}})
    assert told(ask(routed, "gpt-4o")) == (400, "openai", "1", None)
    assert second.exchanges == []


def test_content_once_shown_is_not_said_anew_by_another(
    routed: Server, first: ScriptedUpstream, second: ScriptedUpstream
) -> None:
    def speak_and_break(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(frame(chunk({"role": "assistant", "content": ""})))
        exchange.chunk(frame(chunk({"content": "half"})))
        exchange.connection.shutdown(socket.SHUT_RDWR)  # a reset might take "half" with it

    first.script = speak_and_break
    reply = ask(routed, "gpt-4o", stream=True)
    assert "half" in reply.text and '"error"' in reply.text and "[DONE]" not in reply.text
    assert second.exchanges == []


def test_who_fails_again_and_again_is_left_alone_and_ready_says_so(
    routed: Server, first: ScriptedUpstream, second: ScriptedUpstream
) -> None:
    first.script = second.script = refuse(500, headers="x-should-retry: false\r\n")
    for _ in range(3):
        reply = ask(routed, "doomed")
        assert told(reply)[:2] == (200, "mock")
    before = len(first.exchanges), len(second.exchanges)
    assert told(ask(routed, "doomed")) == (200, "mock", "1", "doomed")
    assert (len(first.exchanges), len(second.exchanges)) == before

    report = httpx2.get(f"{routed.url}/health/ready")
    upstreams = report.json()["upstreams"]
    assert [upstreams[name]["status"] for name in ("openai", "second", "mock")] == [
        "cooling",
        "cooling",
        "ok",
    ]
    assert report.status_code == 503  # the default one is not well

    reply = ask(routed, "gpt-4o")  # all that it could go to cool off
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "upstream_cooling_off")
    assert 1 <= int(reply.headers["retry-after"]) <= 30
    plain = httpx2.post(f"{routed.url}/chat", json={"message": "Hi", "model": "gpt-4o"})
    assert (plain.status_code, list(plain.json())) == (500, ["error"])

    first.script = answer_plainly
    assert told(ask(routed, "gpt-4o-mini"))[0] == 200  # nobody else is there to ask: it is asked
    assert told(ask(routed, "gpt-4o"))[:2] == (200, "openai"), "and its success counts for all"


def test_all_models_are_listed_with_the_aliases(routed: Server) -> None:
    ids = {model["id"] for model in httpx2.get(f"{routed.url}/v1/models").json()["data"]}
    assert {"gpt-4o-mini", "mock-1", "quick"} <= ids
    assert httpx2.get(f"{routed.url}/models").json()["aliases"]["quick"] == "second/tiny"
    assert httpx2.get(f"{routed.url}/v1/models/mock/mock-1").json()["id"] == "mock-1"


def test_a_mistake_in_the_file_stops_the_start(tmp_path: Any) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[upstreams.x]\nbase_url = 'nope'\n")
    with pytest.raises(RuntimeError, match=r"UPSTREAMS_FILE: upstreams\.x\.base_url"):
        with gunicorn(tmp_path, UPSTREAMS_FILE=str(path)):
            pass


def test_no_key_of_an_upstream_is_told(routed: Server) -> None:
    texts = [httpx2.get(f"{routed.url}{path}").text for path in ("/", "/info", "/health/ready")]
    assert "canary-second-key" not in json.dumps(texts) + routed.log()
