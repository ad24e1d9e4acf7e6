"""The commands of the README and docs/ as they stand, against a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.servers import ROOT, Server, gunicorn

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ANOTHER_MACHINES = "deploying.md"  # its commands are for where it deploys to
STRICT = 'set -euo pipefail; curl() { command curl --fail-with-body --max-time 30 "$@"; }\n'


def blocks(language: str) -> list[tuple[str, str]]:
    """Page and code of each block that asks the server, but those that want a key of OpenAI's."""
    return [
        (page.name, code)
        for page in PAGES
        if page.name != ANOTHER_MACHINES
        for code in re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)
        if "localhost:5000" in code and "MY_OPENAI_KEY" not in code
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("documented")
    with gunicorn(
        folder, UPSTREAM="mock", WEB_CONCURRENCY="1", RATE_LIMIT_PER_MINUTE="100"
    ) as server:
        yield server


def run(command: list[str], code: str, server: Server) -> str:
    """What the code prints, with this server in the place of the one that it names."""
    text = code.replace("localhost:5000", f"127.0.0.1:{server.port}")
    done = subprocess.run([*command, text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("page", "code"), blocks("bash"))
def test_a_documented_command_is_answered(server: Server, page: str, code: str) -> None:
    assert run(["bash", "-c"], STRICT + code, server)


@pytest.mark.parametrize(("page", "code"), blocks("python"))
def test_the_documented_python_runs(server: Server, page: str, code: str) -> None:
    assert "You said" in run([sys.executable, "-c"], code, server)


def test_there_are_commands_to_run() -> None:
    found = {page for page, _ in blocks("bash")}
    assert {"README.md", "keys-and-limits.md", "openai.md", "sessions.md", "mock.md"} <= found
    assert blocks("python")
