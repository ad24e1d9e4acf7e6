"""chat_api under Gunicorn, as a process, for tests of the real thing."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.leaks import LeakFound, Secrets, leaks
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent


class Server:
    """chat_api under Gunicorn, as a process."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        port: int,
        log: Path,
        secrets: Secrets | None = None,
    ) -> None:
        self.process = process
        self.secrets = secrets or Secrets({})
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.folder = log.parent
        """Its working directory."""
        self._log = log

    def log(self) -> str:
        """What it has written so far, both outputs."""
        return self._log.read_text()

    def told(self, reply: bytes) -> bytes:
        """A reply of its, which tells none of its secrets.

        Raises:
            LeakFound
        """
        if found := self.secrets.of_settings_in(reply):
            raise LeakFound([f"{what} in a reply" for what in found])
        return reply

    def figures(self) -> bytes:
        """What `/metrics` says; nothing where it does not answer any more."""
        key = self.secrets.gateway_key.encode().decode("latin-1")
        asked = urllib.request.Request(f"{self.url}/metrics", headers={"x-api-key": key})
        with contextlib.suppress(OSError, http.client.HTTPException):
            with urllib.request.urlopen(asked, timeout=20) as reply:
                return bytes(reply.read())
        return b""

    def workers(self) -> list[int]:
        """Process ids of the workers, oldest first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [pid for pid in map(int, children.split()) if b"gunicorn" in _command_line(pid)]

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def _command_line(pid: int) -> bytes:
    """As it was started; nothing where it has ended meanwhile."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def clean_environment() -> dict[str, str]:
    """This process's environment without anything that would be a setting, and without what has
    coverage measure child processes: a server that is traced is no server to test promises on."""
    from chat_api.settings import Settings

    names = {
        name
        for item in Settings.__dataclass_fields__.values()
        for name in item.metadata.get("names", ())
    }
    return {
        name: value
        for name, value in os.environ.items()
        if name not in names and not name.startswith("COVERAGE_")
    }


@contextlib.contextmanager
def gunicorn(tmp_path: Path, *arguments: str, **environment: str) -> Iterator[Server]:
    """A running server; its settings are the given variables and nothing else.

    Runs in an empty folder, so that no `.env` is read.
    """
    port = int(environment.get("PORT") or free_port())
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "GRACEFUL_TIMEOUT": "10"}
    command = [sys.executable, "-W", "error", "-m", "gunicorn", "main:app", *arguments]
    command += ["--config", str(ROOT / "gunicorn.conf.py")]
    env = {**clean_environment(), "PYTHONPATH": str(ROOT), **settings, **environment}
    with running(command, port, tmp_path / f"server-{port}.log", cwd=tmp_path, env=env) as server:
        yield server


@contextlib.contextmanager
def running(
    command: list[str],
    port: int,
    log: Path,
    *,
    cwd: Path,
    env: dict[str, str],
    path: str = "/health",
) -> Iterator[Server]:
    """A command that serves there; up when the block begins, and all that it started is gone
    afterwards. What it has then logged, stored and counted is looked through.

    Args:
        path: answers with 200 when it is up.

    Raises:
        LeakFound: at the end of a block that ended well.
    """
    secrets = Secrets(env)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_up(process, f"http://127.0.0.1:{port}{path}", log)
        server = Server(process, port, log, secrets)
        yield server
        figures = server.figures()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
    found = leaks(secrets, log, cwd, env)
    found += [f"{what} in the figures" for what in secrets.in_log(figures)]
    if found:
        raise LeakFound(found)


def _wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text()}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the server did not come up: {log.read_text()}")
