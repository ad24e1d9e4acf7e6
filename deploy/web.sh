#!/bin/sh
# Starts the server behind a platform's router: Heroku (Procfile), Render, Replit's deployments.
set -eu

# The router is a proxy in front: it appends the caller's address to X-Forwarded-For.
export TRUSTED_PROXIES="${TRUSTED_PROXIES:-1}"

# Heroku's Redis shows a certificate of its own making, which nobody can check, and the add-on writes
# its URL, which nobody can change. So it is not checked there. Elsewhere it is.
if [ -n "${DYNO:-}" ]; then
  case "${REDIS_URL:-}" in
    *\?*) ;; # it says itself what to check
    rediss://*) export REDIS_URL="$REDIS_URL?ssl_cert_reqs=none" ;;
  esac
fi

# Heroku's router keeps idle connections for 90 seconds. Who closes first must be the router: a
# request that meets a connection just being closed is lost.
exec gunicorn --keep-alive 120 main:app
