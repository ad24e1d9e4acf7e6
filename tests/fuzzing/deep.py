"""`make fuzz-deep`: the parsers' properties under atheris, which looks for bytes that reach more.

`python -m tests.fuzzing.deep PARSER CORPUS [libFuzzer options]`; it ends with a traceback
and its bytes in a file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

WATCHED = ["chat_api.upstreams", "chat_api.web.json_objects", "chat_api.schemas", "json"]

with atheris.instrument_imports(include=WATCHED):
    from tests.fuzzing import parsers, seeds

TARGETS = {
    "events": (parsers.openai_events_are_the_same_in_all_splits, seeds.EVENTS),
    "ollama": (parsers.ollama_events_are_the_same_in_all_splits, seeds.OLLAMA_LINES),
    "http": (parsers.http_is_the_same_in_all_splits, seeds.RESPONSES),
    "json": (parsers.objects_are_those_of_the_standard_library, seeds.BODIES),
}
CUTS = 4
"""So many bytes at the end of an input say where the rest of it is cut."""


def main() -> None:
    name, corpus, *options = sys.argv[1:]
    holds, pieces = TARGETS[name]
    folder = Path(corpus, name)
    folder.mkdir(parents=True, exist_ok=True)
    for number, piece in enumerate(pieces):
        (folder / f"seed-{number}").write_bytes(piece + bytes(CUTS))

    def one_input(data: bytes) -> None:
        holds(data[:-CUTS], [37 * cut for cut in data[-CUTS:]])

    prefix = f"-artifact_prefix={corpus}/failed-{name}-"
    atheris.Setup([sys.argv[0], str(folder), prefix, *options], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
