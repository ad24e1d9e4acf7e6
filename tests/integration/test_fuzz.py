"""A short run of what `make fuzz` does, the same every time."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz import fuzz, fuzzed_server


def test_made_up_requests_get_what_the_description_promises(tmp_path: Path) -> None:
    with fuzzed_server(tmp_path) as server:
        done = fuzz(
            server,
            tmp_path,
            *("--generation-deterministic", "--max-examples", "6", "--no-shrink"),
            # Few requests meet what is there; `make fuzz` makes more of them up.
            *("--phases", "examples,fuzzing", "--warnings", "off"),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "No issues found" in done.stdout
        assert '"crash"' not in server.log()
