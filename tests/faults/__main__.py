"""`python -m tests.faults`: the figures of reliability, as far as one machine can measure them
beside the server; exit code 1 where one misses its target. A few minutes."""

from __future__ import annotations

import sys
import time

from tests.faults import death_figures, fault_figures, load_figures
from tests.faults.asked import ASKED, ELSEWHERE
from tests.faults.stand import Measured, Stand

MEASURES = (*fault_figures.FIGURES, *load_figures.FIGURES, *death_figures.FIGURES)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def verdict(measured: Measured) -> str:
    if not measured.holds:
        return "MISSED"
    return "proud" if measured.proud else "holds"


def show(name: str, measured: Measured) -> None:
    """A row; one that nothing is asked of is one of our own."""
    target, proud = ASKED.get(name, ("", ""))
    say(f"| {name} | {target} | {proud} | {measured.text} | {verdict(measured)} |")


def main() -> None:
    """Measure all, or those whose name holds the first argument."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    began = time.monotonic()
    missed = 0
    say("| figure | target | proud of | measured | |\n| --- | --- | --- | --- | --- |")
    for measure in (each for each in MEASURES if wanted in each.__name__):
        for name, measured in measure().items():
            show(name, measured)
            missed += not measured.holds
    secret = Measured(str(Stand.secrets), not Stand.secrets, not Stand.secrets)
    show("secrets in the logs of this run", secret)
    for name, place in ELSEWHERE.items():
        say(f"| {name} | | | not here: {place} | |")
    say(f"\n{missed + (not secret.holds)} missed, in {time.monotonic() - began:.0f} s.")
    sys.exit(bool(missed or not secret.holds))


if __name__ == "__main__":
    main()
