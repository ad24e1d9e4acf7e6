"""Thousands of good and bad requests, made up from `/openapi.json`, at a real server.

Two workers, the mock upstream, a loopback server in OpenAI's place, a key that must be sent. A
failure is any 5xx, any status or content type that the description does not name, any reply, header
or event that is not as described, bad input that is taken, good input that is refused, and a route
that forgets the key.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.scripted import ScriptedUpstream
from tests.servers import ROOT, Server, gunicorn

KEY = "fuzz-key"
SETTINGS: Mapping[str, str] = {
    "UPSTREAM": "mock",
    "API_KEY": KEY,
    "WEB_CONCURRENCY": "2",
    "RATE_LIMIT_PER_MINUTE": "0",  # 429 would be all that is seen of the rest
    "LOG_LEVEL": "warning",
}
EXAMPLES_PER_ROUTE = 200
"""Where a route has as many; more than 5,000 over all of them."""
MOST_SECONDS = 3600
"""A run takes minutes; one that hangs is no report."""


@contextlib.contextmanager
def fuzzed_server(folder: Path) -> Iterator[Server]:
    """A server with these settings, and an OpenAI for those who bring a key."""
    with (
        ScriptedUpstream() as openai,
        gunicorn(folder, OPENAI_BASE_URL=openai.url, **SETTINGS) as server,
    ):
        yield server


def fuzz(server: Server, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run schemathesis against a `fuzzed_server`; it fails by its exit code.

    Args:
        folder: a folder for what it leaves behind.
    """
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"),
            *("--header", f"x-api-key: {KEY}", "--no-color"),
            # A busy machine is no finding, and the output is the report.
            *("--suppress-health-check", "all", "--output-truncate", "false", *arguments),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.fuzzing.hooks"},
        capture_output=True,
        text=True,
        check=False,
        timeout=MOST_SECONDS,
    )
