# One image for the server, the worker and the command line. Settings come from the environment (docs/operating.md);
# nothing secret is in it.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/srv/hatthalekha/.venv/bin:$PATH

RUN useradd --system --uid 10001 --home-dir /srv/hatthalekha --shell /usr/sbin/nologin hatthalekha
WORKDIR /srv/hatthalekha

# Dependencies change less often than the code, so they have a layer of their own.
COPY script/setup script/setup
COPY requirements.lock ./
RUN script/setup

COPY LICENSE alembic.ini ./
COPY app app
COPY locales locales
COPY migrations migrations
COPY templates templates
# Code belongs to root; only data is the service's own, and it stands on volumes.
RUN python -m compileall -q app && install -d -m 0700 -o hatthalekha -g hatthalekha data data/keys

USER hatthalekha
EXPOSE 8000
STOPSIGNAL SIGTERM
# The container may be reached under any name, and /livez takes any. For the worker, turn it off: it has no door.
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["hatthalekha", "serve", "--host", "0.0.0.0", "--port", "8000"]
