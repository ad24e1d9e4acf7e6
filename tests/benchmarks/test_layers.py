"""Which layer a request spends itself in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from types import FrameType

import pytest

from benchmarks.layers.__main__ import table
from benchmarks.layers.table import ELSEWHERE, LAYERS, layer_of
from benchmarks.processes import ROOT

PRINT_CALLS = (
    "import json; from benchmarks.layers.counted import calls_by_layer;"
    "print(json.dumps(calls_by_layer()))"
)


def frame_in(path: str, inside: str = "") -> FrameType:
    """A frame of code that lies in that file, called by code in `inside`."""
    found: dict[str, FrameType] = {}
    code = compile("import sys; found['frame'] = sys._getframe()", path, "exec")
    outer = compile("exec(code, {'found': found})", inside or path, "exec")
    exec(outer, {"code": code, "found": found})
    return found["frame"]


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("/x/site-packages/gunicorn/http/wsgi.py", "WSGI server: Gunicorn, gevent"),
        ("/x/chat_api/web/worker.py", "WSGI server: Gunicorn, gevent"),
        ("/x/chat_api/web/auth.py", "guard, limits"),
        ("/x/chat_api/services/gateway.py", "routing of the model, tries"),
        ("/x/chat_api/services/chat_completions.py", "route and service"),
        ("/x/chat_api/upstreams/http1.py", "transport, the upstream's bytes"),
        ("/x/site-packages/werkzeug/routing/map.py", "Flask: routing, request, response"),
    ],
)
def test_a_file_belongs_to_one_layer(path: str, layer: str) -> None:
    assert layer_of(frame_in(path)) == layer


def test_what_a_layer_calls_is_its_own_doing() -> None:
    inside = frame_in("/usr/lib/python3.11/json/decoder.py", inside="/x/chat_api/web/bodies.py")
    assert layer_of(inside) == "body"


def test_what_belongs_to_none_is_told() -> None:
    assert layer_of(None) == ELSEWHERE


def test_the_layers_name_files_that_are_there() -> None:
    ours = [str(path) for path in (ROOT / "chat_api").rglob("*.py")]
    ours += [str(path) for path in (ROOT / "benchmarks").rglob("*.py")]
    rooms = ("/web/", "/services/", "/upstreams/", "/schemas/", "/routes/", "/benchmarks/")
    for part in (part for parts in LAYERS.values() for part in parts):
        if part.startswith(rooms):
            assert any(part in path for path in ours), part


def test_every_layer_is_called_by_a_request() -> None:
    seen = subprocess.run(
        [sys.executable, "-c", PRINT_CALLS],  # counting stops its process's clock
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert seen.returncode == 0, seen.stderr
    calls = json.loads(seen.stdout)
    assert set(calls["events"]) == set(LAYERS)
    assert set(LAYERS) - set(calls["whole"]) == {"stream: events looked at and written"}


def test_the_table_adds_up() -> None:
    calls = {"whole": Counter(CORS=20, body=15), "events": Counter(CORS=20, body=15)}
    times = {"whole": {"CORS": 10.0, "body": 8.0}, "events": {"CORS": 11.0}}
    header, _, *rows = table(calls, times)
    assert rows == [
        ("CORS", "20", "10", "20", "11"),
        ("body", "15", "8", "15", "0"),
        ("all", "35", "18", "35", "11"),
    ]
    assert len(header) == 5
