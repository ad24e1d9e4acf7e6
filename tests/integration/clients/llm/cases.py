"""The `llm` command on chat completions: each case is a command line."""

from __future__ import annotations

import base64
import json

from commands import prompt, set_up
from reporting import PNG, WEATHER, case, report

PICTURE = set_up("llm-home") / "picture.png"
PICTURE.write_bytes(base64.b64decode(PNG.partition(",")[2]))


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
    return prompt("Hi", "--functions", "def weather(city: str, days: int): return '22 degrees'")


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
