# One image, four commands: see compose.yaml.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt /build/requirements.txt
RUN /venv/bin/pip install -r /build/requirements.txt

FROM python:3.11-slim-bookworm
# opencv-python draws with libGL and GLib even where there is no screen.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /srv/factory-site factory
COPY --from=build /venv /venv
WORKDIR /srv/factory-site
COPY --chown=root:root . .
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production \
    VAR_DIR=/var/lib/factory-site \
    STATIC_ROOT=/srv/static
RUN install -d -o factory -g factory "$VAR_DIR" \
    && SECRET_KEY=only-for-collecting-the-static-files-of-this-one-image-build \
       DATABASE_URL=postgresql://build@localhost/build \
       REDIS_URL=redis://localhost \
       python manage.py collectstatic --noinput
USER 10001
VOLUME /var/lib/factory-site
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "factory_site.healthcheck"]
CMD ["python", "-m", "factory_site.web", "-b", "0.0.0.0", "-p", "8000"]
