"""Print what one request costs, layer by layer: `python -m benchmarks.layers`."""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.checks import check
from benchmarks.layers.counted import calls_by_layer
from benchmarks.layers.sampler import VARIABLE
from benchmarks.layers.table import ELSEWHERE, LAYERS
from benchmarks.load import LOADS, Load, measure_load
from benchmarks.native import compile_programs, upstream
from benchmarks.processes import HERE, CannotRun
from benchmarks.replies import write_replies
from benchmarks.results import Results
from benchmarks.targets import server

SAMPLED = LOADS[:2]
"""A whole request, and a stream of 64 events."""


def microseconds(load: Load, port: int, folder: Path, seconds: int) -> dict[str, float]:
    """The CPU of one reply by layer: that of the worker, divided as it was seen in them."""
    results, samples = Results(), folder / f"{load.name}.samples"
    conf = f"--config {HERE / 'servers/sampled.conf.py'}"
    environment = {"GUNICORN_CMD_ARGS": conf, VARIABLE: str(samples)}
    with server("ours", port, folder, 1, **environment) as target:
        check(target)
        if problem := measure_load(load, seconds, folder, results, target):
            raise CannotRun(f"wrong answers, e.g. {problem}")
    counts = Counter(json.loads(samples.read_text()))
    cpu = results.values["ours", f"{load.name}_cpu"][0] * load.per_reply
    return {layer: cpu * count / counts.total() for layer, count in counts.items()}


def table(
    calls: dict[str, Counter[str]], times: dict[str, dict[str, float]]
) -> Iterator[tuple[str, ...]]:
    """Yield the rows, cells as Markdown has them; the last one is the sum."""
    yield ("layer", "calls", "µs", "calls, 64 events", "µs, 64 events")
    yield ("---", "---:", "---:", "---:", "---:")
    for layer in (*LAYERS, ELSEWHERE):
        cells = [cell for load in SAMPLED for cell in (calls[load.name], times[load.name])]
        numbers = [values.get(layer, 0) for values in cells]
        if any(numbers):
            yield (layer, *(f"{number:,.0f}" for number in numbers))
    sums = [sum(cell.values()) for load in SAMPLED for cell in (calls[load.name], times[load.name])]
    yield ("all", *(f"{number:,.0f}" for number in sums))


def main() -> int:
    """Run, and return the exit status: 2 when it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("--seconds", type=int, default=8, help="of load, twice; default: 8")
    seconds = parser.parse_args().seconds
    try:
        with tempfile.TemporaryDirectory(prefix="chat-api-layers-") as name:
            folder = Path(name)
            compile_programs(folder)
            write_replies(folder)
            with upstream(folder, folder) as (port, _):
                times = {ld.name: microseconds(ld, port, folder, seconds) for ld in SAMPLED}
    except CannotRun as error:
        sys.stderr.write(f"{error}\n")
        return 2
    # Counted last: that stops this process's clock.
    for row in table(calls_by_layer(), times):
        sys.stdout.write(f"| {' | '.join(row)} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
