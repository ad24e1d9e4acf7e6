"""What Gunicorn calls in its life; gunicorn.conf.py names these functions as its hooks."""

from __future__ import annotations

import contextlib
import functools
import gc
import itertools
import os
import resource
import socket
from typing import Any

import gevent

from chat_api.settings import Settings, load_settings
from chat_api.upstream_wiring import local_model_to_start
from chat_api.upstreams import local
from chat_api.web import metrics
from chat_api.web.requests import EXTENSION

FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
"""How often the local model is looked after; the pause doubles while it does not stay alive."""

COLLECT_AFTER = 10_000, 50, 100
"""New objects until the collector looks at them; such looks until it looks at those, too, that
outlived one; and of these until it looks at all."""

MOST_UNREAD_SECONDS = 120
"""Of a caller who is there and takes nothing of what is sent to it; then its connection ends. While
it does not read, nobody else may have its place among `MAX_STREAMS`."""


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
        gevent.spawn(_keep_local_model, server)


def _keep_local_model(server: Any) -> None:
    """Start the local model anew where its supervisor was killed; the model left with it.

    Runs beside the master's own loop. A worker is forked with a copy of this, which ends there.
    """
    master, pause = os.getpid(), FIRST_LOOK_SECONDS
    while True:
        gevent.sleep(pause)
        if os.getpid() != master:
            return
        if not server.local_model.is_lost():
            pause = FIRST_LOOK_SECONDS
            continue
        server.log.error("The local model's supervisor is gone; it is started anew")
        try:
            server.local_model.start()
        except OSError as error:  # out of memory or processes: that may pass
            server.log.error("The local model could not be started: %s", error)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def stop_local_model(server: Any) -> None:
    """`on_exit`: the workers are gone, so it leaves now rather than when it notices."""
    model = getattr(server, "local_model", None)
    if model is not None:
        model.close()


def prepare_fork(server: Any, worker: Any) -> None:
    """`pre_fork`: choose the first place to count at (`web.tallies`) that no other worker has.

    What is there by now stays to the end. Frozen, the collector passes it by: its marks would have
    every worker copy the memory that it shares with the master, 30 MB each. What requests leave is
    nearly all freed without it, so it looks seldom: with a thousand streams each look at all that
    lives stopped all of them for a tenth of a second.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()
    for listener in server.LISTENERS:
        end_unread_connections(listener.sock)
    taken = {other.slot for other in server.WORKERS.values()}
    worker.slot = next(number for number in itertools.count() if number not in taken)


def end_unread_connections(listener: socket.socket) -> None:
    """Have the kernel end connections from there that are not read (RFC 5482): they inherit it, so
    none of them costs a call."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux has it
    if option is not None and listener.family != socket.AF_UNIX:
        listener.setsockopt(socket.IPPROTO_TCP, option, 1000 * MOST_UNREAD_SECONDS)


def take_slot(server: Any, worker: Any) -> None:
    """`post_fork`: count there."""
    metrics.of(worker.app.wsgi()).tallies.take(worker.slot)


def free_slot(server: Any, worker: Any) -> None:
    """`child_exit`: the worker is dead, however it died."""
    metrics.of(server.app.wsgi()).tallies.free(worker.slot)


def warm_up(worker: Any) -> None:
    """`post_worker_init`: open the stores, and ask several upstreams what they list, as soon as the
    worker serves and not with the first call that needs to know."""
    services = worker.wsgi.extensions[EXTENSION]
    if len(services.router.upstreams) > 1:
        for upstream in services.router.upstreams:
            gevent.spawn(services.router.listings[upstream.name].models)
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
