"""A Redis of a test's own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from pathlib import Path

from tests.ports import free_port


class RedisServer:
    """A Redis of a test's own on a free port; it keeps nothing.

    Args:
        options: more of its command line; what comes twice counts as it comes last. `{port}` is
            its port.
    """

    def __init__(self, binary: str, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [binary, "--port", str(self.port), "--bind", "127.0.0.1"]
        self._command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
        self._command += [option.format(port=self.port) for option in options]
        self.start()

    def start(self) -> None:
        """Start it, empty, and wait until it listens."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise RuntimeError("Redis did not come up")

    def kill(self) -> None:
        """As a machine that goes away, though its connections are reset."""
        self.process.kill()
        self.process.wait(5)
