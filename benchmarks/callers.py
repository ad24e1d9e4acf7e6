"""Callers that take the time of each answer, and look at all of it (`native/client.c`)."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.native import CLIENT
from benchmarks.processes import CannotRun, child, clean_environment
from benchmarks.replies import PATH
from benchmarks.targets import Target

GIVE_UP_SECONDS = 20
FOREVER = 1_000_000_000


@dataclass(frozen=True)
class Seen:
    """What the callers saw: seconds of each answer that was right, how many were not, and the
    seconds that all took together."""

    firsts: list[float]
    wholes: list[float]
    failures: int
    example: str
    seconds: float


def percentile(numbers: list[float], share: float) -> float:
    """The number that so great a share of them does not pass."""
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def http_request(target: Target, body: bytes) -> bytes:
    """A request as it goes over the wire."""
    headers = {"Host": f"127.0.0.1:{target.port}", "Content-Type": "application/json"}
    headers |= {**target.headers, "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {PATH} HTTP/1.1\r\n{lines}\r\n".encode() + body


def call(
    target: Target,
    request: bytes,
    expected: str,
    folder: Path,
    *,
    callers: int = 1,
    ramp: float = 0,
    each: int = FOREVER,
    stop: float = GIVE_UP_SECONDS,
    meanwhile: Callable[[], None] = lambda: None,
) -> Seen:
    """Let callers call.

    Args:
        expected: lines that an answer must hold in this order.
        ramp: seconds over which the callers begin.
        each: how often each calls, one answer after the other.
        stop: seconds after which no request is made; those under way are waited for.
        meanwhile: called when they have begun.

    Raises:
        CannotRun: the program that plays them failed.
    """
    name = f"{target.name}-{callers}-{time.monotonic_ns()}"
    files = [folder / f"{name}.{kind}" for kind in ("request", "expect", "log")]
    files[0].write_bytes(request)
    files[1].write_text(expected)
    moments = [int(1000 * seconds) for seconds in (stop, stop + GIVE_UP_SECONDS)]
    numbers = [callers, int(1000 * ramp), each, *moments]
    argv = [str(folder / CLIENT), str(target.port), *map(str, files[:2]), *map(str, numbers)]
    with child(argv, clean_environment(folder), files[2], subprocess.PIPE) as process:
        meanwhile()
        said = process.communicate(timeout=stop + GIVE_UP_SECONDS + 10)[0]
    example = files[2].read_text(errors="replace")[:300]
    if process.returncode or not said:
        raise CannotRun(f"{target.label}: the callers failed: {example}")
    return read_answers(said.decode(), example)


def read_answers(said: str, example: str) -> Seen:
    """What `client` printed. Where nothing was answered at all, that is a failure, too."""
    *answers, took = said.splitlines()
    right = [line.split() for line in answers if line.endswith(" 1")]
    firsts, wholes = ([int(line[column]) / 1e6 for line in right] for column in (0, 1))
    failures = len(answers) - len(right) if answers else 1
    return Seen(firsts, wholes, failures, example, int(took) / 1e6)
