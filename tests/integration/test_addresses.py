"""Nothing in a request chooses whom the server talks to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.addresses import BODIES, tries
from tests.integration.stage import Stage
from tests.integration.wire import exchange_raw
from tests.ollama_wire import MODEL, root, speak
from tests.scripted import ScriptedUpstream
from tests.servers import Server, gunicorn


@pytest.fixture
def elsewhere() -> Iterator[ScriptedUpstream]:
    """Whom the requests name."""
    with ScriptedUpstream() as elsewhere:
        yield elsewhere


def assert_nobody_goes(server: Server, elsewhere: ScriptedUpstream) -> None:
    """A third of all tries; `make test-faults` makes the rest too."""
    address = f"127.0.0.1:{elsewhere.port}"
    asked = tries(address)[::3]
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda it: exchange_raw(server, it.raw(address)), asked))
    assert elsewhere.connections == 0
    assert not any(raw.startswith(b"HTTP/1.1 5") for raw in replies)
    answered = {it.path for it, raw in zip(asked, replies, strict=True) if b" 200 OK" in raw[:20]}
    assert answered >= {path for path, _ in BODIES} - {"/api/sessions"}  # that is a 201


def test_no_part_of_a_request_is_an_address(
    relay: Server, stage: Stage, elsewhere: ScriptedUpstream
) -> None:
    assert_nobody_goes(relay, elsewhere)
    own = stage.url.removeprefix("http://").removesuffix("/v1")
    assert {exchange.headers["host"] for exchange in stage.exchanges} == {own}
    paths = {exchange.path.split("?")[0] for exchange in stage.exchanges}
    assert paths == {"/v1/chat/completions", "/v1/embeddings", "/v1/models"}


def test_not_even_of_an_image_that_ollama_could_not_fetch(
    tmp_path: Path, stage: Stage, scripted: ScriptedUpstream, elsewhere: ScriptedUpstream
) -> None:
    """Ollama takes images only as they are: here a server might fetch them for it."""
    scripted.script = speak
    options = {"UPSTREAM": "ollama", "OLLAMA_URL": root(scripted), "OPENAI_BASE_URL": stage.url}
    with gunicorn(tmp_path, OPENAI_MODEL=MODEL, WEB_CONCURRENCY="1", **options) as server:
        assert_nobody_goes(server, elsewhere)
    assert {exchange.headers["host"] for exchange in scripted.exchanges} == {root(scripted)[7:]}
