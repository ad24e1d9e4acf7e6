"""Run the benchmark: `python -m benchmarks` from the project's folder."""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from benchmarks.load import FIGURES, check, measure, write_load
from benchmarks.processes import SERVERS, CannotRun, Target, need_tools, server, upstream
from benchmarks.replies import write_replies
from benchmarks.report import Results, as_json, failures, goal_lines, table

SETTLE_SECONDS = 0.1  # wrk leaves in the middle of answers; let the server clear that away


def say(line: str = "") -> None:
    """Write a line at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def positive(text: str) -> int:
    """Read a number of at least one."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def server_names(text: str) -> list[str]:
    """Read names of servers, divided by commas."""
    names = text.split(",")
    unknown = [name for name in names if name not in SERVERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(SERVERS)}")
    return [name for name in SERVERS if name in names]


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=positive, default=3, help="default: 3")
    parser.add_argument(
        "--seconds", type=positive, default=3, help="of load for each measurement; default: 3"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write all figures there")
    parser.add_argument(
        "--only",
        type=server_names,
        default=list(SERVERS),
        metavar="NAMES",
        help=f"servers to run, divided by commas; default: {','.join(SERVERS)}",
    )
    return parser.parse_args()


def note_failures(results: Results, target: Target, figure: str) -> None:
    """Say at once what went wrong in the newest measurement."""
    seen = results[target.name, figure][-1]
    if seen.failures:
        say(f"  {target.label}, {figure}: {seen.failures:,} failed, e.g. {seen.example}")


def run_rounds(targets: list[Target], rounds: int, seconds: int, folder: Path) -> Results:
    """Measure every server in every round, so that a slow minute of the machine meets them all."""
    results: Results = {}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for figure in FIGURES:
            # Whoever comes first or last in a round may have it easier, so the order turns.
            turn = number % len(targets)
            for target in targets[turn:] + targets[:turn]:
                seen = measure(target, figure, seconds, folder)
                results.setdefault((target.name, figure.name), []).append(seen)
                note_failures(results, target, figure.name)
                time.sleep(SETTLE_SECONDS)
    return results


def run(arguments: argparse.Namespace, folder: Path) -> int:
    """Start everything, measure, and report; the servers end with the block."""
    write_replies(folder)
    write_load(folder)
    with ExitStack() as running:
        fake = running.enter_context(upstream(folder))
        targets = [running.enter_context(server(n, fake.port, folder)) for n in arguments.only]
        for target in targets:
            check(target)
            measure(target, FIGURES[0], 1, folder)  # warm-up: pools are filled, code is hot
        results = run_rounds(targets, arguments.rounds, arguments.seconds, folder)
        # Once and shortly, only to show that it was not what held the servers back.
        for figure in FIGURES:
            results[fake.name, figure.name] = [measure(fake, figure, 1, folder)]
    shown = [*targets, fake]
    say()
    for line in table(results, shown):
        say(line)
    say(f"\nRounds: {arguments.rounds}, {arguments.seconds} s a measurement, one worker a server;")
    say(f"{os.cpu_count()} cores shared with wrk and the fake upstream. Only the ratios travel.\n")
    for line in goal_lines(results):
        say(line)
    if arguments.json:
        report = as_json(results, shown, arguments.rounds, arguments.seconds)
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    wrong = [target.label for target in shown if failures(results, target.name)]
    if wrong:
        say(f"\nWrong or missing answers from: {', '.join(wrong)}. These figures do not count.")
    return 1 if wrong else 0


def stop(number: int, frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that every block on the way out ends its children."""
    raise SystemExit(128 + number)


def main() -> int:
    """Run and return the exit status: 1 for wrong answers, 2 when it could not be run."""
    arguments = read_arguments()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        need_tools()
        with tempfile.TemporaryDirectory(prefix="chat-api-bench-") as folder:
            return run(arguments, Path(folder))
    except CannotRun as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
