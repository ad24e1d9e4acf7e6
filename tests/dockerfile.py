"""The Dockerfile, read: as much of its language as ours needs; all else is an error."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

IMAGE_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What the image of Python sets."""
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
PAIR = re.compile(r'(\w+)=("[^"]*"|\S*)')


@dataclass(frozen=True)
class Copy:
    """COPY: from the context, or from an earlier stage."""

    sources: tuple[str, ...]
    target: str
    stage: str | None


@dataclass(frozen=True)
class Run:
    """RUN, and all that it depends on."""

    command: str
    user: str
    folder: str
    environment: Mapping[str, str]


@dataclass
class Stage:
    """From one FROM to the next."""

    image: str
    name: str | None
    steps: list[Run | Copy | PurePosixPath] = field(default_factory=list)
    """In their order; a path is a WORKDIR, which is made."""
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    folder: str = "/"
    volumes: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health_check: list[str] = field(default_factory=list)
    health_options: dict[str, str] = field(default_factory=dict)


class DockerfileReader:
    """Reads instructions one by one, as the engine does.

    Args:
        given: build arguments.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        self.stages: list[Stage] = []
        self._given = given
        self._global: dict[str, str] = {}
        """Arguments from before the first stage, which are for FROM only."""
        self._arguments = self._global
        self._read: dict[str, Callable[[str], None]] = {
            "FROM": self._from,
            "ARG": self._arg,
            "ENV": self._env,
            "WORKDIR": self._workdir,
            "COPY": self._copy,
            "RUN": self._run,
            "USER": lambda rest: setattr(self._stage, "user", rest),
            "VOLUME": lambda rest: self._stage.volumes.append(rest),
            "EXPOSE": lambda rest: self._stage.ports.append(rest),
            "CMD": lambda rest: setattr(self._stage, "command", json.loads(rest)),
            "HEALTHCHECK": self._healthcheck,
        }

    def read(self, text: str) -> list[Stage]:
        """The stages.

        Raises:
            ValueError: an instruction, or a form of one, that ours does not use.
        """
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        for line in "\n".join(lines).replace("\\\n", "").splitlines():
            if line.strip():
                word, _, rest = line.strip().partition(" ")
                if word not in self._read:
                    raise ValueError(f"unknown instruction: {line}")
                self._read[word](rest.strip())
        return self.stages

    @property
    def _stage(self) -> Stage:
        return self.stages[-1]

    def _filled_in(self, text: str, values: Mapping[str, str]) -> str:
        return VARIABLE.sub(lambda found: values[found[1] or found[2]], text)

    def _from(self, rest: str) -> None:
        image, _, name = self._filled_in(rest, self._global).partition(" AS ")
        self._arguments = {}  # each stage has its own
        self.stages.append(Stage(image, name or None, environment={"PATH": IMAGE_PATH}))

    def _arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        self._arguments[name] = self._given.get(name, default)

    def _env(self, rest: str) -> None:
        known = dict(self._stage.environment)
        pairs = PAIR.findall(rest)
        if PAIR.sub("", rest).strip() or not pairs:
            raise ValueError(f"ENV {rest}")
        for name, value in pairs:
            self._stage.environment[name] = self._filled_in(value.strip('"'), known)

    def _workdir(self, rest: str) -> None:
        self._stage.folder = rest
        self._stage.steps.append(PurePosixPath(rest))

    def _copy(self, rest: str) -> None:
        *words, target = rest.split()
        stage = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else None
        if any(word.startswith(("--", "[")) for word in words):
            raise ValueError(f"COPY {rest}")
        self._stage.steps.append(Copy(tuple(words), target, stage))

    def _run(self, rest: str) -> None:
        if rest.startswith(("--", "[", "<<")):
            raise ValueError(f"RUN {rest}")
        environment = {**self._arguments, **self._stage.environment}
        self._stage.steps.append(Run(rest, self._stage.user, self._stage.folder, environment))

    def _healthcheck(self, rest: str) -> None:
        options, _, command = rest.partition("CMD ")
        self._stage.health_options = dict(
            option.removeprefix("--").split("=", 1) for option in options.split()
        )
        self._stage.health_check = json.loads(command)


def copy_context(root: Path, context: Path) -> None:
    """What the engine gets of the repository to build from, by .dockerignore.

    Ours leaves out everything, then takes single names back in, then leaves out what is nested.

    Raises:
        ValueError: it says something else.
    """
    lines = (root / ".dockerignore").read_text().splitlines()
    everything, *rules = [line for line in lines if line and not line.startswith("#")]
    names = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    nested = [rule.removeprefix("**/") for rule in rules if rule.startswith("**/")]
    if everything != "*" or len(names) + len(nested) != len(rules):
        raise ValueError(".dockerignore has rules that are not known here")
    for name in names:
        source, target = root / name, context / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*nested))
        else:
            shutil.copy(source, target)
