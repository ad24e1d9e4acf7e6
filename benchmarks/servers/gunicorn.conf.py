"""Gunicorn for the servers ours is compared with."""

# Before anything else is imported: a module that holds an unpatched socket blocks every caller.
from gevent import monkey

monkey.patch_all()

import os  # noqa: E402

bind = f"127.0.0.1:{os.environ['PORT']}"
worker_class = "gevent"
worker_connections = 10_000  # the default of 1,000 would be a limit nobody asked for
keepalive = 75  # the default of 2 s would close connections between two measurements
control_socket_disable = True  # it would lie in the home folder
