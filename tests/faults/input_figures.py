"""Figures of requests that are odd or broken."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.faults.stand import Measured
from tests.fuzzing import broken
from tests.fuzzing.run import Run
from tests.fuzzing.stand import routes_of, targets

SEED = 2026
ODD, BROKEN = 20_000, 2_000
PROUD_OF = 1_000_000
"""So many take an hour: `make fuzz` can be told to."""


def requests() -> dict[str, Measured]:
    """Whatever `make fuzz` calls a fault is a miss here; it tells which."""
    with tempfile.TemporaryDirectory() as folder, targets(Path(folder)) as found:
        report = Run(found, routes_of(found[0].server), SEED, lambda _: None).go(ODD)
        answers = broken.ask(found[1].server, BROKEN, SEED)
        unharmed = not any(target.faults() for target in found)
    errors = report.server_errors()
    failures, badly_told = len(answers.failures), len(answers.badly_told)
    whole = report.count == ODD and not report.faults
    return {
        "fuzzed well-formed requests: 5xx": Measured(
            f"{errors} of {report.count:,}", whole, whole and report.count >= PROUD_OF
        ),
        "malformed HTTP: 500s / errors that are not JSON": Measured(
            f"{failures} / {badly_told} of {BROKEN:,}",
            unharmed and failures == 0,
            unharmed and failures == badly_told == 0,
        ),
    }


FIGURES = (requests,)
