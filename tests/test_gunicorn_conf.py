"""gunicorn.conf.py, read as Gunicorn reads it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.servers import ROOT, clean_environment

# In a process of its own: the file patches the standard library.
READ = """
import json, sys
from gunicorn.app.wsgiapp import WSGIApplication
sys.argv = ["gunicorn", "main:app"]
cfg = WSGIApplication().cfg
names = ("bind", "workers", "worker_class_str", "worker_connections", "preload_app",
         "graceful_timeout", "control_socket_disable")
print(json.dumps({name: getattr(cfg, name) for name in names}))
"""


def read(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", READ],
        cwd=ROOT,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
    )


def test_its_values_come_from_the_settings() -> None:
    done = read(UPSTREAM="mock", HOST="127.0.0.1", PORT="5123", WEB_CONCURRENCY="3")
    values = json.loads(done.stdout)
    assert values == {
        "bind": ["127.0.0.1:5123"],
        "workers": 3,
        "worker_class_str": "chat_api.web.worker.Worker",
        "worker_connections": 4000,
        "preload_app": True,
        "graceful_timeout": 27,  # GRACEFUL_TIMEOUT, and what last words need
        "control_socket_disable": True,
    }


@pytest.mark.parametrize("name", ["PORT", "UPSTREAM_TIMEOUT", "UPSTREAM"])
def test_a_bad_setting_stops_it_with_one_line(name: str) -> None:
    done = read(**{name: "sk-canary"})
    assert done.returncode == 1
    assert done.stderr.startswith(f"chat_api: {name} has a bad value; wanted: ")
    assert done.stderr.count("\n") == 1 and "canary" not in done.stderr
