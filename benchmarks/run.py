"""What is measured, in which order."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from benchmarks.checks import warm_up
from benchmarks.footprint import measure_footprint
from benchmarks.held import measure_held
from benchmarks.load import LOADS, measure_load
from benchmarks.native import upstream
from benchmarks.paced import measure_alone, measure_paced
from benchmarks.processes import CannotRun
from benchmarks.report import LABELS
from benchmarks.results import UPSTREAM, Results
from benchmarks.targets import Target, missing, server

SETTLE_SECONDS = 0.1  # callers have left; let the server clear that away
OURS_STARTS = 3

Measure = Callable[[Results, Target], str]


def say(line: str = "") -> None:
    """Write a line at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Run:
    """One run: its results, and why which server was left out."""

    def __init__(self, names: list[str], rounds: int, seconds: int, folder: Path) -> None:
        self.results = Results()
        self.skipped: dict[str, str] = {}
        self._names = names
        self._rounds = rounds
        self._seconds = seconds
        self._folder = folder

    def measure(self) -> None:
        """Measure everything.

        Raises:
            CannotRun: something of the benchmark's own failed, or our server.
        """
        for name in self._names:
            if problem := missing(name):
                self._skip(name, problem)
        with ExitStack() as running:
            port, process = running.enter_context(upstream(self._folder, self._folder))
            fake = Target(UPSTREAM, LABELS[UPSTREAM], port, process)
            say("starts and idle memory")
            for name in self.names:
                with self._may_fail(name):
                    for _ in range(OURS_STARTS if name == "ours" else 1):
                        measure_footprint(self.results, name, port, self._folder)
            targets = [fake]
            for name in self.names:
                with self._may_fail(name):
                    targets.append(running.enter_context(self._started(name, port)))
            for number in range(self._rounds):
                self._round(number, targets)
        if "ours" in self.names:
            say("many streams")
            if problem := measure_held(self._folder, self.results):
                say(f"  {problem}")

    @property
    def names(self) -> list[str]:
        """The servers that are measured, in the tables' order."""
        return [name for name in self._names if name not in self.skipped]

    def _round(self, number: int, targets: list[Target]) -> None:
        """Measure every server, so that a slow minute of the machine meets them all."""
        say(f"round {number + 1} of {self._rounds}")
        folder, is_first = self._folder, number == 0
        if is_first:  # before anything else has made their heaps grow
            self._each(number, targets, partial(measure_paced, folder))
        self._each(number, targets, partial(measure_alone, folder))
        loaded = [target for target in targets if is_first or target.name != UPSTREAM]
        for load in LOADS:
            if is_first or load.every_round:
                self._each(number, loaded, partial(measure_load, load, self._seconds, folder))

    def _each(self, number: int, targets: list[Target], measure: Measure) -> None:
        """Whoever comes first or last may have it easier, so the order turns."""
        turn = number % len(targets)
        for target in targets[turn:] + targets[:turn]:
            if example := measure(self.results, target):
                say(f"  {target.label}: wrong or missing answers, e.g. {example}")
            time.sleep(SETTLE_SECONDS)

    @contextmanager
    def _started(self, name: str, port: int) -> Iterator[Target]:
        with server(name, port, self._folder) as target:
            warm_up(target, self._folder)
            yield target

    @contextmanager
    def _may_fail(self, name: str) -> Iterator[None]:
        """A server of others that cannot be started is left out; ours ends the run."""
        try:
            yield
        except CannotRun as error:
            if name == "ours":
                raise
            self._skip(name, str(error))

    def _skip(self, name: str, problem: str) -> None:
        self.skipped[name] = problem.splitlines()[0]
        say(f"{LABELS[name]} is left out: {problem}")
