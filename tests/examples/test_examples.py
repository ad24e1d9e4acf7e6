"""Each example as it stands, against a real server with the mock; tests/browser has the pages."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.examples.running import CURL, EXAMPLES, JS, NODE, assert_hook_works, run, start
from tests.examples.running import use_hook as used
from tests.integration.wire import send
from tests.scripted import Exchange, ScriptedUpstream
from tests.servers import Server

needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")
needs_curl = pytest.mark.skipif(CURL is None, reason="curl is not installed")

STREAMING = [
    "python_plain.py",
    "python_openai.py",
    pytest.param("node.mjs", marks=needs_node),
]
ALL = [*STREAMING, pytest.param("curl.sh", marks=needs_curl)]


@pytest.mark.parametrize("name", ALL)
def test_it_answers(mock_server: Server, name: str) -> None:
    code, said, complained = run(EXAMPLES / name, 'Say "é" \\o/', mock_server.url)
    assert (code, complained) == (0, "")
    assert 'You said: Say "é" \\o/' in said


@pytest.mark.parametrize("name", ALL)
def test_it_says_that_an_answer_broke_off(mock_server: Server, name: str) -> None:
    code, said, complained = run(EXAMPLES / name, "a b c [cut=2]", mock_server.url)
    assert code != 0
    assert "You" in said and "[broken: " in complained and "broke off" in said + complained


@pytest.mark.parametrize("name", ALL)
def test_it_says_why_it_was_refused(mock_server: Server, name: str) -> None:
    code, said, complained = run(EXAMPLES / name, "Hi", mock_server.url, api_key="")
    assert code != 0
    assert "wants a key" in said + complained


def break_off(exchange: Exchange) -> None:
    """A stream whose connection ends amid it, as when a server is killed."""
    exchange.start_stream()
    piece = b'data: {"content": "Hel", "choices": [{"index": 0, "delta": {"content": "Hel"}}]}\n\n'
    exchange.chunk(piece)
    exchange.connection.close()


@pytest.mark.parametrize("name", ALL)
def test_it_does_not_take_a_connection_that_broke_off_for_an_end(
    scripted: ScriptedUpstream, name: str
) -> None:
    scripted.script = break_off
    code, said, complained = run(EXAMPLES / name, "Hi", scripted.url.removesuffix("/v1"))
    assert code != 0
    assert "Hel" in said and "[broken: " in complained


@pytest.mark.parametrize("name", STREAMING)
def test_ctrl_c_stops_the_answer(mock_server: Server, name: str) -> None:
    with start(EXAMPLES / name, "a b c d [silence=60]", mock_server.url) as example:
        assert example.stdout
        os.read(example.stdout.fileno(), 1)
        example.send_signal(signal.SIGINT)
        complained = example.communicate(timeout=30)[1]
    assert example.returncode != 0
    assert complained.strip() == "[stopped]"


@pytest.mark.parametrize("origin", ["null", "http://localhost:3000"])
@pytest.mark.parametrize("path", ["/chat/stream", "/ask"])
def test_a_page_from_anywhere_may_ask_with_a_key(
    mock_server: Server, path: str, origin: str
) -> None:
    """`null` is what browsers call a page that was opened as a file."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key",
    }
    reply = send(mock_server, path, method="OPTIONS", headers=headers)
    assert reply.status == 200
    assert reply.headers["Access-Control-Allow-Origin"] in ("*", origin)
    allowed = reply.headers["Access-Control-Allow-Headers"].lower()
    assert "content-type" in allowed and "x-api-key" in allowed


@needs_node
def test_the_react_hook_works(mock_server: Server, tmp_path: Path) -> None:
    shutil.copytree(JS / "react", tmp_path / "node_modules/react")
    (tmp_path / "node_modules/react/package.json").write_text(
        '{"type": "module", "exports": "./index.js"}'
    )
    assert_hook_works(used(tmp_path, "mount_fake.mjs", mock_server))
