"""Starting what is measured, waiting until it answers, and ending all of it whatever happens."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
START_SECONDS = 30
STOP_SECONDS = 3


class CannotRun(Exception):
    """The benchmark cannot go on; the text tells the reader why."""


@dataclass(frozen=True)
class Target:
    """A server that can be put under load."""

    name: str
    label: str
    port: int


# name -> what the table calls it, Gunicorn's arguments, a path and the status it has once it is up
SERVERS: dict[str, tuple[str, list[str], str, int]] = {
    "ours": ("ours", ["main:app"], "/health", 200),
    **{
        name: (label, ["-c", str(HERE / "servers/gunicorn.conf.py"), f"{module}:app"], "/", 404)
        for name, label, module in (
            ("urllib3", "Flask + urllib3, bytes through", "benchmarks.servers.urllib3_relay"),
            ("socket", "Flask + bare sockets (ceiling)", "benchmarks.servers.socket_relay"),
            ("plain", "Flask + openai SDK, plain", "benchmarks.servers.plain_sdk"),
        )
    },
}


def need_tools() -> None:
    """Stop with the way to install it when a tool is missing."""
    if shutil.which("wrk") is None:
        raise CannotRun("wrk makes the load and is not installed: apt-get install wrk")
    if shutil.which("cc") is None:
        raise CannotRun("a C compiler builds the fake upstream: apt-get install gcc libc6-dev")


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all it started: politely first, and then for certain."""
    try:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    finally:  # a second Ctrl-C while waiting ends up here too
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


@contextmanager
def child(
    argv: list[str], env: dict[str, str], log: Path, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in a group of its own, as long as the block lasts; it writes to `log`."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file if stdout is None else stdout,
            stderr=file,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            end_group(process)


def clean_environment(folder: Path) -> dict[str, str]:
    """Return an environment of our own: no proxy, key or setting of the caller's leaks in."""
    dotenv = ROOT / ".env"
    lines = dotenv.read_text(errors="replace") if dotenv.is_file() else ""
    # Our server reads `.env` beneath the environment and takes an empty variable for an unset one,
    # so naming all of them empty measures the defaults.
    unset = dict.fromkeys(re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", lines, re.MULTILINE), "")
    return unset | {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def compile_upstream(folder: Path) -> Path:
    """Compile the fake upstream."""
    program = folder / "upstream"
    source = HERE / "upstream.c"
    built = subprocess.run(
        ["cc", "-O2", "-o", program, source], capture_output=True, text=True, timeout=60
    )
    if built.returncode:
        raise CannotRun(f"cc could not build {source.name}:\n{built.stderr}")
    return program


@contextmanager
def upstream(folder: Path) -> Iterator[Target]:
    """Run the fake upstream, which serves the replies that lie in the folder."""
    argv = [str(compile_upstream(folder)), str(folder)]
    log = folder / "upstream.log"
    with child(argv, clean_environment(folder), log, subprocess.PIPE) as process:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise CannotRun(f"the fake upstream did not start:\n{log.read_text()}")
        yield Target("upstream", "the fake upstream itself", int(line))


def wait_until_up(process: subprocess.Popen[bytes], port: int, path: str, status: int) -> bool:
    """Ask until the wanted status comes; false when the process ended or time is up."""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == status:
                return True
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    return False


@contextmanager
def server(name: str, upstream_port: int, folder: Path) -> Iterator[Target]:
    """Run one of the servers with one worker under Gunicorn."""
    label, arguments, path, status = SERVERS[name]
    port = free_port()
    env = clean_environment(folder) | {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream_port}/v1",
        "OPENAI_API_KEY": "sk-bench",
        "UPSTREAM": "openai",
        "WEB_CONCURRENCY": "1",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    argv = [sys.executable, "-m", "gunicorn", "--workers", "1", *arguments]
    log = folder / f"{name}.log"
    with child(argv, env, log) as process:
        if not wait_until_up(process, port, path, status):
            tail = log.read_text(errors="replace")[-2000:]
            raise CannotRun(f"{label}: does not answer on {path}; its log ends:\n{tail}")
        yield Target(name, label, port)
