"""Putting a server under load with wrk, and asking it once with care before."""

import http.client
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import HERE, CannotRun, Target, child, clean_environment
from benchmarks.replies import EVENTS, TEXT, TOKENS, request_body

PATH = "/v1/chat/completions"


@dataclass(frozen=True)
class Figure:
    """One thing to measure: what is sent, over how many connections, and what is counted."""

    name: str
    title: str
    connections: int
    messages: int
    stream: bool

    @property
    def per_reply(self) -> int:
        """How much one reply counts: its events when it is streamed."""
        return EVENTS if self.stream else 1


FIGURES = (
    Figure("whole", "replies/s", 32, 1, False),
    Figure("events", "events/s", 32, 1, True),
    # A plain server answers these in bursts as large as the number of callers. Eight keep a worker
    # busy, and the burst that is cut off at the end stays small beside what was counted.
    Figure("messages", "replies/s, 100 messages", 8, 100, False),
)


@dataclass(frozen=True)
class Measured:
    """What one measurement saw."""

    rate: float
    failures: int
    example: str


def write_load(folder: Path) -> None:
    """Write the bodies wrk sends, and the texts it looks for in every answer."""
    for figure in FIGURES:
        body = request_body(figure.messages, figure.stream)
        expected = [TOKENS[-1], "data: [DONE]"] if figure.stream else [TEXT]
        (folder / f"{figure.name}.body").write_bytes(body)
        (folder / f"{figure.name}.expect").write_text("\n".join(expected))


@contextmanager
def answer(target: Target, body: bytes) -> Iterator[http.client.HTTPResponse]:
    """Ask a server once."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    try:
        connection.request("POST", PATH, body, {"Content-Type": "application/json"})
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


def check(target: Target) -> None:
    """Read one answer of each kind to its last word: wrk only looks for the marks of a whole one.

    Raises:
        CannotRun: an answer is not what the upstream said.
    """
    for figure in FIGURES:
        try:
            with answer(target, request_body(figure.messages, figure.stream)) as reply:
                seen = reply.read().decode()
            whole = reply.status == 200 and said_in(seen, figure.stream) == TEXT
            seen = f"{reply.status} {seen[:300]}"
        except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
            whole, seen = False, repr(error)
        if not whole:
            raise CannotRun(f"{target.label}: a wrong answer ({figure.name}): {seen}")


def measure(target: Target, figure: Figure, seconds: int, folder: Path) -> Measured:
    """Load a server for some seconds; nothing else is under load meanwhile.

    Raises:
        CannotRun: wrk itself failed.
    """
    argv = ["wrk", "-t1", f"-c{figure.connections}", f"-d{seconds}s", "--timeout", "10s"]
    argv += ["-s", str(HERE / "load.lua"), f"http://127.0.0.1:{target.port}{PATH}", "--"]
    argv += [str(folder / f"{figure.name}.body"), str(folder / f"{figure.name}.expect")]
    argv += [str(EVENTS if figure.stream else 0)]
    log = folder / "wrk.log"
    log.unlink(missing_ok=True)
    with child(argv, clean_environment(folder), log) as process:
        try:
            process.wait(seconds + 30)
        except subprocess.TimeoutExpired as error:
            raise CannotRun(f"{target.label}: wrk did not come to an end") from error
    said = log.read_text(errors="replace")
    lines = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    if process.returncode or "RESULT" not in lines:
        raise CannotRun(f"wrk failed on {target.label}:\n{said}")
    replies, microseconds, wrong, broken = map(int, lines["RESULT"].split())
    example = lines.get("EXAMPLE", "").strip() or f"{broken} broken connections or time-outs"
    # A server that answers nothing at all has failed, too.
    failures = wrong + broken if replies else max(1, wrong + broken)
    right = max(0, replies - wrong)
    rate = right * figure.per_reply / (microseconds / 1e6)
    return Measured(rate, failures, example if failures else "")
