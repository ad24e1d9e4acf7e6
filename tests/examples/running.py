"""Running an example as it stands."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.mock_server import API_KEY
from tests.servers import ROOT, Server, clean_environment

EXAMPLES = ROOT / "examples"
JS = Path(__file__).parent / "js"
NODE = shutil.which("node")
CURL = shutil.which("curl")
COMMANDS = {
    "python_plain.py": [sys.executable, "-W", "error"],
    "python_openai.py": [sys.executable, "-W", "error"],
    "node.mjs": [NODE or "node"],
    "curl.sh": ["bash"],
}


def start(example: Path, message: str, url: str, api_key: str = API_KEY) -> subprocess.Popen[str]:
    """An example that takes its message as an argument and where to go from the environment."""
    return subprocess.Popen(
        [*COMMANDS.get(example.name, [NODE or "node"]), str(example), message],
        env={**clean_environment(), "CHAT_URL": url, "API_KEY": api_key},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(example: Path, message: str, url: str, api_key: str = API_KEY) -> tuple[int, str, str]:
    """Its exit code and both outputs."""
    with start(example, message, url, api_key) as process:
        said, complained = process.communicate(timeout=60)
    return process.returncode, said, complained


def node(script: Path, *arguments: str) -> Any:
    """The JSON that a script prints."""
    done = subprocess.run(
        [NODE or "node", str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def use_hook(folder: Path, mount: str, server: Server) -> Any:
    """What `hook.mjs` saw of the React hook.

    Args:
        folder: where `react` is found; the files are laid beside it.
        mount: the file that makes a component with it.
    """
    (folder / "package.json").write_text('{"type": "module"}')
    shutil.copy(EXAMPLES / "react-hook/useChat.js", folder)
    shutil.copy(JS / "hook.mjs", folder)
    shutil.copy(JS / mount, folder / "mount.mjs")
    return node(folder / "hook.mjs", server.url, API_KEY)


def assert_hook_works(seen: Any) -> None:
    """The hook keeps what is whole, says what is not, stops, and lets go."""
    shown = [(message["content"], message["state"]) for message in seen["messages"]]
    assert shown == [
        ("One", "whole"),
        ("You said: One", "whole"),
        ("cut off [cut=1]", "broken"),
        ("You", "broken"),
        ("Two", "whole"),
        ("You said: Two", "whole"),
        ("stopped by hand a b c d [silence=60]", "stopped"),
        (seen["messages"][-1]["content"], "stopped"),
    ]
    assert "broke off" in seen["error"] and seen["cleared"] and not seen["isBusy"]
    one = [{"role": "user", "content": "One"}, {"role": "assistant", "content": "You said: One"}]
    two = [{"role": "user", "content": "Two"}, {"role": "assistant", "content": "You said: Two"}]
    histories = [asked["messages"] for asked in seen["told"]]
    assert histories == [[], one, one, one + two, one + two]
    assert seen["aborted"] == [False, False, False, True, True]
    assert {asked["model"] for asked in seen["told"]} == {"m"}
