"""The ways to start it, and how a bad setting stops it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_api.settings import Settings
from tests.integration.doors import DOORS
from tests.integration.wire import ask_at, get, wait_for
from tests.ports import free_port
from tests.scripted import ScriptedUpstream
from tests.servers import ROOT, Server, clean_environment, running

SECRET = "sk-canary-never-to-be-shown"
NO_SETTINGS = {
    # Empty counts as unset, and outdoes a developer's `.env` in the repository's root.
    name: ""
    for item in Settings.__dataclass_fields__.values()
    for name in item.metadata.get("names", ())
    if name != "WEB_CONCURRENCY"  # Gunicorn reads this one too, and fails on an empty one
}
GUNICORN = str(Path(sys.executable).with_name("gunicorn"))


@contextlib.contextmanager
def started(tmp_path: Path, port: int, *command: str, **settings: str) -> Iterator[Server]:
    """The command, run in the repository's root; up when the block begins."""
    home = tmp_path / "home"
    home.mkdir()
    env = {**clean_environment(), **NO_SETTINGS, "HOME": str(home), **settings}
    env.pop("XDG_RUNTIME_DIR", None)
    with running([*command], port, tmp_path / "log", cwd=ROOT, env=env) as server:
        yield server
        assert server.stop() == 0
        assert list(home.iterdir()) == [], "the folder of Gunicorn's control socket, say"


def assert_chats(server: Server) -> None:
    for _, reply in ask_at(DOORS, server):
        assert reply.status == 200
        assert b"error" not in reply.body


def bound_addresses(server: Server) -> set[str]:
    """The listening addresses with its port, as /proc/net/tcp writes them."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [row[1].split(":") for row in rows if row[3] == "0A"]
    return {address for address, port in listening if int(port, 16) == server.port}


def test_run_as_a_script_from_anywhere_it_serves_as_it_was_told(
    scripted: ScriptedUpstream, tmp_path: Path
) -> None:
    port = free_port()
    script = f"cd / && exec {sys.executable} {ROOT / 'main.py'} --keep-alive 1"
    told = {"HOST": "127.0.0.1", "PORT": str(port), "OPENAI_BASE_URL": scripted.url}
    # Empty counts as unset, here too.
    with started(tmp_path, port, "sh", "-c", script, WEB_CONCURRENCY="", **told) as server:
        assert_chats(server)
        assert bound_addresses(server) == {"0100007F"}
        wait_for(lambda: len(server.workers()) == 2)


def test_gunicorn_with_its_own_arguments_serves(scripted: ScriptedUpstream, tmp_path: Path) -> None:
    port = free_port()
    command = [GUNICORN, "--bind", f"127.0.0.1:{port}", "--workers", "2", "--timeout", "120"]
    with started(tmp_path, port, *command, "main:app", OPENAI_BASE_URL=scripted.url) as server:
        assert_chats(server)
        wait_for(lambda: len(server.workers()) == 2)
        assert "chat_api.web.worker.Worker" in server.log()  # gunicorn.conf.py was read


def test_make_run_serves(tmp_path: Path) -> None:
    """With everything installed already, as the stamps say, and a Python that stands in for it."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    python = venv / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    for stamp in (".made", ".run", ".local"):
        (venv / stamp).touch()
    port = free_port()
    told = {"HOST": "127.0.0.1", "PORT": str(port), "UPSTREAM": "mock", "WEB_CONCURRENCY": "1"}
    outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")  # of the `make test` that this may be part of
    kept = {name: value for name, value in clean_environment().items() if name not in outer}
    env = {**kept, **NO_SETTINGS, "DATA_DIR": str(tmp_path / "data"), **told}
    command = ["make", "-C", str(ROOT), "run", f"VENV={venv}"]
    with running(command, port, tmp_path / "log", cwd=tmp_path, env=env) as server:
        assert get(server, "/health").json["provider"] == "Mock"
        assert "chat_api.web.worker.Worker" in server.log()
        os.killpg(server.process.pid, signal.SIGTERM)
        server.process.wait(20)
        wait_for(lambda: not is_listening(port))


def is_listening(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


BY_GUNICORN = [GUNICORN, "main:app"]
AS_SCRIPT = [sys.executable, "main.py"]
BAD_SETTINGS = [
    (BY_GUNICORN, {"PORT": SECRET}, "a port number"),
    (BY_GUNICORN, {"STREAM_HEARTBEAT_SECONDS": "nan"}, "seconds"),
    (BY_GUNICORN, {"LOCAL_MODEL_PATH": "/nope", "UPSTREAM": "local"}, "the path of a GGUF file"),
    (AS_SCRIPT, {"UPSTREAM": "nope"}, "one of "),
    (AS_SCRIPT, {"WEB_CONCURRENCY": "many"}, "a number from 1 to 256"),
]


@pytest.fixture(scope="module")
def endings() -> Iterator[list[subprocess.Popen[str]]]:
    """All of them at once: each spends its time importing."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env={**clean_environment(), **NO_SETTINGS, "API_KEY": SECRET, **settings},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for command, settings, _ in BAD_SETTINGS
        ]


@pytest.mark.parametrize(
    "number", range(len(BAD_SETTINGS)), ids=lambda number: next(iter(BAD_SETTINGS[number][1]))
)
def test_a_bad_setting_stops_the_start_with_one_line(
    endings: list[subprocess.Popen[str]], number: int
) -> None:
    _, settings, wanted = BAD_SETTINGS[number]
    said, complained = endings[number].communicate(timeout=30)
    assert endings[number].returncode not in (0, None)
    assert said == ""
    (line,) = complained.splitlines()
    assert next(iter(settings)) in line and wanted in line
    assert SECRET not in line
