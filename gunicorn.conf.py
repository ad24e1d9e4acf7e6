"""How Gunicorn serves. Each value that is not Gunicorn's default says why."""

# ruff: noqa: E402 - patching comes first: a module that was imported before it keeps blocking
# sockets and locks, and then one HTTPS call stops every stream of its worker.
import gc

from gevent import monkey

monkey.patch_all()
# Nearly all that is made from here on stays. Looking at it again and again while it grows took a
# fourteenth of the start; `hooks.prepare_fork` has the collector look again.
gc.disable()

import os

from chat_api import hooks
from chat_api.errors import SettingsError
from chat_api.upstream_wiring import local_model_to_start
from chat_api.web.banner import announce
from chat_api.web.worker import SPARE_SECONDS

try:
    settings = hooks.settings()
    local_model_to_start(settings)
except SettingsError as error:
    raise SystemExit(f"chat_api: {error}") from None

host = f"[{settings.host}]" if ":" in settings.host else settings.host  # IPv6
bind, workers = f"{host}:{settings.port}", settings.workers
worker_class = "chat_api.web.worker.Worker"  # gevent's: thousands of streams in one process
worker_connections = settings.max_streams + 2000  # /health must get in when streams do not
preload_app = True  # imported once, shared by all; it opens nothing
timeout = 60  # seconds without a sign of life; a busy event loop may owe one for a while
graceful_timeout = settings.graceful_timeout_seconds + SPARE_SECONDS  # then the master kills
keepalive = 5  # seconds; the default of 2 makes clients that pause connect again and again
# No header says which way a request came: by default any caller on this machine may set its path
# and scheme. So "*" lets nobody do anything; it spares looking up who may, for each request.
forwarder_headers, secure_scheme_headers, forwarded_allow_ips = "", {}, "*"
control_socket_disable = True  # it would be opened in the home folder
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a slow disk looks like death

hooks.raise_descriptor_limit(worker_connections)
on_starting, on_exit = hooks.start_local_model, hooks.stop_local_model
when_ready, post_worker_init = announce, hooks.warm_up
pre_fork, post_fork, child_exit = hooks.prepare_fork, hooks.take_slot, hooks.free_slot
