"""`POST /ui/render`."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from flask.testing import FlaskClient

from chat_api.services.rendering import MOST_CHARACTERS
from tests.servers import ROOT, clean_environment


def test_each_text_comes_back_as_html_in_its_place(client: FlaskClient) -> None:
    reply = client.post("/ui/render", json={"texts": ["*a*", "", "<b>"]})
    assert reply.get_json() == {
        "html": ['<p dir="auto"><em>a</em></p>\n', "", '<p dir="auto">&lt;b&gt;</p>\n']
    }
    assert client.post("/ui/render", json={"texts": []}).get_json() == {"html": []}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "`texts` is required."),
        ({"texts": None}, "`texts` must not be null."),
        ({"texts": "a"}, "`texts` must be an array of at most 1000 strings."),
        ({"texts": ["a"] * 1001}, "`texts` must be an array of at most 1000 strings."),
        ({"texts": ["a", 5]}, "`texts[1]` must be a string."),
        (
            {"texts": ["a", "b" * MOST_CHARACTERS]},
            f"`texts` must not be longer than {MOST_CHARACTERS} characters in all.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_list_of_texts_is_refused(
    client: FlaskClient, body: dict[str, Any], text: str
) -> None:
    reply = client.post("/ui/render", json=body)
    assert (reply.status_code, reply.get_json()) == (400, {"error": text})


def test_a_server_that_renders_nothing_loads_no_renderer() -> None:
    code = "import sys, chat_api; chat_api.create_app(); print('nh3' in sys.modules)"
    command = [sys.executable, "-c", code]
    environment = {**clean_environment(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
