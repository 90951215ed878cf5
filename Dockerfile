# One worker in one container; run several behind a proxy (compose.yaml). `docker build -t growth .`
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/growth
COPY requirements.lock .
RUN /opt/growth/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY recommender recommender
COPY service service
COPY models models
RUN /opt/growth/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin growth \
    && install --directory --owner growth --group growth --mode 0700 /data
COPY --from=build /opt/growth /opt/growth
ENV PATH=/opt/growth/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    GROWTH_HOST=0.0.0.0 \
    GROWTH_PORT=8000 \
    GROWTH_DATA=/data
USER growth
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["growth", "serve"]
