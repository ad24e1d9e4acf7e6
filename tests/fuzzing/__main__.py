"""`make fuzz`: good requests, odd ones, and what is no HTTP any more, at real servers.

`ARGS="--seed 7"` makes the same requests again, `--count` and `--only` make more or fewer.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.fuzzing import broken, described
from tests.fuzzing.run import Run
from tests.fuzzing.stand import routes_of, targets

COUNT = 20_000
PARTS = ("odd", "broken", "described")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def told(statuses: Counter[int]) -> str:
    return ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))


def fuzz_odd(count: int, seed: int) -> list[str]:
    """Requests that are HTTP, whatever they say; returns what went wrong."""
    with tempfile.TemporaryDirectory() as folder, targets(Path(folder)) as found:
        report = Run(found, routes_of(found[0].server), seed, say).go(count)
    errors = report.server_errors()
    say(f"{report.count:,} answers ({told(report.statuses)}), {errors} of them 5xx.")
    return report.faults


def fuzz_broken(count: int, seed: int) -> list[str]:
    """What is no HTTP; returns what went wrong."""
    with tempfile.TemporaryDirectory() as folder, targets(Path(folder)) as found:
        answers = broken.ask(found[1].server, count, seed)
        faults = found[1].faults()
    wrong = len(answers.failures), len(answers.badly_told)
    say(f"{count:,} broken requests ({told(answers.statuses)}), {wrong[0]} of them 500, ")
    say(f"{wrong[1]} not told in JSON; 0 stands for no answer.")
    return [*answers.failures, *answers.badly_told, *faults]


def fuzz_described(seed: int) -> list[str]:
    """What `/openapi.json` describes; returns schemathesis' report where it found something."""
    with tempfile.TemporaryDirectory() as name, described.fuzzed_server(Path(name)) as server:
        amount = ("--max-examples", str(described.EXAMPLES_PER_ROUTE), "--seed", str(seed))
        # One thread: two trip over each other where requests are made up.
        done = described.fuzz(server, Path(name), *amount)
    say("\n".join(done.stdout.splitlines()[-12:]))
    return [done.stdout + done.stderr] if done.returncode else []


def main() -> int:
    """Fuzz; the exit code says how it went."""
    parser = argparse.ArgumentParser("make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--count", type=int, default=COUNT, help="how many odd requests")
    parser.add_argument("--only", choices=PARTS, help="leave out the other parts")
    options = parser.parse_args()
    faults: list[str] = []
    for part in (options.only,) if options.only else PARTS:
        say(f"\nseed {options.seed}, {part} requests:")
        if part == "odd":
            faults += fuzz_odd(options.count, options.seed)
        elif part == "broken":
            faults += fuzz_broken(options.count // 10, options.seed)
        else:
            faults += fuzz_described(options.seed)
    for fault in faults:
        say(f"\n{fault}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
