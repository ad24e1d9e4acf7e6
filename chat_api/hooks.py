"""What Gunicorn calls in its life; gunicorn.conf.py names these functions as its hooks."""

from __future__ import annotations

import contextlib
import functools
import resource
from typing import Any

import gevent

from chat_api.settings import Settings, load_settings
from chat_api.upstream_wiring import local_model_to_start
from chat_api.upstreams import local
from chat_api.web.requests import EXTENSION


@functools.cache
def settings() -> Settings:
    """What the server was told at its start.

    Gunicorn reads its configuration file again at SIGHUP. The application was imported once and
    keeps what it was told; a bad value in a changed `.env` must not end it either.
    """
    return load_settings()


def start_local_model(server: Any) -> None:
    """`on_starting`: the local model beside the workers; it leaves when the last of them has."""
    model = local_model_to_start(settings())
    if model is not None:
        # Kept on the server: the configuration file is forgotten and read anew at SIGHUP.
        server.local_model = local.start_local_model(model, local.loopback_port())


def stop_local_model(server: Any) -> None:
    """`on_exit`: the workers are gone, so it leaves now rather than when it notices."""
    model = getattr(server, "local_model", None)
    if model is not None:
        model.close()


def open_stores(worker: Any) -> None:
    """`post_worker_init`: as soon as the worker serves, not with the first call that needs them."""
    services = worker.wsgi.extensions[EXTENSION]
    gevent.spawn(services.database.warm_up)
    if services.limiter.store is not None:
        gevent.spawn(services.limiter.store.warm_up)


def raise_descriptor_limit(connections: int) -> None:
    """Let this process and its workers hold so many connections, each with one upstream.

    The soft limit is often 1,024; not every system lets it be as high as it says.
    """
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 2 * connections + 1000
    if hard_limit != resource.RLIM_INFINITY:
        wanted = min(wanted, hard_limit)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard_limit))
