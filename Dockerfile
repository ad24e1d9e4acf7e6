# chat_api in a container. docs/deploying.md says how to build and run it; tests/dockerfile.py runs
# these steps where there is no engine for containers.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ARG LOCAL_MODEL=yes
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv /venv
# The packages before the code: they change less often, and their layers are kept. Nothing is
# compiled: what has no build for this machine is an error here, not half an hour.
COPY requirements.txt requirements-local.txt ./
RUN /venv/bin/python -m pip install --only-binary=:all: --require-hashes -r requirements.txt
RUN if [ "$LOCAL_MODEL" = yes ]; then \
      /venv/bin/python -m pip install --only-binary=:all: --require-hashes --no-deps -r requirements-local.txt; \
    fi
RUN /venv/bin/python -m pip uninstall --yes pip

FROM python:${PYTHON}
ARG LOCAL_MODEL=yes
# The local model's server is linked with OpenMP, which the slim image leaves out.
RUN if [ "$LOCAL_MODEL" = yes ]; then \
      apt-get update && \
      apt-get install --yes --no-install-recommends libgomp1 && \
      rm -rf /var/lib/apt/lists/*; \
    fi
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin chat_api && \
    install --directory --owner=chat_api --group=chat_api --mode=0700 /data
COPY --from=build /venv /venv
WORKDIR /app
COPY main.py gunicorn.conf.py ./
COPY chat_api chat_api
# The server may not write here, so what Python would keep is made now.
RUN python -m compileall -q .
# One proxy in front, as in compose.yaml. Without any set TRUSTED_PROXIES=0: callers could otherwise
# pass for somebody else in the limits.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 PORT=5000 DATA_DIR=/data TRUSTED_PROXIES=1
USER chat_api
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/live', timeout=4)"]
# Gunicorn is process 1, so SIGTERM reaches it. Give it 30 s to let streams end.
CMD ["gunicorn", "main:app"]
