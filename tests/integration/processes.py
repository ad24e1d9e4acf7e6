"""What /proc says of processes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

PROCESSES = Path("/proc")


def is_alive(process: int) -> bool:
    """A zombie, whose new parent has not looked after it yet, is not."""
    return _stat(process)[0] not in ("", "Z", "X")


def children(process: int) -> list[int]:
    """Its living children."""
    return [pid for pid in _forked_off(process) if is_alive(pid)]


def zombies(process: int) -> list[int]:
    """Its dead children that it has not looked after yet."""
    return [pid for pid in _forked_off(process) if _stat(pid)[0] == "Z"]


def descendants(process: int) -> list[int]:
    """Its living children and theirs."""
    found = children(process)
    return found + [below for child in found for below in descendants(child)]


def open_files(*processes: int) -> int:
    """How many descriptors they hold."""
    return sum(len(os.listdir(PROCESSES / str(pid) / "fd")) for pid in processes)


def threads(*processes: int) -> int:
    """How many threads they run."""
    return sum(len(os.listdir(PROCESSES / str(pid) / "task")) for pid in processes)


def _forked_off(process: int) -> list[int]:
    pids = [int(folder.name) for folder in PROCESSES.iterdir() if folder.name.isdigit()]
    return [pid for pid in pids if _stat(pid)[1] == process]


def _stat(process: int) -> tuple[str, int]:
    """State letter and parent; ("", 0) when there is no such process."""
    with contextlib.suppress(OSError):
        fields = (PROCESSES / f"{process}/stat").read_text().rsplit(")", 1)[1].split()
        return fields[0], int(fields[1])
    return "", 0
