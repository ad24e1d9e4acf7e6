"""What protects browsers: on every reply, and on pages a policy that lets nothing else run."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chat_api.web.auth import is_public

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
NOTHING = ("default-src", "base-uri", "form-action", "frame-ancestors")


def public_paths(app: Flask) -> list[str]:
    """A path of each public route."""
    urls = app.url_map.bind("")
    rules = [rule for rule in app.url_map.iter_rules() if is_public(app, rule.endpoint)]
    return [urls.build(rule.endpoint, dict.fromkeys(rule.arguments, "docs.css")) for rule in rules]


def test_every_page_has_a_policy_under_which_only_our_files_run(app: Flask) -> None:
    client = app.test_client()
    pages = []
    for path in public_paths(app):
        reply = client.get(path, headers={"Accept": BROWSER})
        if reply.mimetype != "text/html":
            continue
        pages.append(path)
        given = reply.headers["Content-Security-Policy"].split("; ")
        policy = {
            name: sources.split() for name, _, sources in (rule.partition(" ") for rule in given)
        }
        assert len(policy) == len(given), path  # of two rules of a name browsers take the first
        for name in NOTHING:
            assert policy[name] == ["'none'"], (path, name)
        assert policy["script-src"] == policy["connect-src"] == ["'self'"], path
        assert "object-src" not in policy and "frame-src" not in policy, path  # so default-src
        sources = {source for listed in policy.values() for source in listed}
        assert not any("//" in source or "*" in source for source in sources), path
        assert not sources & {"'unsafe-eval'", "'unsafe-hashes'", "http:", "https:"}, path
        assert reply.headers["Referrer-Policy"] == "no-referrer", path
    assert set(pages) == {"/", "/ui", "/docs", "/redoc"}


@pytest.mark.parametrize("accept", [BROWSER, "*/*", None])
def test_every_reply_keeps_browsers_from_guessing(app: Flask, accept: str | None) -> None:
    client = app.test_client()
    headers = {"Accept": accept} if accept else {}
    paths = [*public_paths(app), "/nope", "/v1/nope", "/metrics", "/models", "/%ff", "//x"]
    for path in paths:
        for method in ("GET", "HEAD", "OPTIONS", "POST", "DELETE"):
            reply = client.open(path, method=method, headers=headers)
            assert reply.headers.getlist("X-Content-Type-Options") == ["nosniff"], (path, method)
            if reply.mimetype == "text/html" and method == "GET":
                assert "Content-Security-Policy" in reply.headers, path


@pytest.mark.parametrize("path", ["/nope", "/v1/nope", "/ask", "/api/nope", "/docs/assets/nope"])
def test_no_error_is_a_page_even_for_browsers(client: FlaskClient, path: str) -> None:
    markup = "?q=<script>alert(1)</script>"
    for method in ("GET", "POST"):
        reply = client.open(path + markup, method=method, headers={"Accept": BROWSER})
        assert reply.status_code >= 400 and reply.mimetype == "application/json"
        assert "<script" not in reply.text
