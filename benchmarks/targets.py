"""The servers that are measured: how each is started, and when it is up."""

import http.client
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import HERE, ROOT, CannotRun, child, clean_environment, free_port

START_SECONDS = 90
KEY = "sk-bench"
"""Each server's own, for the upstream."""
PEERS = ROOT / ".cache/bench"
LITELLM = PEERS / "litellm/bin/litellm"
PORTKEY = PEERS / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
LITELLM_CONFIG = """\
model_list:
- model_name: gpt-4o-mini
  litellm_params: {model: openai/gpt-4o-mini, api_base: "%s", api_key: %s}
"""


@dataclass(frozen=True)
class Target:
    """A server that can be put under load, or the fake upstream itself."""

    name: str
    label: str
    port: int
    session: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """What its callers must send."""
    seconds_to_start: float = 0.0


@dataclass(frozen=True)
class Start:
    """What a server is told."""

    base_url: str
    port: int
    workers: int
    folder: Path


@dataclass(frozen=True)
class Server:
    """One that can be started."""

    label: str
    command: Callable[[Start], list[str]]
    path: str
    status: int
    """What `path` answers once it is up."""
    needs: Path | None = None
    """Is there when it is installed."""
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Callable[[Start], dict[str, str]] = lambda start: {}


def _gunicorn(*arguments: str) -> Callable[[Start], list[str]]:
    return lambda start: [sys.executable, "-m", "gunicorn", *arguments]


def _flask(module: str) -> Callable[[Start], list[str]]:
    return _gunicorn("-c", str(HERE / "servers/gunicorn.conf.py"), f"benchmarks.servers.{module}")


def _litellm(start: Start) -> list[str]:
    config = start.folder / "litellm.yaml"
    config.write_text(LITELLM_CONFIG % (start.base_url, KEY))
    argv = [str(LITELLM), "--config", str(config), "--host", "127.0.0.1"]
    return [*argv, "--port", str(start.port), "--num_workers", str(start.workers)]


def _portkey(start: Start) -> list[str]:
    return ["node", str(PORTKEY), f"--port={start.port}", "--headless"]


def _portkey_headers(start: Start) -> dict[str, str]:
    return {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": start.base_url,
        "Authorization": f"Bearer {KEY}",
    }


SERVERS = {
    "ours": Server("chat_api", _gunicorn("main:app"), "/health", 200),
    "socket": Server("bare sockets (the ceiling)", _flask("socket_relay:app"), "/", 404),
    "plain": Server("Flask and the SDK", _flask("plain_sdk:app"), "/", 404),
    "portkey": Server(
        "Portkey gateway 1.15.2", _portkey, "/", 200, PORTKEY, headers=_portkey_headers
    ),
    "litellm": Server(
        "LiteLLM proxy 1.106.0",
        _litellm,
        "/health/liveliness",
        200,
        LITELLM,
        {
            # It has no key here, as the others have none; its price list it brings along.
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
        },
    ),
}


def missing(name: str) -> str | None:
    """Why a server cannot be had here, None where it can."""
    needs = SERVERS[name].needs
    if needs is not None and not needs.exists():
        return "is not installed; `make bench` tries to"
    if name == "portkey" and shutil.which("node") is None:
        return "needs Node.js"
    return None


@contextmanager
def server(
    name: str, upstream_port: int, folder: Path, workers: int = 1, **environment: str
) -> Iterator[Target]:
    """Run one of the servers.

    Raises:
        CannotRun: it did not come up.
    """
    found = SERVERS[name]
    start = Start(f"http://127.0.0.1:{upstream_port}/v1", free_port(), workers, folder)
    env = clean_environment(folder) | {
        "OPENAI_BASE_URL": start.base_url,
        "OPENAI_API_KEY": KEY,
        "UPSTREAM": "openai",
        "WEB_CONCURRENCY": str(workers),
        "HOST": "127.0.0.1",
        "PORT": str(start.port),
        "DATA_DIR": str(folder / "data"),
    }
    env |= {**found.environment, **environment}
    log = folder / f"{name}.log"
    began = time.monotonic()
    with child(found.command(start), env, log) as process:
        if not _wait_until_up(process, start.port, found):
            tail = log.read_text(errors="replace")[-2000:]
            problem = f"does not answer on {found.path}; its log ends:\n{tail}"
            raise CannotRun(f"{found.label}: {problem}")
        seconds = time.monotonic() - began
        yield Target(name, found.label, start.port, process.pid, found.headers(start), seconds)


def _wait_until_up(process: subprocess.Popen[bytes], port: int, server: Server) -> bool:
    """Ask until the wanted status comes; false when the process ended or time is up."""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", server.path)
            if connection.getresponse().status == server.status:
                return True
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.005)
    return False
