"""Run the benchmark: `python -m benchmarks` from the project's folder."""

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from benchmarks.chart import chart
from benchmarks.goals import goal_lines
from benchmarks.native import compile_programs
from benchmarks.processes import CannotRun
from benchmarks.replies import write_replies
from benchmarks.report import as_json, machine, tables
from benchmarks.results import UPSTREAM
from benchmarks.run import Run, say
from benchmarks.targets import SERVERS


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
        "--seconds", type=positive, default=2, help="under full load at a time; default: 2"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write all figures there")
    parser.add_argument("--chart", type=Path, metavar="PATH", help="also draw them there, in SVG")
    parser.add_argument(
        "--only",
        type=server_names,
        default=list(SERVERS),
        metavar="NAMES",
        help=f"servers to run, divided by commas; default: {','.join(SERVERS)}",
    )
    return parser.parse_args()


def report(run: Run, arguments: argparse.Namespace) -> None:
    """Say what was seen, and write what was asked for."""
    where = machine()
    note = f"{where['day']}, one worker each, {where['cores']} cores, Python {where['python']}"
    say()
    for line in (*tables(run.results, [*run.names, UPSTREAM]), *goal_lines(run.results)):
        say(line)
    if arguments.json:
        figures = as_json(run.results, [*run.names, UPSTREAM], run.skipped)
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    if arguments.chart:
        arguments.chart.write_text(chart(run.results, run.names, f"{note}; make bench"))
    say(f"\n{note}, shared with the load and the fake upstream. Only the ratios travel.")


def run(arguments: argparse.Namespace, folder: Path) -> int:
    """Measure and report; the servers end with it."""
    began = time.monotonic()
    compile_programs(folder)
    write_replies(folder)
    whole = Run(arguments.only, arguments.rounds, arguments.seconds, folder)
    whole.measure()
    report(whole, arguments)
    say(f"It took {time.monotonic() - began:.0f} s.")
    return 1 if any(whole.results.failed(name) for name in ("ours", UPSTREAM)) else 0


def stop(number: int, frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that every block on the way out ends its children."""
    raise SystemExit(128 + number)


def main() -> int:
    """Run and return the exit status: 1 for wrong answers of ours, 2 when it could not be run."""
    arguments = read_arguments()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        with tempfile.TemporaryDirectory(prefix="chat-api-bench-") as folder:
            return run(arguments, Path(folder))
    except CannotRun as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
