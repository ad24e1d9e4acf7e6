"""Objects that requests leave behind: none of any kind, counted in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT, clean_environment


def test_three_hundred_requests_leave_no_object_behind(tmp_path: Path) -> None:
    counted = subprocess.run(
        [sys.executable, "-m", "tests.faults.leftovers"],
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert counted.returncode == 0, counted.stderr
