"""Whose pages may call: never everybody's with credentials, whatever the settings say."""

from __future__ import annotations

import itertools

import pytest
from flask import Flask

from chat_api import create_app
from chat_api.settings import Settings
from chat_api.wiring import Services

OURS, SECOND, FOREIGN = "https://ours.example", "http://localhost:3000", "https://foreign.example"
ALLOWED = [
    ("*",),
    (OURS,),
    (OURS, SECOND),
    ("*", OURS),
    (OURS, "*"),
    ("null",),
    ("null", "*"),
]
ORIGINS = [
    OURS,
    SECOND,
    FOREIGN,
    "null",
    "*",
    "https://ours.example.foreign.example",
    "https://foreign-ours.example",
    "https://ours.example:8443",
    "https://ours.example/",
    "https://OURS.EXAMPLE",
    "http://ours.example",
    "https://user@ours.example",
    "https://ours.example, https://foreign.example",
    "https://oursXexample",
    "",
]
PATHS = ["/health", "/chat", "/v1/models", "/nope", "/v1/nope", "/docs", "/static/docs.css"]
METHODS = ["GET", "POST", "OPTIONS", "DELETE"]


@pytest.fixture(params=[(), ("canary-key",)], ids=["open", "closed"])
def keys(request: pytest.FixtureRequest) -> tuple[str, ...]:
    found: tuple[str, ...] = request.param
    return found


@pytest.fixture(params=ALLOWED, ids=str)
def allowed(request: pytest.FixtureRequest) -> tuple[str, ...]:
    found: tuple[str, ...] = request.param
    return found


@pytest.fixture
def page_app(services: Services, keys: tuple[str, ...], allowed: tuple[str, ...]) -> Flask:
    return create_app(Settings(allow_origins=allowed, api_keys=keys), services)


def test_no_reply_lets_everybody_in_with_credentials(
    page_app: Flask, allowed: tuple[str, ...]
) -> None:
    client = page_app.test_client()
    for origin, path, method in itertools.product(ORIGINS, PATHS, METHODS):
        asked = {
            "Origin": origin,
            "Cookie": "a=b",
            "Authorization": "Bearer x",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, cookie",
            "Access-Control-Request-Private-Network": "true",
        }
        headers = client.open(path, method=method, headers=asked).headers
        case = (origin, path, method, headers)
        assert "Access-Control-Allow-Credentials" not in headers, case
        assert headers.get("Access-Control-Allow-Private-Network") != "true", case
        assert "Set-Cookie" not in headers, case
        if not origin:
            continue  # no page of a browser's asks
        told = headers.getlist("Access-Control-Allow-Origin")
        if "*" in allowed:
            assert told in (["*"], [origin]), case
            continue
        assert told == ([origin] if origin.lower() in allowed else []), case
        if told and len(allowed) > 1:
            assert "Origin" in headers["Vary"], case
