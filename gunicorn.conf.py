"""How Gunicorn serves. Each value that is not Gunicorn's default says why."""

# ruff: noqa: E402 - patching comes first: a module that was imported before it keeps blocking
# sockets and locks, and then one HTTPS call stops every stream of its worker.
import gevent
from gevent import monkey

monkey.patch_all()

import contextlib
import os
import resource

from chat_api.errors import SettingsError
from chat_api.settings import load_settings
from chat_api.upstreams import local
from chat_api.web.banner import announce
from chat_api.web.requests import EXTENSION
from chat_api.wiring import default_upstream, local_model

try:
    settings = load_settings()
    model = local_model(settings) if default_upstream(settings) == "local" else None
except SettingsError as error:
    raise SystemExit(f"chat_api: {error}") from None

host = f"[{settings.host}]" if ":" in settings.host else settings.host  # IPv6
bind = f"{host}:{settings.port}"
workers = settings.workers
worker_class = "chat_api.web.worker.Worker"  # gevent's: thousands of streams in one process
worker_connections = settings.max_streams + 2000  # /health must get in when streams do not
preload_app = True  # imported once, shared by all; it opens nothing
timeout = 60  # seconds without a sign of life; a busy event loop may owe one for a while
graceful_timeout = settings.graceful_timeout_seconds
keepalive = 5  # seconds; the default of 2 makes clients that pause connect again and again
forwarder_headers = ""  # by default any caller on this machine may set the path by a header
control_socket_disable = True  # it would be opened in the home folder
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a slow disk looks like death

# A stream takes two descriptors, and the soft limit is often 1,024. Not every system lets it be
# as high as it says.
hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
wanted = 2 * worker_connections + 1000
if hard_limit != resource.RLIM_INFINITY:
    wanted = min(wanted, hard_limit)
with contextlib.suppress(ValueError, OSError):
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard_limit))

if model:
    local.loopback_port()  # chosen before the fork: every worker must know the same one


when_ready = announce


def post_worker_init(worker):  # type: ignore[no-untyped-def]
    """Open the store as soon as the worker serves, not with the first call that needs it."""
    gevent.spawn(worker.wsgi.extensions[EXTENSION].database.warm_up)


def on_starting(server):  # type: ignore[no-untyped-def]
    """Start the local model beside the workers; it leaves when the last of them has."""
    if model:
        server.local_model = local.start_local_model(model, local.loopback_port())


def on_exit(server):  # type: ignore[no-untyped-def]
    """The workers are gone: the model leaves now rather than when it notices."""
    if model:
        server.local_model.close()
