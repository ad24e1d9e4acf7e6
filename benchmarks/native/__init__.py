"""The programs in C: the fake upstream, and callers that take the time."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import CannotRun, child, clean_environment
from benchmarks.replies import PAUSE_MS

SOURCES = Path(__file__).resolve().parent
UPSTREAM, CLIENT = "upstream", "client"
PROGRAMS = {UPSTREAM: ("upstream.c", "replies.c"), CLIENT: ("client.c", "http.c")}


def compile_programs(folder: Path) -> None:
    """Compile both into the folder.

    Raises:
        CannotRun: there is no compiler, or it does not like them.
    """
    if shutil.which("cc") is None:
        raise CannotRun("a C compiler builds the fake upstream: apt-get install gcc libc6-dev")
    for name, sources in PROGRAMS.items():
        files = [str(SOURCES / source) for source in sources]
        argv = ["cc", "-O2", "-o", str(folder / name), *files]
        built = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        if built.returncode:
            raise CannotRun(f"cc could not build {name}:\n{built.stderr}")


@contextmanager
def upstream(folder: Path, replies: Path, pause_ms: int = PAUSE_MS) -> Iterator[tuple[int, int]]:
    """Run the fake upstream, which serves the replies in that folder, those that come token by
    token with such a pause before each; its port and process."""
    argv = [str(folder / UPSTREAM), str(replies), str(pause_ms)]
    log = folder / "upstream.log"
    with child(argv, clean_environment(folder), log, subprocess.PIPE) as process:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise CannotRun(f"the fake upstream did not start:\n{log.read_text()}")
        yield int(line), process.pid
