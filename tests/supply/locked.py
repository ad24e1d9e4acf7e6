"""What production installs: the locked packages, and what is known of them."""

from __future__ import annotations

import re
from importlib import metadata
from typing import NamedTuple

from packaging.requirements import Requirement

from tests.servers import ROOT

FILES = ("requirements.txt", "requirements-local.txt")
CLASSIFIED = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
}
"""Licences by their classifier, for packages that say no more; all of ours under "BSD License" have
its text with three clauses."""


class Locked(NamedTuple):
    """A package in one of the locked files."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of its files, for all systems."""
    wanted_by: tuple[str, ...]
    """The packages that need it; a file's name where it is wanted by itself."""
    installed_here: bool
    """Whether this system and this Python need it."""

    @property
    def licence(self) -> str:
        """As an SPDX expression.

        Raises:
            KeyError: what it says is not known here.
        """
        told = metadata.metadata(self.name)
        found = told["License-Expression"] or told["License"] or ""
        if not found:
            kinds = [each for each in told.get_all("Classifier", []) if "License ::" in each]
            found = " AND ".join(CLASSIFIED[kind.split(" :: ")[-1]] for kind in kinds)
        if not found:
            raise KeyError(f"{self.name} says nothing of its licence")
        return found


def locked(file: str) -> list[Locked]:
    """The packages in a locked file, in its order."""
    text = (ROOT / file).read_text()
    blocks = re.split(r"^(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.M), flags=re.M)
    return [_read(block) for block in blocks if block.strip()]


def production() -> list[Locked]:
    """What production installs on this system, the local model too."""
    return [package for file in FILES for package in locked(file) if package.installed_here]


def _read(block: str) -> Locked:
    wanted = Requirement(re.split(r" \\\n|\n", block)[0])
    (pin,) = wanted.specifier
    if pin.operator != "==":
        raise ValueError(f"{wanted} is not pinned")
    via = re.sub(r"^ *# (via)?", "", block[block.index("    # via") :], flags=re.M)
    return Locked(
        wanted.name,
        pin.version,
        tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block)),
        tuple(name.strip().removeprefix("-r ") for name in via.splitlines() if name.strip()),
        wanted.marker is None or wanted.marker.evaluate(),
    )
