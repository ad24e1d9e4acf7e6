"""`flask --app main …` in processes of its own, and what it says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tests.servers import ROOT, clean_environment


def command(
    folder: Path,
    *arguments: str,
    through: Sequence[str] = (),
    stdin: int | IO[Any] = subprocess.DEVNULL,
    **settings: str,
) -> subprocess.Popen[str]:
    """One of the commands, run in an empty folder, so that no `.env` is read.

    Args:
        through: a program that becomes the one of its further arguments.
    """
    return subprocess.Popen(
        [*through, sys.executable, "-u", "-W", "error", "-m", "flask", "--app", "main", *arguments],
        cwd=folder,
        env={**clean_environment(), "PYTHONPATH": str(ROOT), **settings},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def by_subject(text: str) -> dict[str, str]:
    """The lines; each begins with its verdict."""
    return {line[6:16].strip(): line for line in text.splitlines()}
