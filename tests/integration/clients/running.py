"""Running a client's script, and reading what it saw."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.servers import ROOT, clean_environment

HERE = Path(__file__).parent
CACHE = ROOT / ".cache" / "clients"
KEY = "canary-of-the-clients"
MOST_SECONDS = 180


def run(client: str, url: str, *scripts: str) -> dict[str, Any]:
    """What each case of some scripts saw, by the case's name.

    Args:
        client: the folder of what `make clients` installed for them.
        url: of the server that they talk to.
    """
    return {name: seen for script in scripts for name, seen in _run(client, url, script).items()}


def _run(client: str, url: str, script: str) -> dict[str, Any]:
    folder = CACHE / client
    folder.mkdir(parents=True, exist_ok=True)
    # Below the client's packages: Node looks for them above a file. Of its own: others run too.
    with tempfile.TemporaryDirectory(dir=folder) as home:
        done = subprocess.run(
            _command(client, HERE / script, Path(home)),
            cwd=home,
            env={
                **clean_environment(),
                "CHAT_URL": url,
                "API_KEY": KEY,
                "PYTHONPATH": str(HERE / "shared"),
                "HOME": home,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def assert_saw(seen: dict[str, Any], case: str, expected: Any) -> None:
    """What a case saw is what is expected; of an exception only what is said of it."""
    found = seen[case]
    if isinstance(expected, dict) and "raised" in expected and isinstance(found, dict):
        found = {name: found.get(name) for name in expected}
    assert found == expected


def raised(kind: str, **told: Any) -> dict[str, Any]:
    """An exception of that class, and what it tells."""
    return {"raised": kind, **told}


def refused(kind: str, status: int, **told: Any) -> dict[str, Any]:
    """The upstream's own refusal of a chat, as OpenAI's clients show it."""
    words = {"status_code": status, "code": f"code_{status}", "type": f"type_{status}"}
    return raised(kind, **words, param="messages[0]", **told)


def _command(client: str, script: Path, home: Path) -> list[str]:
    """What runs the script; skips where its client is not installed."""
    if client == "openai_3":
        return [sys.executable, str(script)]
    if not (CACHE / client / ".installed").exists():
        pytest.skip(f"{client} is not installed (`make clients`)")
    if script.suffix == ".py":
        return [str(CACHE / client / "bin" / "python"), str(script)]
    shutil.copy(HERE / "shared" / "reporting.mjs", home)
    return [shutil.which("node") or "node", str(shutil.copy(script, home))]
