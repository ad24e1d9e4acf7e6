"""Starting processes, ending all of them whatever happens, and what they take meanwhile."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
STOP_SECONDS = 3
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class CannotRun(Exception):
    """The benchmark cannot go on; the text tells the reader why."""


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all it started: politely first, and then for certain."""
    try:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    finally:  # a second Ctrl-C while waiting ends up here too
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


@contextmanager
def child(
    argv: list[str], env: dict[str, str], log: Path, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in a group of its own, as long as the block lasts; it writes to `log`."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file if stdout is None else stdout,
            stderr=file,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            end_group(process)


def clean_environment(folder: Path) -> dict[str, str]:
    """Return an environment of our own: no proxy, key or setting of the caller's leaks in."""
    dotenv = ROOT / ".env"
    lines = dotenv.read_text(errors="replace") if dotenv.is_file() else ""
    # Our server reads `.env` beneath the environment and takes an empty variable for an unset one,
    # so naming all of them empty measures the defaults.
    unset = dict.fromkeys(re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", lines, re.MULTILINE), "")
    return unset | {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def tree(session: int) -> Iterator[list[str]]:
    """Yield /proc/PID/stat, from the state on, of a child and all that it started; its own id
    stands in front."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session:
                    yield [folder.name, *fields]


def cpu_seconds(session: int) -> float:
    """Return the CPU time that a child and what it started have used so far."""
    return sum(int(fields[12]) + int(fields[13]) for fields in tree(session)) / TICKS_A_SECOND


def memory_bytes(session: int) -> int:
    """Return the PSS of a child and what it started: what is shared counts once."""
    total = 0
    for pid, *_ in tree(session):
        with suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.findall(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[0]) * 1024
    return total
