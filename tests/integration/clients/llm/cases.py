"""The `llm` command: each case is a command line."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

from reporting import KEY, MODEL, PNG, URL, WEATHER, case, report

HOME = Path("llm-home").absolute()
PICTURE = HOME / "picture.png"
FUNCTIONS = (
    'def weather(city: str, days: int) -> str:\n    "The weather."\n    return "22 degrees"\n'
)


def llm(*arguments: str) -> list:
    """How the command ends, and what it prints on both outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "llm", *arguments],
        env={**os.environ, "LLM_USER_PATH": str(HOME)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return [done.returncode, done.stdout.strip(), done.stderr.strip()]


def prompt(text: str, *arguments: str, key: str = KEY) -> list:
    return llm("prompt", text, "-m", "chat", "--key", key, *arguments)


HOME.mkdir(exist_ok=True)
PICTURE.write_bytes(base64.b64decode(PNG.partition(",")[2]))
abilities = {"supports_schema": True, "supports_tools": True, "vision": True}
models = [
    {"model_id": "chat", "model_name": MODEL, "api_base": URL, **abilities, "api_key_name": "own"}
]
(HOME / "extra-openai-models.yaml").write_text(json.dumps(models))  # JSON is YAML


@case
def pieces():
    return prompt("one two")


@case
def whole():
    return prompt("one two", "--no-stream")


@case
def usage():
    return prompt("Hi", "--usage", "--no-stream")


@case
def system():
    return prompt("history", "-s", "Be brief.")


@case
def conversation():
    prompt("Hi")
    return prompt("history", "--continue")


@case
def schema():
    return prompt("Hi", "--schema", json.dumps(WEATHER))


@case
def tools():
    return prompt("Hi", "--functions", FUNCTIONS)


@case
def picture():
    return prompt("What?", "-a", str(PICTURE))


@case
def wrong_key():
    return prompt("Hi", key="wrong")


@case
def status_404():
    return prompt("status 404")


@case
def broken_stream():
    return prompt("cut")


report()
