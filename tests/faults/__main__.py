"""`python -m tests.faults`: the figures of reliability, as far as one machine can measure them
beside the server; exit code 1 where one misses its target. A few minutes."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable

from benchmarks.processes import CannotRun
from tests.faults import (
    body_figures,
    crowd_figures,
    death_figures,
    fault_figures,
    input_figures,
    load_figures,
)
from tests.faults.asked import ASKED, COUNTS, ELSEWHERE, SECRETS
from tests.faults.stand import Measured, Stand
from tests.leaks import LeakFound

COUNTED = (*fault_figures.FIGURES, *input_figures.FIGURES, *death_figures.COUNTED)
MEASURES = (
    *fault_figures.FIGURES,
    *input_figures.FIGURES,
    *crowd_figures.FIGURES,
    *load_figures.FIGURES,
    *body_figures.FIGURES,
    *death_figures.FIGURES,
)


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


def measured_by(measure: Callable[[], dict[str, Measured]]) -> dict[str, Measured]:
    """What it found. Nothing where it cannot be had on this machine, which is said; where it broke
    off, as machines that are too busy make it do, that under the measure's own name: the other
    measures go on."""
    try:
        return measure()
    except CannotRun as reason:
        say(f"| {measure.__name__} | | | not here: {reason} | |")
        return {}
    except Exception as failure:
        if isinstance(failure, LeakFound):  # of a server that is no `Stand`
            Stand.secrets += len(failure.found)
        traceback.print_exc()
        return {measure.__name__: Measured(f"broke off: {failure!r}", False, False)}


def main() -> None:
    """Measure all, or those whose name holds the argument. With `--counts` only what finds counts
    that no busy machine can excuse (`COUNTS`), and these alone make it fail."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--counts", action="store_true")
    options = parser.parse_args()
    measures = COUNTED if options.counts else MEASURES
    chosen = [each for each in measures if options.name in each.__name__]
    if not chosen:
        parser.error(f"no such measure: {', '.join(each.__name__ for each in measures)}")
    began = time.monotonic()
    found: dict[str, Measured] = {}
    say("| figure | target | proud of | measured | |\n| --- | --- | --- | --- | --- |")
    for measure in chosen:
        for name, measured in measured_by(measure).items():
            show(name, measured)
            found[name] = measured
    found[SECRETS] = Measured(str(Stand.secrets), not Stand.secrets, not Stand.secrets)
    show(SECRETS, found[SECRETS])
    for name, place in ELSEWHERE.items():
        say(f"| {name} | | | not here: {place} | |")
    judged = COUNTS if options.counts else found
    missed = [name for name in judged if name not in found or not found[name].holds]
    say(f"\n{len(missed)} missed, in {time.monotonic() - began:.0f} s.")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
