"""The local model's life: real llama.cpp, the real model, real signals."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chat_api.upstreams import local, local_process
from tests.integration.local_model import LOADING_SECONDS, local_gunicorn
from tests.integration.wire import PATIENCE_SECONDS, wait_for
from tests.ports import free_port

MODEL = local.find_model(None) or Path()
pytestmark = pytest.mark.skipif(
    not (MODEL.is_file() and Path("/proc").is_dir()),
    reason="needs requirements-local.txt, and /proc to look into",
)
QUESTION = {
    "model": "what a caller says",
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "max_tokens": 24,
    "temperature": 0,
}


class Running:
    """A started local model and where it answers."""

    def __init__(self, model: Path) -> None:
        self.port = free_port()
        self.handle = local.start_local_model(model, self.port)
        self.supervisor = self.handle.supervisor

    def model(self) -> int:
        """The model server's process id; waits until there is one."""
        return wait_for(lambda: children(self.supervisor))[0]

    def ask(self, **options: Any) -> tuple[int, bytes]:
        """Status and body of a chat completion."""
        with contextlib.closing(connect(self.port, QUESTION | options)) as connection:
            reply = connection.getresponse()
            return reply.status, reply.read()

    def is_up(self) -> bool:
        with contextlib.suppress(OSError), contextlib.closing(connect(self.port)) as connection:
            return connection.getresponse().status == 200
        return False


@contextlib.contextmanager
def started(path: Path) -> Iterator[Running]:
    """A model that is gone afterwards, whatever happens."""
    running = Running(path)
    with contextlib.closing(running.handle):
        wait_for(running.is_up, LOADING_SECONDS)
        yield running


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with started(MODEL) as running:
        yield running


def test_it_answers_a_question_under_our_name(running: Running) -> None:
    reply = json.loads(running.ask()[1])
    assert "Paris" in reply["choices"][0]["message"]["content"]
    assert reply["model"] == "smollm2-135m"


def test_it_streams_under_our_name(running: Running) -> None:
    events = running.ask(stream=True)[1].decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert {chunk["model"] for chunk in chunks} == {"smollm2-135m"}
    assert "Paris" in "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def test_a_conversation_longer_than_its_part_of_the_context_is_refused(running: Running) -> None:
    status, body = running.ask(messages=[{"role": "user", "content": "word " * 2100}])
    assert (status, json.loads(body)["error"]["type"]) == (400, "exceed_context_size_error")


def test_health_does_not_wait_behind_waiting_conversations(running: Running) -> None:
    callers = [connect(running.port, QUESTION | {"stream": True}) for _ in range(24)]
    assert running.is_up()
    begun, _, _ = select.select([caller.sock for caller in callers], [], [], 0)
    assert len(begun) < len(callers), "health was told when nobody waited any more"
    for caller in callers:
        caller.close()


def test_pages_of_other_sites_may_not_read_it(running: Running) -> None:
    with contextlib.closing(connect(running.port, origin="http://elsewhere.example")) as connection:
        assert connection.getresponse().headers["Access-Control-Allow-Origin"] is None


def test_signals_to_supervisor_and_model_do_nothing(running: Running) -> None:
    model = running.model()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(running.supervisor, number)
        os.kill(model, number)
    assert running.ask(max_tokens=1)[0] == 200
    assert is_alive(running.supervisor) and running.model() == model
    assert os.getsid(model) == running.supervisor, "not in a session of its own"


def test_a_killed_model_is_back_by_itself(running: Running) -> None:
    model = running.model()
    os.kill(model, signal.SIGKILL)
    wait_for(lambda: not is_alive(model))
    wait_for(running.is_up, LOADING_SECONDS)
    assert running.model() != model


@pytest.mark.parametrize("loaded", [True, False])
def test_it_all_leaves_when_the_pipe_closes(loaded: bool) -> None:
    running = Running(MODEL)
    model = running.model()
    assert not loaded or wait_for(running.is_up, LOADING_SECONDS)
    running.handle.close(PATIENCE_SECONDS)
    assert not is_alive(model) and not is_alive(running.supervisor)


def test_the_model_leaves_when_its_supervisor_is_killed() -> None:
    with started(MODEL) as running:
        model = running.model()
        os.kill(running.supervisor, signal.SIGKILL)
        wait_for(lambda: not is_alive(model))


def test_another_file_answers_under_its_own_name(tmp_path: Path) -> None:
    other = tmp_path / "Other-Model.Q8_0.gguf"
    other.symlink_to(MODEL)
    with started(other) as running:
        assert json.loads(running.ask(max_tokens=1)[1])["model"] == "other-model.q8_0"


def test_a_file_that_is_no_model_costs_one_line_a_try(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"not a model")
    command = [sys.executable, "-P", local_process.__file__, "supervise", "--model=broken.gguf"]
    command += ["--name=broken", f"--port={free_port()}", "--context-tokens=64", "--parallel=1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stderr=pipe, text=True) as supervisor:
        assert supervisor.stdin is not None and supervisor.stderr is not None
        lines = [supervisor.stderr.readline() for _ in range(2)]
        supervisor.stdin.close()
        assert supervisor.stderr.read() == ""
    for line, pause in zip(lines, ("0.2", "0.4"), strict=True):
        assert line.startswith("local model: broken ended with status 1 (") and "GGUF" in line
        assert line.endswith(f"starts again in {pause} s\n")


def test_gunicorn_keeps_it_until_the_last_stream_has_ended(tmp_path: Path) -> None:
    """The workers inherit the pipe, so a SIGTERM takes the model only when they have drained."""
    with local_gunicorn(tmp_path) as server:
        supervisor = next(child for child in children(server.process.pid) if children(child))
        model, long = children(supervisor)[0], {"stream": True, "max_tokens": 150}
        with contextlib.closing(connect(server.port, QUESTION | long)) as caller:
            reply = caller.getresponse()
            assert reply.readline().startswith(b"data: ")
            server.process.send_signal(signal.SIGTERM)
            assert reply.read().endswith(b"data: [DONE]\n\n")
        assert server.process.wait(10) == 0
        wait_for(lambda: not is_alive(model) and not is_alive(supervisor))


def connect(port: int, body: Any = None, origin: str = "") -> http.client.HTTPConnection:
    """A connection with its request sent: a chat completion if there is a body, else /health."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    method, path = ("POST", "/v1/chat/completions") if body else ("GET", "/health")
    headers = {"Content-Type": "application/json", "Origin": origin}
    connection.request(method, path, json.dumps(body), headers)
    return connection


def children(parent: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [*map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]
    return []


def is_alive(process: int) -> bool:
    """A zombie, whose new parent has not looked after it yet, is not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False
