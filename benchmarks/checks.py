"""Asking a server once with care, before it is put under load."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import LOADS, call_on_and_on
from benchmarks.processes import CannotRun
from benchmarks.replies import PATH, TEXT, request_body
from benchmarks.targets import Target


@contextmanager
def answer(target: Target, body: bytes) -> Iterator[http.client.HTTPResponse]:
    """Ask a server once."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    try:
        headers = {"Content-Type": "application/json", **target.headers}
        connection.request("POST", PATH, body, headers)
        yield connection.getresponse()
    finally:
        connection.close()


def said_in(raw: str, stream: bool) -> str:
    """Put the text of a reply together, as a client would."""
    if not stream:
        return str(json.loads(raw)["choices"][0]["message"]["content"])
    events = [line[6:] for line in raw.split("\n\n") if line.startswith("data: ")]
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def warm_up(target: Target, folder: Path) -> None:
    """Check a server, and ask it for a second: what it makes ready after its start is ready then,
    pools are filled, code is hot.

    Raises:
        CannotRun: an answer is not what the upstream said.
    """
    check(target)
    call_on_and_on(target, LOADS[0], 1, folder)


def check(target: Target) -> None:
    """Read one answer of each kind as a client does: what follows only looks for its tokens.

    Raises:
        CannotRun: an answer is not what the upstream said.
    """
    for load in LOADS:
        try:
            with answer(target, request_body(load.messages, load.stream)) as reply:
                seen = reply.read().decode()
            whole = reply.status == 200 and said_in(seen, load.stream) == TEXT
            seen = f"{reply.status} {seen[:300]}"
        except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
            whole, seen = False, repr(error)
        if not whole:
            raise CannotRun(f"{target.label}: a wrong answer ({load.name}): {seen}")
