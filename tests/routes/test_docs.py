"""The documentation pages and their files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from chat_api.routes.info import THEME
from chat_api.web.assets import ASSETS
from tests.servers import ROOT, clean_environment

PAGES = ("/docs", "/redoc")
NEEDING = (*PAGES, "/docs/assets/redoc.standalone.js")

SLIM = """
import sys
from chat_api import create_app
from chat_api.settings import Settings

client = create_app(Settings(upstream="mock")).test_client()
client.get("/openapi.json")  # what is imported late is imported now
sys.path[:] = [entry for entry in sys.path if "site-packages" not in entry]
for path in sys.argv[1:]:
    reply = client.get(path)
    text = "" if reply.status_code == 200 else reply.get_json()["error"]
    print(path, reply.status_code, reply.mimetype, text)
"""


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
def test_the_pages_are_html_whatever_is_accepted(
    client: FlaskClient, path: str, accept: str
) -> None:
    reply = client.get(path, headers={"Accept": accept})
    assert (reply.status_code, reply.mimetype) == (200, "text/html")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_only_files_that_this_server_serves(client: FlaskClient, path: str) -> None:
    page = client.get(path).get_data(as_text=True)
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert links and all(link.startswith("/") and not link.startswith("//") for link in links)
    for link in links:
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("path", PAGES)
def test_a_pages_policy_lets_no_script_and_no_other_host_in(client: FlaskClient, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and rules["script-src"] == "'self'"
    assert not re.search(r"https?:|\*", policy)


@pytest.mark.parametrize("name", ASSETS)
def test_each_file_has_its_type_and_is_kept_by_browsers(client: FlaskClient, name: str) -> None:
    reply = client.get(f"/docs/assets/{name}")
    assert (reply.status_code, reply.mimetype) == (200, ASSETS[name].kind)
    assert reply.cache_control.max_age and len(reply.data) > 100
    again = client.get(f"/docs/assets/{name}", headers={"If-None-Match": reply.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["nope.js", "../docs.py", "..%2fdocs.py", "%00", "index.html"])
def test_no_other_file_is_served(client: FlaskClient, name: str) -> None:
    reply = client.get(f"/docs/assets/{name}")
    assert reply.status_code == 404 and reply.get_json()["error"]


def test_redoc_fetches_its_logo_from_here(client: FlaskClient) -> None:
    script = client.get("/docs/assets/redoc.standalone.js").data
    assert b"cdn.redoc.ly" not in script and b'"/docs/assets/redoc.svg"' in script


def test_the_pages_colours_are_the_themes() -> None:
    css = (ROOT / "chat_api/static/docs.css").read_text()
    colours = dict(re.findall(r"--(\w+): (#[0-9A-F]{6});", css))
    assert {"name": THEME["name"], **colours} == THEME


def test_the_description_is_made_once_and_not_sent_twice(client: FlaskClient) -> None:
    first = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.mimetype, again.status_code) == ("application/json", 304)


def test_the_index_says_where_to_read_on(client: FlaskClient) -> None:
    assert client.get("/").get_json()["documentation"] == "/docs"


def test_who_looks_for_websockets_is_told_how_to_stream(client: FlaskClient) -> None:
    note = client.get("/docs/websocket").get_json()
    assert note["websocket"] is False and "no websockets" in note["note"]
    assert set(note["streaming"]) <= set(client.get("/").get_json()["endpoints"])


def test_a_slim_install_says_what_a_page_needs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLIM, *NEEDING, "/docs/assets/docs.css", "/openapi.json"],
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    swagger, redoc, script, css, description = [
        line for line in done.stdout.splitlines() if line.startswith("/")
    ]
    assert "501 application/json" in swagger and "flask-swagger-ui" in swagger
    assert "501 application/json" in redoc and "flask-openapi3-redoc" in redoc
    assert "501 application/json" in script and "pip install -r requirements.txt" in script
    assert "200 text/css" in css and "200 application/json" in description
