"""nginx set up by the files of deploy/nginx, before two servers of a test."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.wire import wait_for
from tests.ports import free_port
from tests.servers import ROOT, Server, gunicorn

RECIPES = ROOT / "deploy/nginx"
# What stands around the recipes in Debian's nginx.conf or the image's; paths are the folder's.
AROUND = """
pid nginx.pid;
worker_processes 1;
error_log error.log;
events { worker_connections 1024; }
http {
    log_format asked '$http_x_request_id $upstream_addr';
    access_log access.log asked;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    include chat_api.conf;
    include upstream.conf;
}
"""


class Nginx(Server):
    """nginx as a process; its log is the one of requests."""

    def asked(self, request_id: str) -> list[int]:
        """The ports of the servers that it gave a request to, in turn; waits for its log line."""

        def find() -> str | None:
            lines = self.log().splitlines(keepends=True)
            found = (line for line in lines if line.startswith(request_id) and line[-1] == "\n")
            return next(found, None)

        addresses = wait_for(find).split(" ", 1)[1].split(", ")
        return [int(address.rsplit(":", 1)[1]) for address in addresses]


class Pair(NamedTuple):
    """Two instances, and nginx before them."""

    nginx: Nginx
    one: Server
    two: Server


def nginx_binary() -> str:
    """Where it is. Without it the test is skipped."""
    binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if binary is None:
        pytest.skip("nginx is not installed: make nginx")
    return binary


def set_up(folder: Path, upstream: str, **instead: str) -> list[str]:
    """A folder for nginx with the recipes in it, and the command that starts it there.

    Args:
        upstream: the name of the upstream file.
        instead: what stands for the `listen` of the one file and the servers of the other.
    """
    site, servers = (RECIPES / "chat_api.conf").read_text(), (RECIPES / upstream).read_text()
    for text, replacement in instead.items():
        old = {"listen": "listen 80;", "one": "one:5000", "two": "two:5000"}[text]
        assert old in site + servers
        site, servers = site.replace(old, replacement), servers.replace(old, replacement)
    folder.mkdir()
    (folder / "chat_api.conf").write_text(site)
    (folder / "upstream.conf").write_text(servers)
    (folder / "nginx.conf").write_text(("user root;" if os.geteuid() == 0 else "") + AROUND)
    return [nginx_binary(), "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]


@contextlib.contextmanager
def before(folder: Path, one: Server, two: Server) -> Iterator[Nginx]:
    """nginx before these servers."""
    port = free_port()
    servers = {"one": f"127.0.0.1:{one.port}", "two": f"127.0.0.1:{two.port}"}
    command = set_up(folder, "upstream.compose.conf", listen=f"listen 127.0.0.1:{port};", **servers)
    process = subprocess.Popen([*command, "-g", "daemon off;"], start_new_session=True)
    try:
        # Its master has bound the port before it writes this file.
        wait_for(lambda: process.poll() is not None or (folder / "nginx.pid").exists())
        assert process.poll() is None, (folder / "error.log").read_text()
        yield Nginx(process, port, folder / "access.log")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


@contextlib.contextmanager
def behind_nginx(folder: Path, **settings: str) -> Iterator[Pair]:
    """Two instances with these settings behind nginx, each with one worker."""
    nginx_binary()
    settings = {"TRUSTED_PROXIES": "1", "WEB_CONCURRENCY": "1", **settings}
    starts = [gunicorn(folder, **settings) for _ in range(2)]
    with contextlib.ExitStack() as stack:
        with ThreadPoolExecutor() as at_once:
            one, two = at_once.map(stack.enter_context, starts)
        yield Pair(stack.enter_context(before(folder / "nginx", one, two)), one, two)
