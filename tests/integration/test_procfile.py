"""The Procfile's line run as Heroku does, with PostgreSQL and Redis as add-ons give them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.integration.counting import all_counted
from tests.integration.doors import API_CHAT
from tests.integration.wire import Reply, get, send, wait_for
from tests.ports import free_port
from tests.redis_server import RedisServer
from tests.servers import ROOT, Server, clean_environment, running

PASSWORD = "p4ssw0rd"
SLUG = ("Procfile", "main.py", "gunicorn.conf.py", "deploy", "chat_api")
"""What of the repository is needed on a dyno."""


@pytest.fixture
def redis_addon(tmp_path: Path) -> Iterator[RedisServer]:
    """TLS only, with a password, and a certificate of nobody's that anybody trusts."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    certificate = trustme.CA().issue_cert("redis.invalid")
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    options = ["--port", "0", "--tls-port", "{port}", "--tls-auth-clients", "no"]
    options += ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"]
    options += ["--tls-ca-cert-file", "cert.pem", "--requirepass", PASSWORD]
    server = RedisServer(binary, tmp_path, *options)
    server.url = f"rediss://:{PASSWORD}@127.0.0.1:{server.port}"
    yield server
    server.kill()


@contextlib.contextmanager
def dyno(folder: Path, **config: str) -> Iterator[Server]:
    """The `web` process in a folder of its own, with the variables that Heroku adds."""
    app, port = folder / "app", free_port()
    app.mkdir()
    for name in SLUG:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, app / name)
    process_type, _, web = (app / "Procfile").read_text().strip().partition(": ")
    assert process_type == "web"
    heroku = {
        "PORT": str(port),
        "DYNO": "web.1",
        "HOME": str(app),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "FORWARDED_ALLOW_IPS": "*",  # these two are the Python buildpack's
        "WEB_CONCURRENCY": "02",
    }
    env = {**clean_environment(), **heroku, **config}
    command = ["sh", "-c", web]
    with running(command, port, folder / "log", cwd=app, env=env, path="/health/ready") as server:
        yield server


def test_the_procfile_serves_with_the_add_ons_urls_as_they_come(
    postgresql_url: str, redis_addon: RedisServer, tmp_path: Path
) -> None:
    database = postgresql_url.replace("postgresql://", "postgres://")
    with dyno(
        tmp_path, DATABASE_URL=database, REDIS_URL=redis_addon.url, UPSTREAM="mock"
    ) as server:

        def say(forwarded_for: str) -> Reply:
            headers = {"X-Forwarded-For": forwarded_for}
            reply = send(server, API_CHAT.path, API_CHAT.body(), headers=headers)
            assert reply.status == 200
            return reply

        for number in range(3):  # where a busy machine held up Redis, calls passed uncounted
            one, other = f"203.0.113.{number}", f"192.0.2.{number}"
            # The last one counts, which the router has written.
            replies = [say(one), say(f"198.51.100.9, {one}"), say(other)]
            if all_counted(replies):
                break
            wait_for(lambda: all_counted([say("198.51.100.9") for _ in range(8)]))
        left = [reply.headers["X-RateLimit-Remaining"] for reply in replies]
        assert left == ["599", "598", "599"]
        session = replies[0].headers["X-Session-ID"]
        assert get(server, f"/api/sessions/{session}").json["message_count"] == 2
        checks = get(server, "/health/ready").json["checks"]
        assert checks["limiter"] == {"status": "ok", "detail": "redis"}
        assert checks["store"]["detail"] == "postgresql"
        assert not (tmp_path / "app" / "data").exists(), "the disk vanishes"
        assert '"crash"' not in server.log()


def test_elsewhere_a_certificate_that_cannot_be_checked_is_refused(
    redis_addon: RedisServer, tmp_path: Path
) -> None:
    with dyno(tmp_path, REDIS_URL=redis_addon.url, UPSTREAM="mock", DYNO="") as server:
        reply = send(server, API_CHAT.path, API_CHAT.body())
        assert (reply.status, reply.headers["X-RateLimit-Limit"]) == (200, None), "uncounted"
        wait_for(lambda: '"event":"limiter"' in server.log())
