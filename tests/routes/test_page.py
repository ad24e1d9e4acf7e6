"""Who gets the chat page, and how its files are served."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from chat_api.web.pages import STATIC

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/*", True),
        ("text/html;q=0.4, application/json;q=0.5", False),
        ("*/*", False),
        ("application/json", False),
        ("image/png", False),
        ("", False),
        (None, False),
    ],
)
def test_browsers_get_the_page_and_programs_the_list_of_routes(
    client: FlaskClient, accept: str | None, is_page: bool
) -> None:
    reply = client.get("/", headers={} if accept is None else {"Accept": accept})
    assert reply.mimetype == ("text/html" if is_page else "application/json")
    assert reply.status_code == 200 and "Accept" in reply.headers["Vary"]


@pytest.mark.parametrize("path", ["/", "/ui"])
def test_only_files_of_this_server_run_on_the_page(client: FlaskClient, path: str) -> None:
    reply = client.get(path, headers={"Accept": BROWSER})
    policy = dict(
        part.split(" ", 1) for part in reply.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in reply.headers["Content-Security-Policy"]
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    text = reply.get_data(as_text=True)
    assert not re.search(r"<script(?! )|<style| style=| on\w+=|//\w", text)


def test_every_file_that_the_page_names_is_there(client: FlaskClient) -> None:
    names = set(re.findall(r'(?:src|href)="/static/([^"]+)"', client.get("/ui").text))
    assert len(names) > 10
    todo = list(names)
    while todo:
        name = todo.pop()
        reply = client.get(f"/static/{name}")
        assert reply.status_code == 200, name
        if name.endswith(".js"):
            folder = name.rpartition("/")[0]
            imported = {f"{folder}/{it}" for it in re.findall(r'from "\./([^"]+)"', reply.text)}
            todo += imported - names
            names |= imported
    files = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    assert names == {name for name in files if name.startswith("ui/")}, "a file is of no use"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ui/main.js", "text/javascript; charset=utf-8"),
        ("ui/css/theme.css", "text/css; charset=utf-8"),
        ("ui/icon.svg", "image/svg+xml; charset=utf-8"),
    ],
)
def test_files_have_their_type_and_are_sent_once(client: FlaskClient, name: str, kind: str) -> None:
    reply = client.get(f"/static/{name}")
    assert reply.headers["Content-Type"] == kind
    assert reply.headers["Cache-Control"] == "no-cache"
    again = client.get(f"/static/{name}", headers={"If-None-Match": reply.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    changed = client.get(f"/static/{name}", headers={"If-None-Match": '"other"'})
    assert changed.data == (STATIC / name).read_bytes()


@pytest.mark.parametrize(
    "name",
    ["", "ui", "ui/", "nope.js", "../settings.py", "..%2Fsettings.py", "ui/../../settings.py"]
    + ["ui//main.js", "/etc/passwd", "ui/main.js%00", "UI/main.js", "ui\\main.js"],
)
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    reply = client.get(f"/static/{name}")
    assert reply.status_code == 404 and set(reply.get_json()) == {"error"}


def test_the_pages_files_stay_short() -> None:
    folders = (STATIC, STATIC.parent / "templates")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    lengths = {str(path.relative_to(STATIC.parent)): _lines(path) for path in files}
    assert {name: lines for name, lines in lengths.items() if lines > 200} == {}


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())
