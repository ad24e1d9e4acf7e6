"""Running a client's script, and reading what it saw."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers import ROOT, clean_environment

HERE = Path(__file__).parent
CACHE = ROOT / ".cache" / "clients"
KEY = "canary-of-the-clients"
MOST_SECONDS = 180


def run(client: str, script: str, url: str) -> dict[str, Any]:
    """What each case of a script saw, by the case's name.

    Args:
        client: the folder of the script, and of the packages that `make clients` installed for it.
    """
    done = subprocess.run(
        _command(client, HERE / script),
        cwd=_home(client),
        env={
            **clean_environment(),
            "CHAT_URL": url,
            "API_KEY": KEY,
            "PYTHONPATH": str(HERE / "shared"),
            "HOME": str(_home(client)),
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


def _command(client: str, script: Path) -> list[str]:
    """The script beside its packages; skips where they are not installed."""
    if client == "openai_3":
        return [sys.executable, str(script)]
    if not (CACHE / client / ".installed").exists():
        pytest.skip(f"{client} is not installed (`make clients`)")
    if script.suffix == ".mjs":
        # Node looks for packages beside the file.
        shutil.copy(HERE / "shared" / "reporting.mjs", CACHE / client)
        return [shutil.which("node") or "node", str(shutil.copy(script, CACHE / client))]
    return [str(CACHE / client / "bin" / "python"), str(script)]


def _home(client: str) -> Path:
    home = CACHE / client / "home"
    home.mkdir(parents=True, exist_ok=True)
    return home
