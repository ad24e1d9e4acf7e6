"""Imports point one way, and what only one place may do is done in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "chat_api"

# Which rooms a room may import from, besides itself and `errors`.
ALLOWED = {
    "routes": {"schemas", "services", "web", "settings", "version"},
    "web": {"schemas", "services", "upstreams.waiting", "upstreams.base", "wiring", "version"},
    "schemas": set(),
    "services": {"upstreams", "stores"},
    "upstreams": set(),
    "stores": set(),
    "settings": {"setting_forms", "upstreams_file"},
    "setting_forms": {"backtracking"},
    "backtracking": set(),
    "upstreams_file": {"setting_forms"},
    "errors": set(),
    "version": set(),
    "upstream_wiring": {"upstreams", "upstreams_file", "settings"},
    "wiring": {"upstream_wiring", "services", "upstreams", "stores", "settings"},
    "cli": {"settings", "wiring"},
    "commands": {"services", "upstreams", "stores", "settings", "wiring", "upstream_wiring"},
    "hooks": {"web", "upstream_wiring", "upstreams", "settings"},
}
FLASK_FREE = (
    "schemas",
    "services",
    "upstreams",
    "stores",
    "errors",
    "settings",
    "wiring",
    "upstream_wiring",
    "upstreams_file",
    "commands",
)
FLASK = {"flask", "flask_cors", "flask_smorest", "werkzeug", "gunicorn"}
LONGEST_FILE = 300


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def misplaced(room_name: str, source: str) -> list[str]:
    """The imports of ours that this room may not have."""
    allowed = {*ALLOWED[room_name], room_name, "errors"}
    ours = [name.removeprefix("chat_api.") for name in imports(source) if name[:9] == "chat_api."]
    return [
        name
        for name in ours
        if not any(name == place or name.startswith(f"{place}.") for place in allowed)
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    if path.parent == PACKAGE and path.name == "__init__.py":
        return  # the application factory puts all rooms together
    assert misplaced(room(path), path.read_text()) == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_flask_stays_in_its_rooms(path: Path) -> None:
    if room(path) in FLASK_FREE:
        assert not {name.split(".")[0] for name in imports(path.read_text())} & FLASK


def test_the_check_of_imports_can_fail() -> None:
    assert misplaced("upstreams", "from chat_api.services.chat import x") == ["services.chat.x"]
    assert misplaced("services", "import chat_api.web.sse") == ["web.sse"]
    assert misplaced("web", "from chat_api.upstreams.openai import x") == ["upstreams.openai.x"]
    assert misplaced("routes", "from chat_api.services.chat import x") == []


def test_every_room_is_in_the_table() -> None:
    assert {room(path) for path in modules()} - {"__init__"} <= set(ALLOWED)


def users_of(*needles: str) -> set[str]:
    return {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if any(needle in path.read_text() for needle in needles)
    }


def test_one_module_reads_the_environment() -> None:
    # The local model's processes are started with the environment they were found in.
    readers = users_of("os.environ", "getenv", "getproxies_env", "environs")
    assert readers - {"upstreams/local.py"} == {"settings.py"}


def test_one_module_writes_event_frames() -> None:
    writers = users_of('b"data: ', "b'data: ", 'f"data: ')
    # The decoder reads them.
    assert writers - {"upstreams/events.py"} == {"web/sse.py"}


def test_no_import_hides_inside_a_function() -> None:
    hidden = [
        f"{path.name}:{inner.lineno}"
        for path in modules()
        if path.name != "local_process.py"  # a script whose supervisor must stay light
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_files_stay_short() -> None:
    long = {p.name: n for p in modules() if (n := len(p.read_text().splitlines())) > LONGEST_FILE}
    assert long == {}
