"""Count what a request costs: `python -m benchmarks.cost` prints it, as JSON; with `--renew` it
becomes the budget."""

import argparse
import json
import sys

from benchmarks.cost import budget
from benchmarks.cost.figures import measure


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--renew", action="store_true", help="keep the figures as the budget")
    renew = parser.parse_args().renew
    figures = measure()
    sys.stdout.write(json.dumps({name: cost._asdict() for name, cost in figures.items()}) + "\n")
    if renew:
        budget.write(figures)


if __name__ == "__main__":
    main()
